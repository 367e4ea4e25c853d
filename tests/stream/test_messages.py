"""What streams of Anthropic's messages have of their own: kinds of errors, pings, input of tools in pieces, helpers, Bedrock."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
from importlib.util import find_spec

import anthropic
import pydantic
import pytest
from inline_snapshot import snapshot

from endings import MESSAGES, Api, Ended, Seen, Twice, described, recorded_whole
from loopback import ModelServer, Sse, Telemetry
from loopback.anthropic_bodies import (
    PING,
    bedrock_exception,
    block_events,
    closed,
    ended,
    error,
    events,
    on_bedrock,
    opened,
    piece,
    started,
)
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

OUTPUT, REASONS = "gen_ai.output.messages", "gen_ai.response.finish_reasons"
INPUT_TOKENS, OUTPUT_TOKENS = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather"}


@pytest.fixture
def api() -> Api:
    """Messages."""
    return MESSAGES


def sse(*parts, **settings) -> Sse:
    """A stream of these events, and lists of them."""
    return Sse(events(*parts), event_names=True, **settings)


def named(reading) -> str:
    """A parameter's name."""
    return reading.__name__


def parts(telemetry: Telemetry):
    """The parts of the one output message."""
    [message] = json.loads(telemetry.span.attributes[OUTPUT])
    return message["parts"]


# Readings. Each takes a client and a `Seen`.


def loops(client, seen):
    """Reads as long as there is something."""
    for item in MESSAGES.create(client):
        seen.note(item)


async def loops_async(client, seen):
    """The same, asynchronous."""
    async for item in await MESSAGES.create(client):
        seen.note(item)


def reads_lines(client, seen):
    """Never has the SDK make events."""
    with client.messages.with_streaming_response.create(**MESSAGES.body, stream=True) as raw:
        for line in raw.iter_lines():
            seen.note(line)


async def reads_lines_async(client, seen):
    """The same, asynchronous."""
    async with client.messages.with_streaming_response.create(**MESSAGES.body, stream=True) as raw:
        async for line in raw.iter_lines():
            seen.note(line)


LOOPS = pytest.mark.parametrize("reading", [loops, loops_async], ids=named)
LINES = pytest.mark.parametrize("reading", [reads_lines, reads_lines_async], ids=named)
EITHER = pytest.mark.parametrize("reading", [loops, loops_async, reads_lines, reads_lines_async], ids=named)


def test_all_that_is_recorded(twice: Twice, telemetry: Telemetry):
    """All signals of a whole stream."""
    twice(MESSAGES.reply(), loops)

    assert recorded_whole(telemetry) == snapshot(
        {
            "spans": [
                {
                    "name": "chat claude-test",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "anthropic.message.stop_reason": "end_turn",
                        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                        "gen_ai.operation.name": "chat",
                        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"onetwothree"}],"finish_reason":"stop"}]',
                        "gen_ai.provider.name": "anthropic",
                        "gen_ai.request.max_tokens": 64,
                        "gen_ai.request.model": "claude-test",
                        "gen_ai.request.stream": True,
                        "gen_ai.response.finish_reasons": ["stop"],
                        "gen_ai.response.id": "msg_1",
                        "gen_ai.response.model": "claude-test-20990101",
                        "gen_ai.response.time_to_first_chunk": "<seconds>",
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.usage.output_tokens": 3,
                        "http.response.status_code": 200,
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                }
            ],
            "points": {
                "gen_ai.client.operation.duration": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.operation.time_per_output_chunk": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 7,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.operation.time_to_first_chunk": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.token.usage": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "gen_ai.token.type": "input",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 1,
                        "sum": 8,
                    },
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "gen_ai.token.type": "output",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 1,
                        "sum": 3,
                    },
                ],
            },
            "events": [],
        }
    )


