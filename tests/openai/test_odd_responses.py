"""Responses that are odd and yet arrive: of servers that speak the API with an accent, or of a future that we do not know.

The application gets what it gets without us, the call is no failure, and what is whole is recorded: one odd member
does not take the others with it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from loopback import Json, OtlpReceiver, Reply, Sse
from loopback.openai_bodies import CHAT, MODEL, SERVED, chunk, completion, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
INPUT_TOKENS, OUTPUT_TOKENS = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
REASONS = "gen_ai.response.finish_reasons"
TOKENS = {INPUT_TOKENS: 8, OUTPUT_TOKENS: 2}
NO_TOKENS = {INPUT_TOKENS: None, OUTPUT_TOKENS: None}
USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
RenderedContent = Mapping[str, Any]


def with_message(**message: Any) -> dict[str, Any]:
    """A completion with these members in its message."""
    return completion(choices=[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}])


def with_tool_calls(*calls: Any) -> dict[str, Any]:
    """A completion with a message that calls tools."""
    message = {"role": "assistant", "content": None, "tool_calls": list(calls)}
    return completion(choices=[{"index": 0, "finish_reason": "tool_calls", "message": message}])


# What the server answers, and what of it must be recorded; None for what must not.
COMPLETIONS: dict[str, tuple[Any, RenderedContent]] = {
    "choices null": (completion(choices=None), {REASONS: None, **TOKENS}),
    "choices empty": (completion(choices=[]), {REASONS: None, **TOKENS}),
    "no choices": ({"id": "chatcmpl-1", "model": SERVED, "usage": USAGE}, {REASONS: None, **TOKENS}),
    "choices no list": (completion(choices={"a": 1}), {REASONS: None, **TOKENS}),
    "a choice null": (completion(choices=[None]), {REASONS: ("error",), **TOKENS}),
    "a choice of text": (completion(choices=["x"]), {REASONS: ("error",), **TOKENS}),
    "no message": (completion(choices=[{"index": 0, "finish_reason": "stop"}]), {REASONS: ("stop",), **TOKENS}),
    "indexes of two types": (
        completion(choices=[{"index": "b", "finish_reason": "stop"}, {"index": 1, "finish_reason": "length"}]),
        {REASONS: ("stop", "length"), **TOKENS},
    ),
    "a reason that is no text": (
        completion(choices=[{"index": 0, "finish_reason": 5}]),
        {REASONS: ("error",), **TOKENS},
    ),
    "a reason of the future": (completion(choices=[{"finish_reason": "tired"}]), {REASONS: ("tired",), **TOKENS}),
    "content a number": (with_message(content=5), {REASONS: ("stop",), **TOKENS}),
    "content an object": (with_message(content={"a": 1}), {REASONS: ("stop",), **TOKENS}),
    "content a list": (with_message(content=[1, None, "x", {"type": ["a"]}, {"type": "future"}]), {REASONS: ("stop",)}),
    "reasoning an object": (with_message(reasoning_content={"a": 1}, reasoning=[1]), {REASONS: ("stop",), **TOKENS}),
    "members of other types": (
        with_message(refusal=5, audio=5, function_call=7, annotations={"a": 1}, tool_calls={"b": 2}),
        {REASONS: ("stop",), **TOKENS},
    ),
    "a tool call without a function": (with_tool_calls({"id": "1", "type": "function"}), {REASONS: ("tool_calls",)}),
    "tool calls of other types": (
        with_tool_calls(None, 5, {"function": "x"}, {"function": {"name": 5, "arguments": {"a": 1}}}),
        {REASONS: ("tool_calls",), **TOKENS},
    ),
    "usage null": (completion(usage=None), {REASONS: ("stop",), **NO_TOKENS}),
    "usage of text": (completion(usage="much"), {REASONS: ("stop",), **NO_TOKENS}),
    "counts as text": (completion(usage={"prompt_tokens": "8", "completion_tokens": True}), NO_TOKENS),
    "counts too large": (completion(usage={"prompt_tokens": 2**70, "completion_tokens": 2}), {INPUT_TOKENS: None}),
    "counts not whole": (completion(usage={"prompt_tokens": 8.0, "completion_tokens": 2.5}), {OUTPUT_TOKENS: None}),
    "counts that are none": (
        completion(usage={"prompt_tokens": float("nan"), "completion_tokens": float("inf")}),
        {REASONS: ("stop",), **NO_TOKENS},
    ),
    "counts below zero": (
        completion(usage={"prompt_tokens": -1, "completion_tokens": 2}),
        {INPUT_TOKENS: None, OUTPUT_TOKENS: 2},
    ),
    "zero counts": (
        completion(usage={"prompt_tokens": 0, "completion_tokens": 0}),
        {INPUT_TOKENS: 0, OUTPUT_TOKENS: 0},
    ),
    "details null": (
        completion(usage={**USAGE, "prompt_tokens_details": None, "completion_tokens_details": 5}),
        TOKENS,
    ),
    "identity of other types": (
        completion(id=5, model={"a": 1}, system_fingerprint=["x"], service_tier=7),
        {"gen_ai.response.id": None, "gen_ai.response.model": None, "openai.response.service_tier": None, **TOKENS},
    ),
    "lone surrogates": (with_message(content="\ud800 x"), {REASONS: ("stop",), **TOKENS}),
    "lone surrogates in names": (
        completion(model="gpt-\ud800", id="\udfff"),
        {"gen_ai.response.model": "gpt-?", **TOKENS},
    ),
    "members of the future": (completion(verdict={"a": [1]}, embedding="x"), {REASONS: ("stop",), **TOKENS}),
    "a list": ([1, 2], NO_TOKENS),
    "null": (None, NO_TOKENS),
    "a text": ("hello", NO_TOKENS),
    "a number": (5, NO_TOKENS),
    "an empty object": ({}, {REASONS: None, **NO_TOKENS}),
}
END = chunk(reason="stop", usage=USAGE)
AFTER = {REASONS: ("stop",), **TOKENS}


def with_delta(**delta: Any) -> list[Any]:
    """A stream with one odd delta and a regular end."""
    return [chunk(delta), END]


def with_tool_call(*pieces: Any) -> list[Any]:
    """A stream with pieces of tool calls."""
    return [*(chunk({"tool_calls": [piece]}) for piece in pieces), END]


# What the server streams, and what of it must be recorded.
STREAMS: dict[str, tuple[list[Any], RenderedContent]] = {
    "a chunk null": (["null", END], AFTER),
    "a chunk of text": (['"x"', END], AFTER),
    "a chunk a number": (["5", END], AFTER),
    "a chunk a list": (["[1]", END], AFTER),
    "an empty chunk": (["{}", END], AFTER),
    "choices null": ([chunk(choices=None), END], AFTER),
    "a choice null": ([chunk(choices=[None]), END], AFTER),
    "choices a number": ([chunk(choices=5), END], AFTER),
    "a choice of text": ([chunk(choices=["x"]), END], AFTER),
    "indexes of two types": ([chunk(choices=[{"index": "b", "delta": {}}]), END], TOKENS),
    "an index that is a list": ([chunk(choices=[{"index": [1], "delta": {}}]), END], TOKENS),
    "no index": ([chunk(choices=[{"delta": {"content": "x"}}]), END], AFTER),
    "delta null": ([chunk(choices=[{"index": 0, "delta": None}]), END], AFTER),
    "delta of text": ([chunk("x"), END], AFTER),
    "content an object": ([*with_delta(content={"a": 1}), chunk({"content": ["x"]})], AFTER),
    "tool calls null": (with_tool_call(None, 5, "x"), AFTER),
    "a tool call without a function": (with_tool_call({"index": 0, "id": "1"}), AFTER),
    "a tool's name a number": (with_tool_call({"index": 0, "function": {"name": 5}}), AFTER),
    "arguments an object": (with_tool_call({"index": 0, "function": {"name": "f", "arguments": {"a": 1}}}), AFTER),
    "tool calls with indexes of two types": (
        with_tool_call({"index": 0, "function": {"name": "f"}}, {"index": "a", "function": {"name": "g"}}),
        AFTER,
    ),
    "audio of other types": ([*with_delta(audio=5), chunk({"audio": {"data": 5, "transcript": 7}})], AFTER),
    "a function call of other types": (with_delta(function_call={"name": 5, "arguments": 6}), AFTER),
    "usage of text": ([chunk(usage="x"), END], AFTER),
    "a reason that is no text": ([chunk(reason=5), END], AFTER),
    "halves of a surrogate pair": ([chunk({"content": "\ud83d"}), chunk({"content": "\ude00"}), END], AFTER),
    "no choice at all": ([chunk(choices=[], usage=USAGE)], {REASONS: None, **TOKENS}),
}
RESPONSES: dict[str, tuple[Any, RenderedContent]] = {
    "output null": (response(output=None), {REASONS: ("stop",), **TOKENS}),
    "items of other types": (response(output=[None, 5, "x", {}, {"type": None}]), {REASONS: ("stop",), **TOKENS}),
    "types that are no text": (response(output=[{"type": ["a"]}, {"type": {"b": 1}}]), {REASONS: ("stop",), **TOKENS}),
    "a call id that is a list": (
        response(output=[{"type": "function_call", "call_id": ["x"], "name": {"a": 1}, "arguments": 5}]),
        {REASONS: ("tool_calls",), **TOKENS},
    ),
    "an item of the future": (response(output=[{"type": "telepathy_call", "x": [{"y": 2**80}]}]), {REASONS: ("stop",)}),
    "a status that is no text": (response(status={"a": 1}), TOKENS),
    "a status of the future": (response(status="dreaming"), {"gen_ai.response.status": "dreaming", **TOKENS}),
    "incomplete without details": (response(status="incomplete"), {REASONS: ("error",), **TOKENS}),
    "incomplete with odd details": (
        response(status="incomplete", incomplete_details={"reason": ["x"]}),
        {REASONS: ("error",), **TOKENS},
    ),
    "server tools of other types": (
        response(
            output=[
                {"type": "web_search_call", "action": [1], "id": 5},
                {"type": "file_search_call", "queries": 5, "results": "x"},
                {"type": "image_generation_call", "result": 5},
                {"type": "reasoning", "summary": 5, "content": ["x"]},
                {"type": "message", "content": 5},
                {"type": "function_call_output", "output": [[1]]},
            ]
        ),
        {REASONS: ("stop",), **TOKENS},
    ),
    "instructions a number": (response(instructions=5, tools="x", conversation=7), {REASONS: ("stop",), **TOKENS}),
    "usage of text": (response(usage="x"), {REASONS: ("stop",), **NO_TOKENS}),
}
ADDED = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg_1"}}
COMPLETED = {"type": "response.completed", "response": response()}
WHOLE = {REASONS: ("stop",), **TOKENS}


def delta(**members: Any) -> dict[str, Any]:
    """A piece of text of an item."""
    return {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x", **members}


EVENTS: dict[str, tuple[list[Any], RenderedContent]] = {
    "events of the future": ([{"type": "response.dream.delta", "x": 1}, {"type": "dream"}, COMPLETED], WHOLE),
    "an event without a type": (["{}", COMPLETED], WHOLE),
    "events that are no objects": (["null", "5", '"x"', COMPLETED], WHOLE),
    "a delta that is an object": ([ADDED, delta(delta={"a": 1}), COMPLETED], WHOLE),
    "a delta that is an object, and no end": ([ADDED, delta(delta={"a": 1})], NO_TOKENS),
    "indexes of two types": ([ADDED, {**ADDED, "output_index": "a"}, COMPLETED], WHOLE),
    "indexes of two types, and no end": ([ADDED, {**ADDED, "output_index": "a"}], NO_TOKENS),
    "an index that is a list": ([{**ADDED, "output_index": [1]}, COMPLETED], WHOLE),
    "parts with indexes of two types": ([ADDED, delta(), delta(content_index="a")], NO_TOKENS),
    "an item null": ([{**ADDED, "item": None}, COMPLETED], WHOLE),
    "a response of text": ([{"type": "response.created", "response": "x"}, COMPLETED], WHOLE),
    "a response of text at the end": ([{"type": "response.completed", "response": "x"}], NO_TOKENS),
}


@pytest.fixture(params=["no_content", "span_and_event", "event_only"])
def instrumented(request, telemetry) -> None:
    """Content captured or not: what puts messages together must be as patient as what reads attributes."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=request.param)


