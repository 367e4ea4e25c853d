"""The usage filter of a stream fails, where usage was requested on the caller's behalf: the caller gets all, in order.

Each function of the filter is made to raise, once for each call of it, in turn.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import openai
import pytest

import usage_servers as servers
from loopback import ModelServer, Sse, Telemetry
from loopback.openai_bodies import MODEL
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai._stream import (
    decoding as _wire,
    event_texts as _texts,
    usage_filter as _filter,
)

CALL: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
# What carries the stream itself, with guards in it.
CARRIERS = {"filtered", "_filtered", "_passing", "_remaining", "Wire"}


class FailedError(Exception):
    """What is raised."""


def functions() -> dict[str, tuple[Any, str]]:
    """The functions of the filter: name -> where they are."""
    found: dict[str, tuple[Any, str]] = {}
    for module in (_filter, _texts, _wire):
        for name, thing in vars(module).items():
            if getattr(thing, "__module__", None) != module.__name__ or name in CARRIERS or name.startswith("_Async"):
                continue
            if inspect.isclass(thing):
                methods = (one for one, value in vars(thing).items() if inspect.isroutine(value))
                found |= {f"{name}.{one}": (thing, one) for one in methods if one in OWN or not one.startswith("__")}
            elif inspect.isfunction(thing):
                found[name] = (module, name)
    return found


OWN = ("__call__",)
FUNCTIONS = {name: place for name, place in functions().items() if not name.startswith(("_Form.", "Text._"))}


def failing(function: Any, turn: int) -> Any:
    """The same, but for one of its calls, which raises."""
    calls = 0
    inner = function.__func__ if isinstance(function, classmethod) else inspect.unwrap(function)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == turn:
            raise FailedError
        return inner(*args, **kwargs)

    if isinstance(function, classmethod):
        return classmethod(wrapper)
    return guard.guarded(wrapper) if hasattr(function, "__wrapped__") else wrapper


def events(client: openai.OpenAI) -> list[Any]:
    """Read chunk by chunk."""
    return [chunk.to_dict() for chunk in client.chat.completions.create(**CALL)]


def raw(client: openai.OpenAI) -> list[Any]:
    """Read bytes, which are decompressed if they have to be."""
    with client.chat.completions.with_streaming_response.create(**CALL) as response:
        body = response.read()
    found = re.findall(rb"^data: ?(\{.*\})\r?$", body, re.MULTILINE)
    assert body.endswith(b"data: [DONE]\n\n")
    return [json.loads(data) for data in found]


def without_usage(chunks: list[Any]) -> list[Any]:
    """Chunks as they are without what the question adds, and without the timings, which may be in either of the last two."""
    return [
        {name: value for name, value in chunk.items() if name not in ("usage", "timings")}
        for chunk in chunks
        if chunk["choices"]
    ]


READINGS: dict[str, tuple[Callable[[openai.OpenAI], list[Any]], Callable[..., Sse], bool]] = {
    "events": (events, servers.openai, False),
    "events, held back": (events, servers.llama_cpp, False),
    "bytes": (raw, servers.openai, False),
    "bytes, held back": (raw, servers.llama_cpp, False),
    "bytes, compressed": (raw, servers.llama_cpp, True),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_filter_that_fails_loses_nothing(
    server: ModelServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, name: str, reading: str
) -> None:
    """No chunk is lost, doubled or moved; the call is followed, and at most what was asked for in addition shows."""
    read, answer, gzip = READINGS[reading]
    place, attribute = FUNCTIONS[name]
    function = inspect.getattr_static(place, attribute)
    monkeypatch.setattr(guard, "strict", False)
    server.reply_always(servers.ending(answer, gzip=gzip))
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        bare = without_usage(read(client))
        OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")
        for turn in range(1, 12):
            monkeypatch.setattr(place, attribute, failing(function, turn))
            assert bare == without_usage(read(client)), turn

    assert ["UNSET"] * 11 == [span.status.status_code.name for span in telemetry.spans]