def test_all_that_is_recorded_of_a_failure(twice: Twice, telemetry: Telemetry):
    """All signals of a stream in which the provider reported an error."""
    twice(MESSAGES.failing(4), loops)

    assert recorded_whole(telemetry) == snapshot(
        {
            "spans": [
                {
                    "name": "chat claude-test",
                    "kind": "CLIENT",
                    "status": {
                        "code": "ERROR",
                        "description": "{'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Too much at once'}, 'request_id': 'req_1'}",
                    },
                    "attributes": {
                        "error.type": "overloaded_error",
                        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                        "gen_ai.operation.name": "chat",
                        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"onetwo"}],"finish_reason":"error"}]',
                        "gen_ai.provider.name": "anthropic",
                        "gen_ai.request.max_tokens": 64,
                        "gen_ai.request.model": "claude-test",
                        "gen_ai.request.stream": True,
                        "gen_ai.response.finish_reasons": ["error"],
                        "gen_ai.response.id": "msg_1",
                        "gen_ai.response.model": "claude-test-20990101",
                        "gen_ai.response.time_to_first_chunk": "<seconds>",
                        "gen_ai.usage.input_tokens": 8,
                        "http.response.status_code": 200,
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                }
            ],
            "points": {
                "gen_ai.client.operation.duration": [
                    {
                        "attributes": {
                            "error.type": "overloaded_error",
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.operation.time_per_output_chunk": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 3,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.operation.time_to_first_chunk": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
                "gen_ai.client.token.usage": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-test",
                            "gen_ai.response.model": "claude-test-20990101",
                            "gen_ai.token.type": "input",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat claude-test"],
                        "count": 1,
                        "sum": 8,
                    }
                ],
            },
            "events": [
                {
                    "event_name": "gen_ai.client.operation.exception",
                    "severity_number": 13,
                    "body": None,
                    "attributes": {
                        "exception.message": "APIStatusError 200",
                        "exception.stacktrace": "<stacktrace>",
                        "exception.type": "anthropic.APIStatusError",
                    },
                    "span": "chat claude-test",
                    "timestamp": True,
                }
            ],
        }
    )


# What the event of an error may hold, and the `error.type` of that: parsed by the SDK, and read as lines.
RAISED = "anthropic.APIStatusError"
ERRORS = {
    "overloaded": (error("No", "overloaded_error"), "overloaded_error", "overloaded_error"),
    "rate limit": (error("No", "rate_limit_error"), "rate_limit_error", "rate_limit_error"),
    "api": (error("No", "api_error"), "api_error", "api_error"),
    "of the future": (error("No", "tired_error"), "tired_error", "tired_error"),
    "a sentence for a type": (error("No", "a sentence"), RAISED, "error"),
    "no type": ({"type": "error", "error": {"message": "No"}}, RAISED, "error"),
    "a text": ({"type": "error", "error": "No"}, RAISED, "error"),
    "no JSON": (b"event: error\ndata: oops\n\n", RAISED, None),
}


@LOOPS
@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_that_is_raised(twice: Twice, telemetry: Telemetry, reading, kind):
    """`error.type` is the provider's, if it is a word; what was received before is kept."""
    event, code, _ = ERRORS[kind]

    seen = twice(sse(MESSAGES.events[:4], event), reading)

    assert RAISED == seen.raised[0]
    assert MESSAGES.partly(status="ERROR", error=code) == Ended.of(telemetry)


@LINES
@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_that_is_read_as_lines(twice: Twice, telemetry: Telemetry, reading, kind):
    """Nobody raises it, and the call failed all the same; what is no JSON is nobody's."""
    event, _, code = ERRORS[kind]

    seen = twice(sse(MESSAGES.events[:4], event), reading)

    assert None is seen.raised
    attributes = telemetry.span.attributes
    assert (code, ("error",)) == (attributes.get("error.type"), attributes[REASONS])


@EITHER
@pytest.mark.parametrize("place", [0, 1, 5, 8])
def test_pings(twice: Twice, telemetry: Telemetry, reading, place):
    """They only keep the connection alive: they are no chunks of the answer, whoever reads them."""
    twice(sse(MESSAGES.events[:place], PING, MESSAGES.events[place:]), reading)

    assert MESSAGES.whole() == Ended.of(telemetry)


@EITHER
def test_nothing_but_pings(twice: Twice, telemetry: Telemetry, reading):
    """A stream that never began has neither a first chunk nor a reason for its end."""
    twice(sse(PING, PING), reading)

    assert Ended() == Ended.of(telemetry)


TOOL_INPUTS = {
    "in pieces": (["", '{"city": ', '"Oslo"}'], {"city": "Oslo"}),
    "at once": (['{"city": "Oslo"}'], {"city": "Oslo"}),
    "in the middle of a letter's escape": (['{"city": "\\u00', 'e9"}'], {"city": "é"}),
    "nothing": ([], {}),
    "empty": ([""], {}),
    "null": (["null"], None),
    "a list": (["[1", "]"], [1]),
    "broken": (['{"city": ', '"Os'], '{"city": "Os'),
    "no JSON": (["rain?"], "rain?"),
    "a number too long": (["1" * 5000], "1" * 5000),
    "too deep": (["[" * 3000], "[" * 3000),
}