def rows(table: Mapping[str, tuple[Any, RenderedContent]]) -> Any:
    """The rows of a table as parameters."""
    return pytest.mark.parametrize("row", table.values(), ids=table)


def responses_of(client: Any) -> Any:
    """The Responses API, of SDKs that have it."""
    if not hasattr(client, "responses"):
        pytest.skip("this SDK has no responses")
    return client.responses


def compare(make_client: Callable[[], Any], server, reply: Reply, call: Callable[[Any], Any]) -> None:
    """The same call, not followed and followed, has the same result."""
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    client = make_client()
    server.reply(reply, reply)
    with suppress_instrumentation():
        bare = outcome(call, client)
    assert bare == outcome(call, client)


def outcome(call: Callable[[Any], Any], client: Any) -> Any:
    """What a call returns or raises."""
    try:
        result = call(client)
    except Exception as error:
        return type(error), str(error)
    return type(result), repr(result)


def assert_recorded(telemetry, expected: RenderedContent) -> None:
    """One span that went well has these attributes, and metrics count these tokens."""
    span = telemetry.span
    assert expected == {name: span.attributes.get(name) for name in expected}
    assert "UNSET" == span.status.status_code.name
    assert 1 == telemetry.metrics["gen_ai.client.operation.duration"][0].count
    counted = {
        point.attributes["gen_ai.token.type"]: point.sum
        for point in telemetry.metrics.get("gen_ai.client.token.usage", ())
    }
    expected = {"input": span.attributes.get(INPUT_TOKENS), "output": span.attributes.get(OUTPUT_TOKENS)}
    assert {kind: count for kind, count in expected.items() if count is not None} == counted


