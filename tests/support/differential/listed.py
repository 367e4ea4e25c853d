"""The differences that there may be, each with its reason, in one table. Nothing else may differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from differential.observation import Observation

OURS = "opentelemetry_instrumentation_genai"
Without = Callable[[Observation, Any], Observation]


class Listed(NamedTuple):
    """A difference that there may be.

    Attributes:
        reason: why.
        without: an observation, and its case -> the observation without it.
    """

    reason: str
    without: Without


def _stream_options(found: Observation, case: Any) -> Observation:
    if case.settings.get("stream_usage") != "inject":
        return found
    return replace(found, requests=[_unasked(request) for request in found.requests])


def _unasked(request: Any) -> Any:
    """A request without the question, and so without its length."""
    method, path, headers, body = request
    try:
        sent = json.loads(body)
        if sent.get("stream_options") == {"include_usage": True}:
            del sent["stream_options"]
        headers = [(name, value) for name, value in headers if name != "content-length"]
    except (ValueError, AttributeError):
        return request
    return method, path, headers, sent


def _warnings_of_hooks(found: Observation, case: Any) -> Observation:
    return _without_lines(found, "_hook ", "redactor ", "completion hook ") if case.settings.get("raising") else found


def _warnings_of_settings(found: Observation, _case: Any) -> Observation:
    return _without_lines(found, "OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE=inject requests it")


def _without_lines(found: Observation, *words: str, logger: str = OURS) -> Observation:
    """The observation without what a logger, by default ours, has logged with one of some words."""
    logged = [line for line in found.logged if not (line[0] == logger and any(word in line[2] for word in words))]
    return replace(found, logged=logged)


def _generators_of_a_loop(found: Observation, case: Any) -> Observation:
    if case.way.name != "async" or not case.reading.drops:
        return found
    return _without_lines(found, "asynchronous generator is already running", logger="asyncio")


def _type_of_a_stream(found: Observation, _case: Any) -> Observation:
    ours, theirs = f"<{OURS}._patching.late_streams.AsyncStream>", "<builtins.async_generator>"
    return replace(found, seen=[theirs if each == ours else each for each in found.seen])


LISTED = (
    Listed("`STREAM_USAGE=inject` asks for the usage of a stream: that is what it is for.", _stream_options),
    Listed(
        "A hook or redactor of the application's that raises is logged once: the fault is not ours.", _warnings_of_hooks
    ),
    Listed("Prices are asked for, and a stream has no usage: a warning names the setting.", _warnings_of_settings),
    Listed(
        "`type()` of an asynchronous stream of Ollama is a proxy's: a generator of ours around the SDK's would be closed by the "
        "event loop beside it, and they collide. `isinstance` and all else say what they say without us.",
        _type_of_a_stream,
    ),
    Listed(
        "A loop that ends closes the asynchronous generators of a stream that was left in the order of their addresses, in which some "
        "collide, also without us: `tests/stream/test_loop_ends.py` compares them in the same order.",
        _generators_of_a_loop,
    ),
)


def comparable(found: Observation, case: Any) -> Observation:
    """An observation without the differences that are listed."""
    for listed in LISTED:
        found = listed.without(found, case)
    return found
