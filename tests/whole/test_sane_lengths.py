"""Whatever is sent or answered, what is recorded of it has a sane length: names 1 KiB, messages of errors 8,192 characters.

It is cut before anything looks at it, so no server can stop a process by what it answers. Time is measured by
`benchmarks/redaction.py`; here what is recorded is asserted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import anthropic
import ollama
import openai
import pytest

from loopback import Json, Ndjson, Sse, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor
from opentelemetry_instrumentation_genai._masking.masking import masked

INPUT, OUTPUT, TOOLS = "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"
CONTENT = {INPUT, OUTPUT, TOOLS, "gen_ai.system_instructions"}
DETAILS, EXCEPTION = "gen_ai.client.inference.operation.details", "gen_ai.client.operation.exception"
LONG = "*é" * (1 << 19)  # 1 MiB and a half
KIB = 1 << 10
MESSAGE = 1 << 13
KEY = "sk-proj-0123456789abcdefABCDEF"


class Api(NamedTuple):
    """An SDK: its instrumentor, a client, a call with a long text in every place, and answers with one in every place."""

    name: str
    instrumentor: Callable[[], Any]
    client: Callable[[str], Any]
    call: Callable[..., Any]
    answer: Any
    events: Any
    error: Callable[[str], Any]


def _openai_message(**more: Any) -> dict[str, Any]:
    call = {"index": 0, "id": LONG, "type": "function", "function": {"name": LONG, "arguments": "{}"}}
    return {"role": "assistant", "content": LONG, "tool_calls": [call], **more}


def _ollama(message: Any = None, **more: Any) -> dict[str, Any]:
    return {"model": LONG, "message": message or {"role": "assistant", "content": LONG}, "done": False, **more}


TOOL_USE = {"type": "tool_use", "id": LONG, "name": LONG, "input": {}}
LONG_FUNCTION = {"type": "function", "function": {"name": LONG, "description": LONG, "parameters": {"type": "object"}}}
LONG_HEAD = {"id": LONG, "model": LONG, "service_tier": LONG, "system_fingerprint": LONG}
APIS = [
    Api(
        "openai",
        OpenAIInstrumentor,
        lambda url: openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0),
        lambda client, **more: client.chat.completions.create(
            model=LONG,
            messages=[
                {"role": LONG, "name": LONG, "content": "Hi"},
                {"role": "assistant", "content": None, "tool_calls": _openai_message()["tool_calls"]},
                {"role": "tool", "tool_call_id": LONG, "content": "found"},
            ],
            tools=[LONG_FUNCTION],
            stop=[LONG] * 2,
            extra_body={"service_tier": LONG},
            **more,
        ),
        Json(
            openai_bodies.completion(
                choices=[{"index": 0, "finish_reason": LONG, "message": _openai_message()}], **LONG_HEAD
            )
        ),
        Sse(
            [
                openai_bodies.chunk(_openai_message(), **LONG_HEAD),
                openai_bodies.chunk(reason=LONG, **LONG_HEAD),
            ]
        ),
        openai_bodies.error,
    ),
    Api(
        "anthropic",
        AnthropicInstrumentor,
        lambda url: anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0),
        lambda client, **more: client.messages.create(
            model=LONG,
            max_tokens=9,
            messages=[
                {"role": LONG, "content": "Hi"},
                {"role": "assistant", "content": [TOOL_USE, {"type": LONG, "x": 1}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": LONG, "content": "found"}]},
            ],
            tools=[{"name": LONG, "input_schema": {"type": "object"}}],
            stop_sequences=[LONG] * 2,
            **more,
        ),
        Json(anthropic_bodies.message(anthropic_bodies.text(LONG), TOOL_USE, id=LONG, model=LONG, stop_reason=LONG)),
        Sse(
            [
                anthropic_bodies.started(id=LONG, model=LONG),
                anthropic_bodies.opened(TOOL_USE),
                anthropic_bodies.closed(),
                *anthropic_bodies.ended(reason=LONG),
            ],
            event_names=True,
        ),
        anthropic_bodies.error,
    ),
    Api(
        "ollama",
        OllamaInstrumentor,
        lambda url: ollama.Client(host=url, verify=False, headers={"authorization": f"Bearer {KEY}"}),
        lambda client, **more: client.chat(
            model=LONG,
            messages=[
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": LONG, "arguments": {}}}]},
            ],
            tools=[LONG_FUNCTION],
            options={"stop": [LONG] * 2},
            **more,
        ),
        Json(_ollama(done=True, done_reason=LONG)),
        Ndjson([_ollama(), _ollama(done=True, done_reason=LONG)]),
        lambda message: {"error": message},
    ),
]
BY_API = pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)


@pytest.fixture
def client(server: Any) -> Iterator[Callable[[Api], Any]]:
    """Makes clients, which are closed after the test."""
    with ExitStack() as opened:

        def make(api: Api) -> Any:
            made = api.client(server.url)
            opened.callback(getattr(made, "close", None) or made._client.close)
            return made

        yield make


def texts(value: Any) -> Iterator[str]:
    """All texts in attributes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from texts(entry)