@pytest.mark.usefixtures("instrumented")
@rows(COMPLETIONS)
def test_odd_completions(server, telemetry, openai_client, row):
    """A plain chat completion."""
    compare(openai_client, server, Json(row[0]), lambda client: client.chat.completions.create(**CHAT))

    assert_recorded(telemetry, row[1])


@pytest.mark.usefixtures("instrumented")
@rows(STREAMS)
def test_odd_streams(server, telemetry, openai_client, row):
    """A streamed chat completion."""
    compare(
        openai_client, server, Sse(row[0]), lambda client: list(client.chat.completions.create(**CHAT, stream=True))
    )

    assert_recorded(telemetry, row[1])


@pytest.mark.usefixtures("instrumented")
@rows(RESPONSES)
def test_odd_responses(server, telemetry, openai_client, row):
    """A plain response of the Responses API."""
    responses_of(openai_client())
    compare(openai_client, server, Json(row[0]), lambda client: client.responses.create(model=MODEL, input="Hi"))

    assert_recorded(telemetry, row[1])


@pytest.mark.usefixtures("instrumented")
@rows(EVENTS)
def test_odd_events(server, telemetry, openai_client, row):
    """A streamed response of the Responses API."""
    responses_of(openai_client())
    compare(
        openai_client,
        server,
        Sse(row[0]),
        lambda client: list(client.responses.create(model=MODEL, input="Hi", stream=True)),
    )

    assert_recorded(telemetry, row[1])