@EITHER
@pytest.mark.parametrize("given", TOOL_INPUTS)
def test_the_input_of_a_tool(twice: Twice, telemetry: Telemetry, reading, given):
    """Pieces are put together: JSON is recorded as its value, what is none as the text that it is."""
    pieces, expected = TOOL_INPUTS[given]
    block = [opened({**CALL, "input": {}}), *(piece("input_json_delta", partial_json=part) for part in pieces)]

    twice(sse(started(), block, closed(), ended("tool_use")), reading)

    assert [{"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": expected}] == parts(telemetry)
    assert ("tool_call",) == telemetry.span.attributes[REASONS]


@EITHER
def test_two_tools_in_turns(twice: Twice, telemetry: Telemetry, reading):
    """Pieces belong to the block of their index, in whatever order they come."""
    first, second = ({**CALL, "id": identity, "input": {}} for identity in ("toolu_1", "toolu_2"))

    twice(
        sse(
            started(),
            [opened(second, 1), opened(first, 0)],
            [piece("input_json_delta", 1, partial_json='{"b":'), piece("input_json_delta", 0, partial_json='{"a":')],
            [piece("input_json_delta", 1, partial_json="2}"), piece("input_json_delta", 0, partial_json="1}")],
            [closed(1), closed(0)],
            ended("tool_use"),
        ),
        # The SDK yields events as they come; its helpers would mix these up.
        reading,
    )

    assert [("toolu_1", {"a": 1}), ("toolu_2", {"b": 2})] == [
        (part["id"], part["arguments"]) for part in parts(telemetry)
    ]


@EITHER
def test_a_tool_that_is_cut_off(twice: Twice, telemetry: Telemetry, reading):
    """The body ends cleanly in the middle of the input: no error, and the half of it is recorded as text."""
    twice(sse(started(), opened({**CALL, "input": {}}), piece("input_json_delta", partial_json='{"city": "O')), reading)

    assert [{"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": '{"city": "O'}] == parts(telemetry)
    assert "UNSET" == telemetry.span.status.status_code.name
    assert ("error",) == telemetry.span.attributes[REASONS]


