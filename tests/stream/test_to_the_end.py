"""Streams that the consumer reads as far as they go: whole ones, and those that end cleanly but too soon."""

from __future__ import annotations

import functools
import itertools

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from endings import APIS, CHAT, CHAT_AND_RESPONSES, ONLY_RESPONSES, Ended, Twice, recorded_whole, response_events
from loopback import Sse, Telemetry
from loopback.openai_bodies import chunk, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

# Readings. Each takes an `Api`, a client and a `Seen`.


def loops(api, client, seen):
    """The plainest of all."""
    for item in api.create(client):
        seen.note(item)


async def loops_async(api, client, seen):
    """The same, asynchronous."""
    async for item in await api.create(client):
        seen.note(item)


def steps(api, client, seen):
    """By `next`, with a default."""
    stream = api.create(client)
    while (item := next(stream, None)) is not None:
        seen.note(item)


async def steps_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    while (item := await anext(stream, None)) is not None:
        seen.note(item)


def loops_in_with(api, client, seen):
    """Closes what is closed already."""
    with api.create(client) as stream:
        for item in stream:
            seen.note(item)
    stream.close()


async def loops_in_with_async(api, client, seen):
    """The same, asynchronous."""
    async with await api.create(client) as stream:
        async for item in stream:
            seen.note(item)
    await stream.close()


def loops_twice(api, client, seen):
    """The second time there is nothing left."""
    stream = api.create(client)
    for item in itertools.chain(stream, stream):
        seen.note(item)
    seen.note(next(stream, "nothing"))


async def loops_twice_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    async for item in stream:
        seen.note(item)
    async for item in stream:
        seen.note(item)
    seen.note(await anext(stream, "nothing"))


READINGS = [
    loops,
    loops_async,
    steps,
    steps_async,
    loops_in_with,
    loops_in_with_async,
    loops_twice,
    loops_twice_async,
]
LOOPS = [loops, loops_async]


def named(reading) -> str:
    """A parameter's name."""
    return reading.__name__


@pytest.mark.parametrize("reading", READINGS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_read_to_the_end(twice: Twice, telemetry: Telemetry, api, reading):
    """One span has the whole response, and one record is made per chunk after the first."""
    seen = twice(api.reply(), functools.partial(reading, api))

    assert len(api.events) == sum(item != "nothing" for item in seen.chunks)
    assert api.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
def test_all_that_is_recorded(twice: Twice, telemetry: Telemetry, api):
    """All signals of a whole stream."""
    twice(api.reply(), functools.partial(loops, api))

    expected = {
        "chat.completions": snapshot(
            {
                "spans": [
                    {
                        "name": "chat gpt-4o-mini",
                        "kind": "CLIENT",
                        "status": {"code": "UNSET", "description": None},
                        "attributes": {
                            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                            "gen_ai.operation.name": "chat",
                            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"onetwothree"}],"finish_reason":"stop"}]',
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.request.stream": True,
                            "gen_ai.response.finish_reasons": ["stop"],
                            "gen_ai.response.id": "chatcmpl-1",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "gen_ai.response.time_to_first_chunk": "<seconds>",
                            "gen_ai.usage.input_tokens": 8,
                            "gen_ai.usage.output_tokens": 3,
                            "http.response.status_code": 200,
                            "openai.api.type": "chat_completions",
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
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                    "gen_ai.client.operation.time_per_output_chunk": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 4,
                            "sum": "<seconds>",
                        }
                    ],
                    "gen_ai.client.operation.time_to_first_chunk": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                    "gen_ai.client.token.usage": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "gen_ai.token.type": "input",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": 8,
                        },
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "gen_ai.token.type": "output",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": 3,
                        },
                    ],
                },
                "events": [],
            }
        ),
        "responses": snapshot(
            {
                "spans": [
                    {
                        "name": "chat gpt-4o-mini",
                        "kind": "CLIENT",
                        "status": {"code": "UNSET", "description": None},
                        "attributes": {
                            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                            "gen_ai.operation.name": "chat",
                            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"onetwothree"}],"finish_reason":"stop"}]',
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.request.stream": True,
                            "gen_ai.response.finish_reasons": ["stop"],
                            "gen_ai.response.id": "resp_1",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "gen_ai.response.status": "completed",
                            "gen_ai.response.time_to_first_chunk": "<seconds>",
                            "gen_ai.usage.cache_read.input_tokens": 0,
                            "gen_ai.usage.input_tokens": 8,
                            "gen_ai.usage.output_tokens": 3,
                            "gen_ai.usage.reasoning.output_tokens": 0,
                            "http.response.status_code": 200,
                            "openai.api.type": "responses",
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
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                    "gen_ai.client.operation.time_per_output_chunk": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 7,
                            "sum": "<seconds>",
                        }
                    ],
                    "gen_ai.client.operation.time_to_first_chunk": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                    "gen_ai.client.token.usage": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "gen_ai.token.type": "input",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": 8,
                        },
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "gen_ai.token.type": "output",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": 3,
                        },
                    ],
                },
                "events": [],
            }
        ),
    }
    assert recorded_whole(telemetry) == expected[api.path]