# Path and body: what an application may send by hand, and what a server may well accept.
REQUESTS: dict[str, tuple[str, Any]] = {
    "messages a number": ("/chat/completions", {"messages": 5}),
    "messages of other types": (
        "/chat/completions",
        {"messages": [5, None, "x", {"role": ["a"], "content": {"b": 1}}]},
    ),
    "tools of other types": (
        "/chat/completions",
        {"messages": [], "tools": [5, None, {"type": ["x"]}, {"function": 5}]},
    ),
    "model a number": ("/chat/completions", {"model": 5, "messages": []}),
    "settings of other types": (
        "/chat/completions",
        {
            "temperature": "x",
            "stop": [5],
            "n": "2",
            "max_tokens": 2**70,
            "seed": 1.5,
            "modalities": 5,
            "response_format": "x",
        },
    ),
    "an empty body": ("/chat/completions", {}),
    "no body": ("/chat/completions", None),
    "a list": ("/chat/completions", [1]),
    "a text": ("/chat/completions", "x"),
    "prompts null": ("/completions", {"prompt": [None]}),
    "prompts of numbers": ("/completions", {"prompt": [1.5]}),
    "prompt a number": ("/completions", {"prompt": 5}),
    "prompts of objects": ("/completions", {"prompt": [{"a": 1}]}),
    "prompts mixed": ("/completions", {"prompt": ["a", 5, [1, 2], None]}),
    "items of other types": ("/responses", {"input": [5, None, ["x"]]}),
    "item types that are no text": ("/responses", {"input": [{"type": ["x"]}, {"type": {"a": 1}, "role": 5}]}),
    "responses settings of other types": (
        "/responses",
        {"input": 5, "reasoning": "x", "text": 5, "conversation": 5, "prompt": "x", "instructions": [5], "tools": [5]},
    ),
    "embedding settings of other types": ("/embeddings", {"input": {"a": 1}, "dimensions": "x", "encoding_format": 5}),
}


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_odd_requests(server, telemetry, openai_client, sent):
    """What is sent by hand is sent as it is, and the call is recorded with what is whole of it."""
    path, body = sent
    compare(openai_client, server, Json({"id": "x"}), lambda client: client.post(path, body=body, cast_to=object))

    bare, followed = server.requests
    assert bare.body == followed.body
    assert "UNSET" == telemetry.span.status.status_code.name


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


