"""Responses that are odd and yet arrive: of servers that speak the API with an accent, or of a future that we do not know.

The application gets what it gets without us, the call is no failure, and what is whole is recorded: one odd member
does not take the others with it. Streams of that kind are in `tests/stream`.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import anthropic
import pytest
from anthropic._base_client import BaseClient

from contract.drive import SYNC, Loop, Way, settled
from loopback import Json
from loopback.anthropic_bodies import MESSAGES, MODEL, SERVED, USAGE, message, text
from loopback.schemas import complaints
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

OUTPUT = "gen_ai.output.messages"
INPUT_TOKENS, OUTPUT_TOKENS = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
READ, WRITTEN = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"
REASONS, STOP = "gen_ai.response.finish_reasons", "anthropic.message.stop_reason"
TOKENS = {INPUT_TOKENS: 8, OUTPUT_TOKENS: 3}
NO_TOKENS = {INPUT_TOKENS: None, OUTPUT_TOKENS: None}
STOPPED = {REASONS: ("stop",), STOP: "end_turn"}
HELLO = text("Hello")


def used(**usage: Any) -> dict[str, Any]:
    """A message with these members of its usage over the ordinary ones."""
    return message(HELLO, usage={**USAGE, **usage})


# What the server answers, and what of it must be recorded; None for what must not.
MESSAGES_OF_ALL_KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "content null": (message(content=None), {REASONS: ("stop",), **TOKENS}),
    "content empty": (message(), {**STOPPED, **TOKENS}),
    "no content": ({"id": "msg_1", "model": SERVED, "stop_reason": "end_turn", "usage": USAGE}, {**STOPPED, **TOKENS}),
    "content a text": (message(content="Hello"), {**STOPPED, **TOKENS}),
    "content an object": (message(content={"a": 1}), {**STOPPED, **TOKENS}),
    "blocks of other types": (message(None, 5, "x", [1], {"a": 1}), {**STOPPED, **TOKENS}),
    "a block of the future": (message({"type": "hologram", "beam": [1]}, HELLO), {**STOPPED, **TOKENS}),
    "a block whose type is none": (message({"type": ["text"], "text": "x"}), {**STOPPED, **TOKENS}),
    "text null": (message(text(None)), {**STOPPED, **TOKENS}),
    "text a number": (message(text(5)), {**STOPPED, **TOKENS}),
    "citations of other types": (message(text("x", citations=[None, 5, {"type": "new"}])), {**STOPPED, **TOKENS}),
    "a tool without anything": (message({"type": "tool_use"}), {**STOPPED, **TOKENS}),
    "a tool of other types": (
        message({"type": "tool_use", "id": 5, "name": ["x"], "input": "text"}, stop_reason="tool_use"),
        {REASONS: ("tool_call",), STOP: "tool_use", **TOKENS},
    ),
    "thinking null": (message({"type": "thinking", "thinking": None, "signature": None}), {**STOPPED, **TOKENS}),
    "a server's tool without anything": (
        message({"type": "server_tool_use"}, {"type": "web_search_tool_result"}),
        {**STOPPED, **TOKENS},
    ),
    "reason null": (message(HELLO, stop_reason=None), {REASONS: ("error",), STOP: None, **TOKENS}),
    "reason of another type": (message(HELLO, stop_reason=5), {REASONS: ("error",), STOP: None, **TOKENS}),
    "a reason of the future": (message(HELLO, stop_reason="tired"), {REASONS: ("tired",), STOP: "tired", **TOKENS}),
    "usage null": (message(HELLO, usage=None), {**STOPPED, **NO_TOKENS}),
    "no usage": ({"id": "msg_1", "content": [HELLO], "stop_reason": "end_turn"}, {**STOPPED, **NO_TOKENS}),
    "usage of text": (message(HELLO, usage="much"), {**STOPPED, **NO_TOKENS}),
    "counts as text": (used(input_tokens="8", output_tokens=True), NO_TOKENS),
    "counts too large": (used(input_tokens=2**70), {INPUT_TOKENS: None, OUTPUT_TOKENS: 3}),
    "a sum too large": (used(input_tokens=2**63 - 1, cache_read_input_tokens=5), {INPUT_TOKENS: None, READ: 5}),
    "counts below zero": (used(input_tokens=-1), {INPUT_TOKENS: None, OUTPUT_TOKENS: 3}),
    "a cache below zero": (used(cache_read_input_tokens=-5), {INPUT_TOKENS: 8, READ: None}),
    "zero counts": (used(input_tokens=0, output_tokens=0), {INPUT_TOKENS: 0, OUTPUT_TOKENS: 0}),
    "counts not whole": (used(input_tokens=8.0, output_tokens=2.5), {OUTPUT_TOKENS: None}),
    "counts that are none": (used(input_tokens=float("nan"), output_tokens=float("inf")), NO_TOKENS),
    "only a cache": (
        used(input_tokens=0, cache_read_input_tokens=5, cache_creation_input_tokens=2),
        {INPUT_TOKENS: 7, READ: 5, WRITTEN: 2},
    ),
    "caches null": (used(cache_read_input_tokens=None, cache_creation=None), {**TOKENS, READ: None, WRITTEN: None}),
    "caches of other types": (used(cache_read_input_tokens="five", cache_creation=[1]), {**TOKENS, READ: None}),
    "details of other types": (
        used(output_tokens_details=5, server_tool_use="x", iterations={"a": 1}, service_tier=7),
        {**TOKENS, "anthropic.response.service_tier": None},
    ),
    "iterations of other types": (used(iterations=[None, 5, {"type": "compaction"}, {"type": "new"}]), TOKENS),
    "identity of other types": (
        message(HELLO, id=5, model={"a": 1}, role=None, stop_sequence=5),
        {"gen_ai.response.id": None, "gen_ai.response.model": None, **TOKENS},
    ),
    "lone surrogates": (message(text("\ud800 x"), model="claude-\ud800"), {"gen_ai.response.model": "claude-?"}),
    "members of the future": (message(HELLO, verdict={"a": [1]}), {**STOPPED, **TOKENS}),
    "an error that came with a status of success": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "No"}},
        {REASONS: None, "error.type": "overloaded_error", **NO_TOKENS},
    ),
    "a list": ([1, 2], NO_TOKENS),
    "null": (None, NO_TOKENS),
    "a text": ("hello", NO_TOKENS),
    "a number": (5, NO_TOKENS),
    "an empty object": ({}, {REASONS: None, **NO_TOKENS}),
}
LOOP = Loop()
WAYS = (SYNC, Way("async", LOOP))
QUIET = {"open_telemetry": False} if isinstance(vars(BaseClient).get("_tracer"), property) else {}


async def plain(client: Any) -> Any:
    """`create(...)`."""
    return await settled(client.messages.create(**MESSAGES))


async def raw(client: Any) -> Any:
    """`with_raw_response`: content is recorded from the bytes of its body."""
    return (await settled(client.messages.with_raw_response.create(**MESSAGES))).http_response.content


async def beta(client: Any) -> Any:
    """`beta.messages.create(...)`, which has other types."""
    return await settled(client.beta.messages.create(**MESSAGES))


def outcome(way: Any, call: Any, client: Any) -> tuple[str, str]:
    """What the application gets, or what is raised."""
    try:
        result = way.run(call(client))
    except Exception as error:
        return type(error).__name__, str(error)
    return type(result).__name__, repr(result)


@pytest.fixture(scope="module", autouse=True)
def loop():
    """The loop of all asynchronous calls ends with the last."""
    yield
    LOOP.close()


@pytest.fixture(scope="module")
def made(model_server):
    """A client for each way, which the tests share."""
    http = {
        "sync": anthropic.DefaultHttpxClient(verify=False),
        "async": anthropic.DefaultAsyncHttpxClient(verify=False),
    }
    kinds = {"sync": anthropic.Anthropic, "async": anthropic.AsyncAnthropic}
    known = {"base_url": model_server.url, "api_key": "none", "max_retries": 0, **QUIET}
    clients = {name: kind(http_client=http[name], **known) for name, kind in kinds.items()}
    yield clients
    for way in WAYS:
        way.run(_closed(clients[way.name]))


async def _closed(client: Any) -> None:
    await settled(client.close())


@pytest.mark.parametrize("mode", ["no_content", "span_and_event"])
@pytest.mark.parametrize("call", [plain, raw, beta], ids=lambda call: call.__name__)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("kind", MESSAGES_OF_ALL_KINDS)
def test_an_odd_response(server, telemetry, made, caplog, without_start_line, *, way, call, mode, kind):
    """It arrives as it is, and what is whole of it is recorded; content, if there is some, is valid."""
    caplog.set_level(logging.INFO, "opentelemetry_instrumentation_genai")
    body, expected = MESSAGES_OF_ALL_KINDS[kind]
    server.reply(Json(body), Json(body))
    bare = outcome(way, call, made[way.name])
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    found = outcome(way, call, made[way.name])

    assert bare == found
    attributes = telemetry.span.attributes
    assert expected == {name: attributes.get(name) for name in expected}
    status = "ERROR" if "error.type" in expected else "UNSET"
    assert (status, f"chat {MODEL}") == (telemetry.span.status.status_code.name, telemetry.span.name)
    assert [] == [record.getMessage() for record in caplog.records]
    if OUTPUT in attributes:
        assert [] == complaints(OUTPUT, json.loads(attributes[OUTPUT]))


@pytest.mark.parametrize("kind", ["a block of the future", "blocks of other types", "content a text"])
def test_all_of_an_odd_message_is_recorded(server, telemetry, made, kind):
    """No block is lost because nobody knows it."""
    body, _ = MESSAGES_OF_ALL_KINDS[kind]
    server.reply(Json(body))
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    SYNC.run(raw(made["sync"]))

    [recorded] = json.loads(telemetry.span.attributes[OUTPUT])
    count = 1 if isinstance(body["content"], str) else len(body["content"])
    assert count == len(recorded["parts"])
