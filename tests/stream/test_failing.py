"""The SDK raises, or the provider says in the stream that it failed: an error, with what was received before it."""

from __future__ import annotations

import functools
import signal
from importlib.util import find_spec

import pytest
from inline_snapshot import snapshot

from endings import APIS, CHAT, DIFFERENT_APIS, ONLY_RESPONSES, Ended, Twice, recorded_whole, response_events
from loopback import Sse, Telemetry
from loopback.openai_bodies import response
from opentelemetry_instrumentation_genai._adapter.openai_api.responses import RESPONSES
from opentelemetry_instrumentation_genai._adapter.openai_api.typed_events import TypedEvents


def loops(api, client, seen):
    """Reads as long as there is something."""
    for item in api.create(client):
        seen.note(item)


async def loops_async(api, client, seen):
    """The same, asynchronous."""
    async for item in await api.create(client):
        seen.note(item)


def loops_in_with(api, client, seen):
    """The same, and closes."""
    with api.create(client) as stream:
        for item in stream:
            seen.note(item)


async def loops_in_with_async(api, client, seen):
    """The same, asynchronous."""
    async with await api.create(client) as stream:
        async for item in stream:
            seen.note(item)


def asks_again(api, client, seen):
    """Goes on with a stream that failed."""
    stream = api.create(client)
    try:
        for item in stream:
            seen.note(item)
    finally:
        seen.note(next(stream, "nothing"))


async def asks_again_async(api, client, seen):
    """The same, asynchronous."""
    stream = await api.create(client)
    try:
        async for item in stream:
            seen.note(item)
    finally:
        seen.note(await anext(stream, "nothing"))


READINGS = [loops, loops_async, loops_in_with, loops_in_with_async, asks_again, asks_again_async]
LOOPS = [loops, loops_async]


def named(reading) -> str:
    """A parameter's name."""
    return reading.__name__