def names(value: Any) -> Iterator[str]:
    """All texts in content, but those that are content: of messages, and of the definition of a tool."""
    if isinstance(value, dict):
        for name, entry in value.items():
            if name not in ("content", "description") or not isinstance(entry, str):
                yield from names(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from names(entry)
    else:
        yield str(value)


@BY_API
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("content", [False, True], ids=["without content", "with content"])
def test_names_ids_and_words_are_cut_to_1_kib(server, telemetry, client, *, api, streamed, content):
    """On the span and in its name, on metrics, in events, and in what messages say besides their content."""
    api.instrumentor().instrument(
        **telemetry.providers, capture_message_content=content, redact="all", content_budget=1 << 25
    )
    server.reply(api.events if streamed else api.answer)
    answer = api.call(client(api), **({"stream": True} if streamed else {}))
    if streamed:
        list(answer)

    span = telemetry.span
    points = [point for points in telemetry.metrics.values() for point in points]
    for attributes in (span.attributes, *(point.attributes for point in points)):
        others = {name: value for name, value in attributes.items() if name not in CONTENT}
        assert [] == [text[:9] for text in texts([*others.values()]) if len(text.encode()) > KIB]
    assert KIB - 1 <= len(span.attributes["gen_ai.request.model"].encode()) <= KIB
    assert KIB <= len(span.name.encode()) <= KIB + 16
    assert {True} == {value.startswith("*é*é") for value in span.attributes["gen_ai.response.finish_reasons"]}
    if content:
        for name in (INPUT, OUTPUT, TOOLS):
            parsed = json.loads(span.attributes[name])
            assert [] == [text[:9] for text in names(parsed) if len(text.encode()) > KIB]
            assert parsed == json.loads(json.dumps(telemetry.events[0].attributes[name]))


def _messages(telemetry: Any) -> list[str]:
    (event,) = [event for event in telemetry.events if event.event_name == EXCEPTION]
    return [telemetry.span.status.description, event.attributes["exception.message"]]


@BY_API
@pytest.mark.parametrize("redacted", [None, "all"], ids=["as it is", "redacted"])
@pytest.mark.parametrize("unit", ["*a", f"{KEY[:6]}*", "eyJ", "a@", "\\u0041", "key=", "é"])
def test_a_message_of_an_error_is_cut_before_anything_looks_at_it(server, telemetry, client, *, api, unit, redacted):
    """A refusal that echoes 5 MB is recorded by its first 8,192 characters and its size, without keys."""
    api.instrumentor().instrument(**telemetry.providers, capture_message_content=True, redact=redacted)
    echo = f"You sent {KEY} and joe@example.com: " + unit * ((5 << 20) // len(unit.encode()))
    server.reply(Json(api.error(echo), 400))
    with pytest.raises(Exception, match="You sent"):
        api.call(client(api))

    for message in _messages(telemetry):
        assert "You sent [" in message[: MESSAGE // 2]
        assert KEY not in message
        assert ("joe@example.com" in message) == (redacted is None)
        assert MESSAGE // 2 < len(message) or unit.startswith("sk-")  # which is all one key
        assert len(message) <= MESSAGE + len(" [cut from 10000000 bytes]")
        assert int(message.rpartition("[cut from ")[2].removesuffix(" bytes]")) >= 5 << 20
    (event,) = [event for event in telemetry.events if event.event_name == EXCEPTION]
    assert len(event.attributes["exception.stacktrace"].encode()) <= 1 << 16
    assert KEY not in event.attributes["exception.stacktrace"]


@BY_API
def test_a_smaller_budget_cuts_a_message_and_says_how_long_it_was(server, telemetry, client, api):
    """In all: not what is left of it when it comes to the budget."""
    api.instrumentor().instrument(**telemetry.providers, capture_message_content=True, content_budget=300)
    server.reply(Json(api.error("word " * 100_000), 400))
    with pytest.raises(Exception, match="word"):
        api.call(client(api))

    for message in _messages(telemetry):
        assert len(message) <= 300
        assert int(message.rpartition("[cut from ")[2].removesuffix(" bytes]")) >= 500_000


@pytest.mark.parametrize("size", [MESSAGE - 20, MESSAGE, MESSAGE + 1, MESSAGE + 2000, 3 * MESSAGE])
def test_no_half_key_is_left_where_a_message_is_cut(size):
    """A key at the cut is found before, or is left out with what follows it."""
    for place in range(size - 40, size, 3):
        message = "w" * 10 + " " + "x " * (place // 2) + KEY + " end " * 4000
        cut = masked(message[:size] if size <= MESSAGE else message, KEY)
        assert KEY[:12] not in cut or KEY not in message[:size]


def test_a_key_behind_the_cut_takes_nothing_in_front_of_it():
    """What is recorded of a long message does not depend on a key further on."""
    words = "word " * 2_000
    assert masked(f"{words} sk-proj-hardCoded12345678 {words}").startswith(words[:8_192])


def test_a_message_that_is_not_too_long_is_as_it_was():
    """Up to 8,192 characters."""
    message = "é " * (MESSAGE // 2)
    assert (message, f"{message} [cut from 12289 bytes]") == (masked(message), masked(message + "x"))
