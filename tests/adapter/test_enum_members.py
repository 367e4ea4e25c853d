"""Members of enumerations in a request: JSON sends their plain values, and so do span names, attributes, metrics, events, hooks."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anthropic
import ollama
import openai
import pytest

from loopback import Json, ModelServer, Telemetry, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor


class Word(str, enum.Enum):
    """Texts, as applications keep the names of their models: `str()` of one is `Word.MODEL`."""

    MODEL = "gpt-4o-mini"
    TIER = "flex"
    EFFORT = "low"
    STOP = "END"
    ROLE = "user"
    TEXT = "Hi"
    NAME = "Ada"
    TOOL = "get_weather"
    CITY = "Bern"
    FAR = "Zürich"
    KEY = "city"


class Whole(enum.IntEnum):
    """Limits."""

    ONE = 1
    MANY = 300


class Real(float, enum.Enum):
    """A temperature."""

    WARM = 0.5


class Shouted(str):
    """A text of a class that prints itself otherwise."""

    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


CALLED = {
    "function": {"name": Word.TOOL, "arguments": json.dumps({"city": "Bern"})},
    "id": Word.NAME,
    "type": "function",
}
TOOL = {"name": Word.TOOL, "parameters": {"type": "object", "properties": {Word.KEY: {"const": Word.CITY}}}}
SAMPLING = {"temperature": Real.WARM, "max_tokens": Whole.MANY}
CHAT = {
    "model": Word.MODEL,
    "messages": [
        {"role": Word.ROLE, "content": Word.TEXT, "name": Word.NAME},
        {"role": Word.ROLE, "content": [{"type": "text", "text": Shouted("quiet")}]},
        {"role": "assistant", "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": Word.NAME, "content": Word.FAR},
    ],
    "tools": [{"type": "function", "function": TOOL}],
    "extra_body": {"service_tier": Word.TIER, "reasoning_effort": Word.EFFORT},
    "stop": [Word.STOP],
    "seed": Whole.MANY,
    "n": Whole.MANY,
    **SAMPLING,
}
MESSAGES = {
    "model": Word.MODEL,
    "max_tokens": Whole.MANY,
    "messages": [
        {"role": Word.ROLE, "content": Word.TEXT},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "1", "name": Word.TOOL, "input": {Word.KEY: Word.CITY}}],
        },
        {"role": Word.ROLE, "content": [{"type": "tool_result", "tool_use_id": "1", "content": Word.CITY}]},
    ],
    "system": Word.TEXT,
    "stop_sequences": [Word.STOP],
    "extra_body": {"top_k": Whole.MANY, "temperature": Real.WARM, "service_tier": Word.TIER},
}
OLLAMA = {
    "model": Word.MODEL,
    "messages": [{"role": Word.ROLE, "content": Word.TEXT}],
    "options": {"num_predict": Whole.MANY, "stop": [Word.STOP], "temperature": Real.WARM},
}
ANSWERED = {"model": "m", "message": {"role": "assistant", "content": "Hello"}, "done": True, "done_reason": "stop"}


def ask_openai(url: str, request: Any) -> None:
    """A chat completion."""
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        client.chat.completions.create(**request)


def ask_anthropic(url: str, request: Any) -> None:
    """A message."""
    with anthropic.Anthropic(base_url=url, api_key="none", max_retries=0) as client:
        client.messages.create(**request)


def ask_ollama(url: str, request: Any) -> None:
    """A chat."""
    client = ollama.Client(host=url, verify=False)
    client.chat(**request)
    client._client.close()


CASES: dict[str, tuple[Any, Callable[[str, Any], None], Any, Json]] = {
    "openai": (OpenAIInstrumentor, ask_openai, CHAT, Json(openai_bodies.completion())),
    "anthropic": (AnthropicInstrumentor, ask_anthropic, MESSAGES, Json(anthropic_bodies.message())),
    "ollama": (OllamaInstrumentor, ask_ollama, OLLAMA, Json(ANSWERED)),
}


def plain(value: Any) -> Any:
    """The same request without members of enumerations."""
    if isinstance(value, dict):
        return {plain(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return json.loads(json.dumps(value))


def leaves(value: Any) -> Iterator[Any]:
    """Everything that is in a value and holds nothing itself."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from (key, *leaves(entry))
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from leaves(entry)
    else:
        yield value


def recorded(telemetry: Telemetry) -> list[Any]:
    """Everything that was recorded, by name and value."""
    points = [point.attributes for points in telemetry.metrics.values() for point in points]
    return [telemetry.span.name, telemetry.span.attributes, points, [event.attributes for event in telemetry.events]]


@pytest.mark.parametrize("sdk", CASES)
def test_members_of_enumerations_are_recorded_as_they_are_sent(server: ModelServer, telemetry: Telemetry, sdk: str):
    """What is recorded of a request with members is what is recorded of the one with plain values, and has plain types alone."""
    instrumentor, ask, request, reply = CASES[sdk]
    shown: list[Any] = []
    instrumentor().instrument(
        **telemetry.providers,
        capture_message_content="span_and_event",
        request_hook=lambda _span, seen: shown.append(seen.model),
    )
    server.reply(reply, reply)
    ask(server.url, plain(request))
    expected, body = telemetry.snapshot(), server.requests[-1].json
    telemetry.clear()

    ask(server.url, request)

    assert body == server.requests[-1].json
    assert expected == telemetry.snapshot()
    assert {str, int, float, bool} >= {type(leaf) for leaf in leaves(recorded(telemetry))} - {type(None)}
    assert f"chat {Word.MODEL.value}" == telemetry.span.name
    assert 300 == telemetry.span.attributes["gen_ai.request.max_tokens"]
    assert ([Word.MODEL.value] * 2, [str] * 2) == (shown, [type(model) for model in shown])