@pytest.mark.parametrize("reading", READINGS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_an_error_instead_of_a_chunk(twice: Twice, telemetry: Telemetry, api, reading):
    """The SDK raises what the provider says; `error.type` is the provider's code."""
    seen = twice(api.failing(api.part), functools.partial(reading, api))

    assert api.sdk.raised == seen.raised
    assert api.partly(status="ERROR", error=api.sdk.code) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_an_error_before_the_first_chunk(twice: Twice, telemetry: Telemetry, api, reading):
    """Nothing but the error was received."""
    seen = twice(api.failing(0), functools.partial(reading, api))

    assert api.sdk.raised == seen.raised
    assert Ended(status="ERROR", error=api.sdk.code) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", READINGS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_a_cut_connection(twice: Twice, telemetry: Telemetry, api, reading):
    """The SDK raises; `error.type` is the name of what it raises, which differs between its versions."""
    seen = twice(api.reply(end="cut", sent=api.part), functools.partial(reading, api))

    assert seen.raised
    assert api.partly(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", READINGS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_a_connection_cut_before_the_first_chunk(twice: Twice, telemetry: Telemetry, api, reading):
    """The SDK raises, and nothing was received."""
    seen = twice(api.reply(end="cut", sent=0), functools.partial(reading, api))

    assert seen.raised
    assert Ended(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
@pytest.mark.parametrize("api", APIS)
def test_a_chunk_that_is_no_json(twice: Twice, telemetry: Telemetry, api, reading):
    """What the SDK's parser raises."""
    reply = Sse([*api.events[: api.part], '{"id": "chatcm'], event_names=False)
    if api.names:
        broken = f'event: {api.events[api.part]["type"]}\ndata: {{"id"\n\n'.encode()
        reply = Sse([*map(_with_name, api.events[: api.part]), broken], done=False)

    seen = twice(reply, functools.partial(reading, api))

    assert "json.decoder.JSONDecodeError" == seen.raised[0]
    assert api.partly(status="ERROR", error="json.decoder.JSONDecodeError") == Ended.of(telemetry)


def _with_name(event) -> bytes:
    """A named event as it goes over the wire."""
    return Sse([event], event_names=True).plan().pieces[0]


@pytest.mark.parametrize("reading", LOOPS, ids=named)
def test_a_body_that_is_not_what_its_encoding_says(twice: Twice, telemetry: Telemetry, reading):
    """The HTTP client's decoder raises."""
    reply = Sse([b"this was never compressed\n\n"], headers={"content-encoding": "gzip"}, done=False)

    seen = twice(reply, functools.partial(reading, CHAT))

    assert seen.raised
    assert Ended(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", LOOPS, ids=named)
def test_the_clients_read_timeout(twice: Twice, telemetry: Telemetry, reading):
    """The provider falls silent in the middle, and the client does not wait any longer."""
    seen = twice(CHAT.reply(end="stall", sent=2), functools.partial(reading, CHAT), leaves=True, timeout=0.4)

    assert 2 == len(seen.chunks)
    assert "Timeout" in seen.raised[0]
    assert CHAT.partly(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


def is_interrupted(api, client, seen):
    """Ctrl-C while it waits for the third chunk."""

    def interrupt(_number, frame):
        while frame is not None and "httpcore" not in frame.f_code.co_filename:
            frame = frame.f_back
        if frame is None:  # not waiting yet
            signal.setitimer(signal.ITIMER_REAL, 0.05)
        else:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for item in api.create(client):
            seen.note(item)
            if len(seen.chunks) == api.part:
                signal.setitimer(signal.ITIMER_REAL, 0.05)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt on this platform")
@pytest.mark.parametrize("api", DIFFERENT_APIS)
def test_interrupted_by_the_user(twice: Twice, telemetry: Telemetry, api):
    """KeyboardInterrupt comes out of the SDK, and is what the span says."""
    seen = twice(api.reply(end="stall", sent=api.part), functools.partial(is_interrupted, api), leaves=True)

    assert ("KeyboardInterrupt", "", "") == seen.raised
    assert api.partly(status="ERROR", error="KeyboardInterrupt") == Ended.of(telemetry)


FAILED = response(
    "", status="failed", output=[], usage=None, error={"code": "server_error", "message": "The model fell over"}
)
# What comes last, and the code that it has.
REPORTED = {
    "response.failed": ({"type": "response.failed", "response": FAILED}, "server_error"),
    "error": (
        {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down", "param": None},
        "rate_limit_exceeded",
    ),
    "error without a code": ({"type": "error", "code": None, "message": "Slow down", "param": None}, "error"),
}


def leaves_at_the_error(api, client, seen):
    """Has seen enough."""
    for item in api.create(client):
        seen.note(item)
        if len(seen.chunks) == api.part + 1:
            break


async def leaves_at_the_error_async(api, client, seen):
    """The same, asynchronous."""
    async for item in await api.create(client):
        seen.note(item)
        if len(seen.chunks) == api.part + 1:
            break


@pytest.mark.parametrize("reading", [*LOOPS, leaves_at_the_error, leaves_at_the_error_async], ids=named)
@pytest.mark.parametrize("kind", REPORTED)
@pytest.mark.parametrize("api", ONLY_RESPONSES)
def test_a_failure_that_the_sdk_does_not_raise(twice: Twice, telemetry: Telemetry, api, kind, reading):
    """The Responses API reports failures by events, which the SDK yields: an error, whoever raises."""
    last, code = REPORTED[kind]
    events = [*response_events("one", "two")[: api.part], {**last, "sequence_number": api.part}]

    seen = twice(Sse(events, event_names=True), functools.partial(reading, api))

    assert (api.part + 1, None) == (len(seen.chunks), seen.raised)
    assert api.partly(status="ERROR", error=code, per_chunk=api.part) == Ended.of(telemetry)


@pytest.mark.skipif(find_spec("openai.types.responses") is None, reason="this SDK has no responses")
@pytest.mark.parametrize("data", [{"type": "error", "code": "rate_limit_exceeded", "message": "Slow down"}, None, "no"])
@pytest.mark.parametrize("content", [False, True])
def test_an_error_event_that_the_sdk_wraps(content, data):
    """From openai 1.66 to 1.98 the event is in what pydantic has beside the model's own fields.

    No later SDK makes such a model of what a server sends; with those that do, the test above says the same over HTTP.
    """
    from openai.types.responses import ResponseAudioDeltaEvent

    events = TypedEvents(content)
    events.add(ResponseAudioDeltaEvent.construct(event="error", data=data))

    response = events.result()
    expected = "rate_limit_exceeded" if isinstance(data, dict) else "error"
    assert "failed" == response["status"]
    assert expected == RESPONSES.failure(response).error_type


def test_all_that_is_recorded(twice: Twice, telemetry: Telemetry):
    """All signals of a stream in which the provider reported an error."""
    twice(CHAT.failing(2), functools.partial(loops, CHAT))

    assert recorded_whole(telemetry) == snapshot(
        {
            "spans": [
                {
                    "name": "chat gpt-4o-mini",
                    "kind": "CLIENT",
                    "status": {"code": "ERROR", "description": "Too much at once"},
                    "attributes": {
                        "error.type": "overloaded",
                        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                        "gen_ai.operation.name": "chat",
                        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"onetwo"}],"finish_reason":"error"}]',
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o-mini",
                        "gen_ai.request.stream": True,
                        "gen_ai.response.finish_reasons": ["error"],
                        "gen_ai.response.id": "chatcmpl-1",
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.response.time_to_first_chunk": "<seconds>",
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
                            "error.type": "overloaded",
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
                        "count": 1,
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
            },
            "events": [
                {
                    "event_name": "gen_ai.client.operation.exception",
                    "severity_number": 13,
                    "body": None,
                    "attributes": {
                        "exception.message": "APIError",
                        "exception.stacktrace": "<stacktrace>",
                        "exception.type": "openai.APIError",
                    },
                    "span": "chat gpt-4o-mini",
                    "timestamp": True,
                }
            ],
        }
    )


def test_a_traceback_that_leads_to_the_application(server, telemetry: Telemetry, openai_client):
    """The exception that arrives is the SDK's own, with the frames of the SDK, its cause and its response's request."""
    import openai

    from opentelemetry_instrumentation_genai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(CHAT.failing(0))

    with pytest.raises(openai.APIError) as raised:
        next(CHAT.create(openai_client()))

    frames = [str(entry.path) for entry in raised.traceback]
    assert frames[0] == __file__
    assert frames[-1].endswith("_streaming.py")
    assert "/v1/chat/completions" == raised.value.request.url.path
    assert CHAT.sdk.failure["error"] == raised.value.body
    assert None is raised.value.__cause__