def arguments(text: str) -> dict[str, Any]:
    """A tool call with these arguments."""
    return with_tool_calls({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": text}})


# Content that JSON can carry, and OTLP or a backend only if it is made fit for it.
HARD = {
    "a lone surrogate": with_message(content="\ud800 and the rest"),
    "a surrogate in a tool's name": with_tool_calls(
        {"id": "\udfff", "function": {"name": "\ud800", "arguments": "{}"}}
    ),
    "a surrogate in arguments": arguments('{"a": "\\ud800"}'),
    "a number beyond 64 bits": arguments('{"a": 123456789012345678901234567890}'),
    "numbers beyond 64 bits that are no text": with_tool_calls(
        {"id": 2**70, "function": {"name": "f", "arguments": {"a": 2**70}}}
    ),
    "a refusal beyond 64 bits": with_message(refusal={"a": 2**70}),
    "no number": arguments('{"a": NaN, "b": Infinity}'),
    "null in arguments": arguments('{"a": null, "b": {"c": null}}'),
    "arguments that are no JSON": arguments('{"a": '),
    "deep": arguments(json.dumps(nested(60))),
    "deep objects": arguments('{"a":' * 40 + "1" + "}" * 40),
    "deeper": arguments(json.dumps(nested(150))),
    "still deeper": arguments(json.dumps(nested(900))),
    "too deep": arguments("[" * 100_000),
    "a part of the future": with_message(content=[{"type": "smell", "notes": nested(150), "strength": 2**80}]),
}


class Exported(NamedTuple):
    """What was exported under a capture mode, and what was logged about it."""

    mode: str
    receiver: OtlpReceiver
    log: pytest.LogCaptureFixture

    @property
    def complaints(self) -> list[str]:
        """What OpenTelemetry or we had to say."""
        return [record.getMessage()[:200] for record in self.log.records]

    def values(self, attribute: str) -> list[Any]:
        """The values of an attribute of content wherever the mode puts it, read from JSON where it is JSON."""
        (span,) = self.receiver.spans
        value = span["attributes"].get(attribute)
        assert (value is not None) == ("span" in self.mode)
        on_span = [] if value is None else [json.loads(value, parse_constant=pytest.fail)]
        in_event = [log["attributes"][attribute] for log in self.receiver.logs]
        assert len(in_event) == ("event" in self.mode)
        return on_span + in_event


@pytest.fixture(params=["span_only", "event_only", "span_and_event"])
def exported(request, telemetry, receiver, caplog) -> Iterator[Exported]:
    """Instrumented, with spans and events going over OTLP, each at once."""
    spans = OTLPSpanExporter(f"{receiver.http_url}/v1/traces")
    logs = OTLPLogExporter(f"{receiver.http_url}/v1/logs")
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    telemetry.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=request.param)
    with caplog.at_level(logging.WARNING, logger="opentelemetry"):
        yield Exported(request.param, receiver, caplog)


@pytest.mark.parametrize("body", HARD.values(), ids=HARD)
def test_content_arrives_whatever_it_is(server, exported, openai_client, body):
    """Fit for OTLP: valid JSON on the span, structured values in the event, and no exporter complains."""
    server.reply(Json(body))

    openai_client().chat.completions.create(**CHAT)

    assert [] == exported.complaints
    for messages in exported.values(OUTPUT):
        (message,) = messages
        assert "assistant" == message["role"]
        assert 1 == len(message["parts"])
        assert message["parts"][0]["type"]


def test_values_of_several_types_in_one_list(server, exported, openai_client, telemetry):
    """They arrive where OpenTelemetry's SDK can carry them in an event; older ones cannot."""
    telemetry.logger_provider.get_logger("probe").emit(_record(telemetry, {"probe": [{"a": [1, "b"]}]}))
    if exported.complaints:
        pytest.skip("this OpenTelemetry SDK takes no lists of several types")
    exported.receiver.reset()
    server.reply(Json(arguments('{"a": [1, "b", 2.5, true, null, {"c": []}]}')))

    openai_client().chat.completions.create(**CHAT)

    for messages in exported.values(OUTPUT):
        assert [1, "b", 2.5, True, None, {"c": []}] == messages[0]["parts"][0]["arguments"]["a"]


def _record(telemetry, attributes: dict[str, Any]) -> Any:
    """A log record of the class that this SDK takes."""
    from opentelemetry.sdk import _logs as sdk

    own = getattr(sdk, "LogRecord", None)
    if own is not None:
        return own(attributes=attributes, resource=telemetry.logger_provider.resource)
    return LogRecord(attributes=attributes)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "x", "name": 2**70},
        {"role": 2**70, "content": "x"},
        {"role": "tool", "tool_call_id": 2**70, "content": "x"},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": nested(150)}}]},
        {"role": "user", "content": [{"type": "text", "text": "x", "annotations": [nested(150)]}]},
        {"role": "user", "content": [{"type": "smell", "notes": nested(150)}]},
    ],
    ids=lambda message: json.dumps(message)[:50],
)
def test_input_arrives_whatever_it_is(server, exported, openai_client, message):
    """The same for what was sent."""
    server.reply(Json(completion()))

    openai_client().post("/chat/completions", body={"model": MODEL, "messages": [message]}, cast_to=object)

    assert [] == exported.complaints
    assert all(len(messages) == 1 for messages in exported.values(INPUT))