# Streams of providers and times that we do not know: what is recorded of them.
RECORDED = {INPUT_TOKENS: 8, OUTPUT_TOKENS: 3, REASONS: ("stop",)}
WORD = block_events({"type": "text"}, [("text", "Hello")])
ODD = {
    "an event of the future": (events(started(), {"type": "verdict", "a": 1}, WORD, ended()), RECORDED),
    "a block of the future": (events(started(), block_events({"type": "hologram"}, []), ended()), RECORDED),
    "a delta of the future": (events(started(), WORD[:1], piece("hologram_delta", a=1), WORD[1:], ended()), RECORDED),
    "a reason of the future": (events(started(), WORD, ended("tired")), {REASONS: ("tired",)}),
    "no reason": (events(started(), WORD, ended(None)), {REASONS: ("error",), OUTPUT_TOKENS: 3}),
    "no content": (events(started(), ended()), RECORDED),
    "usage null": (events(started(), WORD, {**ended()[0], "usage": None}), {INPUT_TOKENS: 8, OUTPUT_TOKENS: None}),
    "no usage": (
        events(started(usage={}), WORD, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        {INPUT_TOKENS: None, OUTPUT_TOKENS: None, REASONS: ("stop",)},
    ),
    "a delta that repeats the input": (
        events(started(), WORD, ended(input_tokens=9, output_tokens=4)),
        {INPUT_TOKENS: 9, OUTPUT_TOKENS: 4},
    ),
    "a delta with nulls": (
        events(started(), WORD, ended(input_tokens=None, output_tokens=4, cache_read_input_tokens=None)),
        {INPUT_TOKENS: 8, OUTPUT_TOKENS: 4, "gen_ai.usage.cache_read.input_tokens": None},
    ),
    "a cache that is told late": (
        events(started(), WORD, ended(cache_read_input_tokens=5, cache_creation_input_tokens=2, output_tokens=4)),
        {INPUT_TOKENS: 15, "gen_ai.usage.cache_read.input_tokens": 5, "gen_ai.usage.cache_write.input_tokens": 2},
    ),
    "no start": (events(WORD, ended()), {REASONS: ("stop",), INPUT_TOKENS: None, OUTPUT_TOKENS: 3}),
    "nothing but the end": (ended(), {REASONS: ("stop",), OUTPUT_TOKENS: 3}),
    "a piece without a block": (events(started(), WORD[1:], ended()), RECORDED),
    "an index of another type": (events(started(), {**WORD[0], "index": "x"}, WORD[1:], ended()), RECORDED),
    "no message in the start": (events({"type": "message_start"}, WORD, ended()), {REASONS: ("stop",)}),
    "a start of another type": (events({"type": "message_start", "message": 5}, WORD, ended()), {REASONS: ("stop",)}),
    "a delta of another type": (
        events(started(), WORD, {"type": "message_delta", "delta": 5, "usage": [1]}),
        {REASONS: ("error",), INPUT_TOKENS: 8, OUTPUT_TOKENS: None},
    ),
    "a piece of another type": (
        events(started(), WORD[:1], piece("text_delta", text=5), piece("text_delta", text=None), WORD[1:], ended()),
        RECORDED,
    ),
    "a piece whose type is none": (
        events(started(), WORD[:1], piece(["text_delta"], text="x"), piece({}, text="x"), WORD[1:], ended()),
        RECORDED,
    ),
    "lone surrogates": (events(started(), block_events({"type": "text"}, [("text", "\ud800 x")]), ended()), RECORDED),
}


@EITHER
@pytest.mark.parametrize("kind", ODD)
def test_odd_streams(twice: Twice, telemetry: Telemetry, reading, kind):
    """They arrive as they do without us, are no failure, and what is whole is recorded."""
    stream, expected = ODD[kind]

    seen = twice(sse(stream), reading)

    attributes = telemetry.span.attributes
    assert expected == {name: attributes.get(name) for name in expected}
    if seen.raised is None:
        assert "UNSET" == telemetry.span.status.status_code.name


def leaves(count, client, seen):
    """Takes some."""
    with MESSAGES.create(client) as stream:
        for item in stream:
            seen.note(item)
            if len(seen.chunks) == count:
                return


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_what_is_known_of_the_usage_when_it_is_left(twice: Twice, telemetry: Telemetry, count):
    """The start says how long the input is; what it says of the output is a placeholder, which is nobody's count."""
    twice(MESSAGES.reply(end="stall", sent=count), functools.partial(leaves, count), leaves=True)

    attributes, metrics = telemetry.span.attributes, telemetry.metrics
    assert (8, 3 if count == 7 else None) == (attributes.get(INPUT_TOKENS), attributes.get(OUTPUT_TOKENS))
    assert ("stop" if count == 7 else "error",) == attributes[REASONS]
    assert ["input", "output"][: 1 + (count == 7)] == [
        point.attributes["gen_ai.token.type"] for point in metrics["gen_ai.client.token.usage"]
    ]


# `messages.stream()`, with all that it has.


def resources(client):
    """Those that have `stream()`."""
    return [resource for resource in (client.messages, client.beta.messages) if hasattr(resource, "stream")]


def opens(client):
    """The context manager."""
    return client.messages.stream(**MESSAGES.body)


def helped_events(client, seen):
    """Event by event; they hold snapshots, and differ between versions: their types are enough."""
    with opens(client) as stream:
        for event in stream:
            seen.note(event.type)


async def helped_events_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        async for event in stream:
            seen.note(event.type)


def helped_text(client, seen):
    """Only the text."""
    with opens(client) as stream:
        for text in stream.text_stream:
            seen.note(text)


async def helped_text_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        async for text in stream.text_stream:
            seen.note(text)


def helped_message(client, seen):
    """The whole at once, and again."""
    with opens(client) as stream:
        seen.note(stream.get_final_message())
        seen.note(stream.get_final_message())


async def helped_message_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        seen.note(await stream.get_final_message())
        seen.note(await stream.get_final_message())


def helped_final_text(client, seen):
    """The text at once, after some events."""
    with opens(client) as stream:
        seen.note(next(stream).type)
        seen.note(stream.get_final_text())


async def helped_final_text_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        seen.note((await anext(stream)).type)
        seen.note(await stream.get_final_text())


def helped_until_done(client, seen):
    """Only wants it to be over."""
    with opens(client) as stream:
        stream.until_done()
        seen.note(stream.current_message_snapshot)


async def helped_until_done_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        await stream.until_done()
        seen.note(stream.current_message_snapshot)


def helped_of_every_resource(client, seen):
    """The last that has one: beta, where it is."""
    with resources(client)[-1].stream(**MESSAGES.body) as stream:
        seen.note(stream.get_final_message())


async def helped_of_every_resource_async(client, seen):
    """The same, asynchronous."""
    async with resources(client)[-1].stream(**MESSAGES.body) as stream:
        seen.note(await stream.get_final_message())


HELPED = [
    helped_events,
    helped_events_async,
    helped_text,
    helped_text_async,
    helped_message,
    helped_message_async,
    helped_final_text,
    helped_final_text_async,
    helped_until_done,
    helped_until_done_async,
    helped_of_every_resource,
    helped_of_every_resource_async,
]
BY_HELPER = pytest.mark.parametrize("reading", HELPED, ids=named)


class Answer(pydantic.BaseModel):
    """What a structured answer has."""

    word: str


# Attributes of a client -> a resource that has `stream()`, each with classes of its own.
PLACES = (("messages",), ("beta", "messages"), ("beta", "prompt_caching", "messages"))
# What the SDK fails to make of a stream: its block, what is asked for besides, and the exception.
UNREADABLE = {
    "input of a tool": (CALL, [("input", '{"city": '), ("input", "]")], {}, "ValueError", ""),
    "another structure": (
        {"type": "text"},
        [("text", '{"other"'), ("text", ": 1}")],
        {"output_format": Answer},
        "pydantic_core._pydantic_core.ValidationError",
        '{"other": 1}',
    ),
}


def stream_of(client, place, more):
    """The context manager of a resource; skipped where this SDK has none, or lacks an argument of it."""
    resource = functools.reduce(lambda source, name: getattr(source, name, None), place, client)
    if resource is None or not hasattr(resource, "stream"):
        pytest.skip("this SDK has no such stream()")
    if not more.keys() <= inspect.signature(resource.stream).parameters.keys():
        pytest.skip("this SDK parses no structure of streams")
    return resource.stream(**MESSAGES.body, **more)


def helped_to_the_error(place, more, client, seen):
    """Event by event."""
    with stream_of(client, place, more) as stream:
        for event in stream:
            seen.note(event.type)


async def helped_to_the_error_async(place, more, client, seen):
    """The same, asynchronous."""
    async with stream_of(client, place, more) as stream:
        async for event in stream:
            seen.note(event.type)


@pytest.mark.parametrize("reading", [helped_to_the_error, helped_to_the_error_async], ids=named)
@pytest.mark.parametrize("place", PLACES, ids=".".join)
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_a_helper_cannot_read_fails_the_call(twice: Twice, telemetry: Telemetry, name: str, place, reading):
    """The SDK raised to the application, above the stream: ERROR with the exception's name, and all that was received."""
    block, pieces, more, error, text = UNREADABLE[name]
    reply = sse(started(), block_events(block, pieces), ended())

    seen = twice(reply, functools.partial(reading, place, more))

    assert error == seen.raised[0]
    ended_as = Ended.of(telemetry)
    assert ("ERROR", error, ["error"], "msg_1") == (
        ended_as.status,
        ended_as.error,
        ended_as.reasons,
        ended_as.identity,
    )
    assert [text] == ended_as.texts
    assert 8 == telemetry.span.attributes[INPUT_TOKENS]


@BY_HELPER
def test_helpers_read_to_the_end(twice: Twice, telemetry: Telemetry, reading):
    """One span has the whole response, however much of it the helper keeps to itself."""
    seen = twice(MESSAGES.reply(), reading)

    assert None is seen.raised
    assert MESSAGES.whole() == Ended.of(telemetry)


@BY_HELPER
def test_helpers_of_a_stream_with_pings(twice: Twice, telemetry: Telemetry, reading):
    """They are no chunks there either."""
    twice(sse(PING, MESSAGES.events[:4], PING, MESSAGES.events[4:]), reading)

    assert MESSAGES.whole() == Ended.of(telemetry)


@BY_HELPER
def test_helpers_of_a_stream_that_fails(twice: Twice, telemetry: Telemetry, reading):
    """The error event arrives through every helper, and is what the span says."""
    seen = twice(MESSAGES.failing(4), reading)

    assert MESSAGES.sdk.raised == seen.raised
    assert MESSAGES.partly(status="ERROR", error="overloaded_error") == Ended.of(telemetry)


@BY_HELPER
def test_helpers_of_a_stream_that_is_cut(twice: Twice, telemetry: Telemetry, reading):
    """So does a connection that breaks."""
    seen = twice(MESSAGES.reply(end="cut", sent=4), reading)

    assert MESSAGES.partly(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


@BY_HELPER
def test_helpers_of_a_stream_that_ends_too_soon(twice: Twice, telemetry: Telemetry, reading):
    """No error, and no reason but `error`: no event ended the message."""
    twice(MESSAGES.reply(end="early", sent=4), reading)

    assert MESSAGES.partly() == Ended.of(telemetry)


def leaves_events(client, seen):
    """Out of `with`, after two words."""
    with opens(client) as stream:
        for event in stream:
            seen.note(event.type)
            if event.type == "content_block_delta" and event.delta.text == "two":
                return


async def leaves_events_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        async for event in stream:
            seen.note(event.type)
            if event.type == "content_block_delta" and event.delta.text == "two":
                return


def leaves_text(client, seen):
    """By an exception of its own."""
    with opens(client) as stream:
        for text in stream.text_stream:
            seen.note(text)
            if text == "two":
                raise ValueError("the application's own")


async def leaves_text_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        async for text in stream.text_stream:
            seen.note(text)
            if text == "two":
                raise ValueError("the application's own")


def closes_by_hand(client, seen):
    """`close()`, twice."""
    with opens(client) as stream:
        for text in stream.text_stream:
            seen.note(text)
            if text == "two":
                stream.close()
                stream.close()
                break


async def closes_by_hand_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        async for text in stream.text_stream:
            seen.note(text)
            if text == "two":
                await stream.close()
                await stream.close()
                break


@pytest.mark.parametrize(
    "reading",
    [leaves_events, leaves_events_async, leaves_text, leaves_text_async, closes_by_hand, closes_by_hand_async],
    ids=named,
)
def test_helpers_left_early(twice: Twice, telemetry: Telemetry, reading):
    """That is no error, and what was received until then is kept."""
    twice(MESSAGES.stalled(), reading, leaves=True)

    assert MESSAGES.partly() == Ended.of(telemetry)


def takes_no_event(client, seen):
    """Opens it, and leaves."""
    with opens(client) as stream:
        seen.note(type(stream).__name__)


async def takes_no_event_async(client, seen):
    """The same, asynchronous."""
    async with opens(client) as stream:
        seen.note(type(stream).__name__)


@pytest.mark.parametrize("reading", [takes_no_event, takes_no_event_async], ids=named)
def test_helpers_left_unread(twice: Twice, telemetry: Telemetry, reading):
    """A call it was, of which nothing is known but its headers."""
    twice(MESSAGES.stalled(), reading, leaves=True)

    assert Ended() == Ended.of(telemetry)
    assert 200 == telemetry.span.attributes["http.response.status_code"]


def test_a_helper_that_is_never_opened(server: ModelServer, telemetry: Telemetry):
    """It sends nothing, so there is no call."""
    AnthropicInstrumentor().instrument(**telemetry.providers)

    with MESSAGES.sdk.open(server) as client:
        opens(client)

    assert ([], []) == (server.requests, telemetry.spans)


@pytest.mark.parametrize("given", ["in pieces", "broken", "nothing"])
@pytest.mark.parametrize(
    "reading", [helped_events, helped_events_async, helped_message, helped_message_async], ids=named
)
def test_helpers_of_tools(twice: Twice, telemetry: Telemetry, reading, given):
    """Whatever the SDK makes of the input's pieces, ours are those that came."""
    pieces, expected = TOOL_INPUTS[given]
    block = [opened({**CALL, "input": {}}), *(piece("input_json_delta", partial_json=part) for part in pieces)]

    twice(sse(started(), block, closed(), ended("tool_use")), reading)

    assert [expected] == [part["arguments"] for part in parts(telemetry)]


# Amazon Bedrock: the same events in frames of another encoding, which only the SDK reads.

bedrock = pytest.mark.skipif(find_spec("boto3") is None, reason="boto3 is not installed")
AWS = {"aws_access_key": "AKIANOTAKEY", "aws_secret_key": "not-a-secret", "aws_region": "eu-west-1"}


@contextlib.contextmanager
def on_aws(server: ModelServer):
    """A client of Amazon Bedrock."""
    with anthropic.AnthropicBedrock(base_url=server.url, max_retries=0, **AWS) as client:
        yield client


def read_on_bedrock(server: ModelServer, reply: Sse, reading) -> Seen:
    """What the application sees."""
    server.reply(on_bedrock(reply))
    seen = Seen()
    with on_aws(server) as client:
        try:
            reading(client, seen)
        except Exception as error:
            seen.raised = described(error)
    return seen


@bedrock
@pytest.mark.parametrize("reading", [loops, helped_events, helped_text, helped_message, helped_until_done], ids=named)
def test_bedrock_read_to_the_end(server: ModelServer, telemetry: Telemetry, reading):
    """Every event is recorded, by whichever way it is read."""
    bare = read_on_bedrock(server, MESSAGES.reply(), reading)
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    seen = read_on_bedrock(server, MESSAGES.reply(), reading)

    assert bare == seen
    assert MESSAGES.whole() == Ended.of(telemetry)
    assert "aws.bedrock" == telemetry.span.attributes["gen_ai.provider.name"]


@bedrock
@pytest.mark.parametrize("end", ["cut", "early"])
def test_bedrock_that_ends_too_soon(server: ModelServer, telemetry: Telemetry, end):
    """A cut connection is an error, a clean end is none."""
    reply = MESSAGES.reply(end=end, sent=4)
    bare = read_on_bedrock(server, reply, loops)
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    seen = read_on_bedrock(server, reply, loops)

    assert bare == seen
    failed = {"status": "ERROR", "error": seen.raised[0]} if end == "cut" else {}
    assert MESSAGES.partly(**failed) == Ended.of(telemetry)


@bedrock
def test_bedrock_that_fails(server: ModelServer, telemetry: Telemetry):
    """What it says in a frame of its own the SDK raises, older versions as an error of theirs."""
    reply = sse(MESSAGES.events[:4], bedrock_exception("throttlingException", "Too much at once"))
    bare = read_on_bedrock(server, reply, loops)
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    seen = read_on_bedrock(server, reply, loops)

    assert bare == seen
    code = "throttlingException" if seen.raised[0].startswith("anthropic.") else seen.raised[0]
    assert MESSAGES.partly(status="ERROR", error=code) == Ended.of(telemetry)


@bedrock
def test_bedrock_left_early(server: ModelServer, telemetry: Telemetry):
    """Left in the middle, with two words of it."""
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    read_on_bedrock(server, MESSAGES.stalled(), functools.partial(leaves, 4))

    assert MESSAGES.partly() == Ended.of(telemetry)


@bedrock
def test_bedrock_read_as_bytes(server: ModelServer, telemetry: Telemetry):
    """Nobody but the SDK reads its encoding: the call ends well, and nothing of its answer is known."""

    def reads_bytes(client, seen):
        with client.messages.with_streaming_response.create(**MESSAGES.body, stream=True) as raw:
            seen.note(b"".join(raw.iter_bytes()))

    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    seen = read_on_bedrock(server, MESSAGES.reply(), reads_bytes)

    assert b"".join(on_bedrock(MESSAGES.reply()).events) == seen.chunks[0]
    assert Ended() == Ended.of(telemetry)


def test_text_of_many_blocks(twice: Twice, telemetry: Telemetry):
    """Thinking, text and a tool, each with its pieces, in the order of their indexes."""
    thought = block_events({"type": "thinking"}, [("thinking", "Hm"), ("thinking", "m."), ("signature", "c2ln")])
    twice(
        sse(
            started(),
            thought,
            [opened({"type": "redacted_thinking", "data": "c2VjcmV0"}, 1), closed(1)],
            block_events({"type": "text"}, [("text", "Hel"), ("text", "lo")], 2),
            ended(),
        ),
        loops,
    )

    assert [
        {"type": "reasoning", "content": "Hmm."},
        {"type": "reasoning", "content": "", "redacted": True},
        {"type": "text", "content": "Hello"},
    ] == parts(telemetry)
    assert "c2ln" not in telemetry.span.to_json()
    assert "c2VjcmV0" not in telemetry.span.to_json()