@pytest.mark.parametrize("reading", LOOPS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_compressed(twice: Twice, telemetry: Telemetry, api, reading):
    """What the provider compresses is recorded as what it does not."""
    twice(api.reply(gzip=True), functools.partial(reading, api))

    assert api.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_ended_too_soon(twice: Twice, telemetry: Telemetry, api, reading):
    """A body without its last events is no failure that the SDK sees; the choice has no reason but `error`."""
    seen = twice(api.reply(end="early", sent=api.part), functools.partial(reading, api))

    assert None is seen.raised
    assert api.partly() == Ended.of(telemetry)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_empty(twice: Twice, telemetry: Telemetry, api, reading):
    """A body without an event: no choice was seen, so that none has a reason."""
    seen = twice(api.reply(end="early", sent=0), functools.partial(reading, api))

    assert ([], None) == (seen.chunks, seen.raised)
    assert Ended() == Ended.of(telemetry)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
def test_nothing_but_the_end(twice: Twice, telemetry: Telemetry, reading):
    """`[DONE]`, comments and empty lines are no chunks."""
    twice(Sse([b": waiting\n\n", b"\n\n", b": waiting\n\n"]), functools.partial(reading, CHAT))

    assert Ended() == Ended.of(telemetry)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
def test_the_mark_of_the_end_before_the_end(twice: Twice, telemetry: Telemetry, reading):
    """A server that says `[DONE]` and then more: the SDK's reading counts, and nothing after it."""
    reply = Sse([*CHAT.events, "[DONE]", b": more\n\n"], end="early", sent=7)

    twice(reply, functools.partial(reading, CHAT))

    assert CHAT.whole() == Ended.of(telemetry)


INTERLEAVED = [
    chunk(choices=[{"index": 1, "delta": {"content": "b"}, "finish_reason": None}]),
    chunk(choices=[{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]),
    chunk(
        choices=[
            {"index": 2, "delta": {"content": "c"}, "finish_reason": "length"},
            {"index": 1, "delta": {"content": "B"}, "finish_reason": None},
        ]
    ),
    chunk(choices=[{"index": 0, "delta": {"content": "A"}, "finish_reason": "stop"}]),
]


@pytest.mark.parametrize("reading", LOOPS, ids=named)
def test_a_choice_without_its_end(twice: Twice, telemetry: Telemetry, reading):
    """Choices come interleaved and in any order; the one without a reason has `error` in its place."""
    twice(Sse(INTERLEAVED), functools.partial(reading, CHAT))

    ended = Ended(
        reasons=["stop", "error", "length"],
        texts=["aA", "bB", "c"],
        identity="chatcmpl-1",
        first_chunk=1,
        per_chunk=3,
    )
    assert ended == Ended.of(telemetry)


INCOMPLETE = response(
    "onetwothree",
    status="incomplete",
    incomplete_details={"reason": "max_output_tokens"},
    usage={
        "input_tokens": 8,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 11,
    },
)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
@pytest.mark.parametrize(
    "ends", [("max_output_tokens", "length"), ("content_filter", "content_filter")], ids=lambda ends: ends[0]
)
@pytest.mark.parametrize("api", ONLY_RESPONSES)
def test_incomplete(twice: Twice, telemetry: Telemetry, api, reading, ends):
    """`response.incomplete` is an end with a reason, and no failure."""
    reason, finish_reason = ends
    last = {"type": "response.incomplete", "response": {**INCOMPLETE, "incomplete_details": {"reason": reason}}}
    reply = Sse(response_events("one", "two", "three", last=last), event_names=True)

    twice(reply, functools.partial(reading, api))

    assert api.whole(reasons=[finish_reason]) == Ended.of(telemetry)
    assert "incomplete" == telemetry.span.attributes["gen_ai.response.status"]


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
def test_a_span_of_the_application_stays_current(server, telemetry: Telemetry, openai_client, api):
    """The call is a child of the span that was current when it was made; between the chunks that one is current."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(api.reply())
    tracer = telemetry.tracer_provider.get_tracer("application")

    with tracer.start_as_current_span("made") as made:
        stream = api.create(openai_client())
        assert made is trace.get_current_span()
    with tracer.start_as_current_span("read") as read:
        for _ in stream:
            assert read is trace.get_current_span()
        assert read is trace.get_current_span()

    assert ["made", "chat gpt-4o-mini", "read"] == [span.name for span in telemetry.spans]
    assert made.get_span_context().span_id == telemetry.spans[1].parent.span_id
    assert None is telemetry.spans[2].parent


@pytest.mark.parametrize("stop", [2, None], ids=["left", "read"])
@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
def test_without_a_sampled_span(server, openai_client, api, stop):
    """Metrics do not depend on the sampler, however the stream ends."""
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(api.reply())

    with api.create(openai_client()) as stream:
        read = [*itertools.islice(stream, stop)]

    counts = {
        name.rpartition(".")[2]: sum(point.count for point in points) for name, points in telemetry.metrics.items()
    }
    assert [] == telemetry.spans
    assert {
        "duration": 1,
        "time_to_first_chunk": 1,
        "time_per_output_chunk": len(read) - 1,
        **({} if stop else {"usage": 2}),
    } == counts
    telemetry.shutdown()


def test_the_response_has_the_type_and_members_that_it_has(server, telemetry: Telemetry, openai_client):
    """The application has the SDK's own stream, with the response of the HTTP client behind it."""
    from openai import Stream

    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(CHAT.reply(headers={"x-request-id": "req_1"}))

    with CHAT.create(openai_client()) as stream:
        assert Stream is type(stream)
        assert ("req_1", 200) == (stream.response.headers["x-request-id"], stream.response.status_code)
        assert isinstance(stream.response.stream, _byte_stream(stream.response))
        assert stream is iter([stream]).__next__()
        assert not stream.response.is_closed
    assert stream.response.is_closed


def _byte_stream(http_response) -> type:
    """The HTTP client's base of synchronous bodies."""
    import sys

    return sys.modules[type(http_response).__module__.partition(".")[0]].SyncByteStream
