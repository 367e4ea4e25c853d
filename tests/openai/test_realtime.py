"""Connections of the Realtime API: each response is a call, the session is two events."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import wrapt
from inline_snapshot import snapshot
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from contract.drive import Opened, settled
from loopback import Telemetry
from loopback.realtime_bodies import MODEL, called, created, deltas, done, error, session, spoken, transcription, typed
from loopback.websockets import Peer, WebsocketServer
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, genai_context
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from opentelemetry_instrumentation_genai._stream.at_exit import finish_all

websockets_package: Any = pytest.importorskip("websockets.exceptions")
realtime: Any = pytest.importorskip("openai.resources.realtime.realtime")

# The SDK's own way to open a connection, which the newest `websockets` warns of.
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")

LATEST, DUP = "gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"
STARTED, ENDED, ERROR = (f"gen_ai.client.realtime_session.{word}" for word in ("started", "ended", "error"))
EXCEPTION = "gen_ai.client.operation.exception"
Connect = Callable[..., Opened]


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, websockets: WebsocketServer) -> Any:
    """A client of the server of websockets, sync or async; its connections are used alike by `settled`."""
    import openai

    kind = openai.OpenAI if request.param == "sync" else openai.AsyncOpenAI
    return kind(base_url=f"{websockets.url}/v1", api_key="sk-not-a-key")


@pytest.fixture
def connect(client: Any) -> Connect:
    """Opens a connection, for `async with`."""

    def make(**more: Any) -> Opened:
        return Opened(client.realtime.connect(**{"model": MODEL, **more}))

    return make


@pytest.fixture
def started(telemetry: Telemetry) -> Callable[..., None]:
    """Starts the instrumentation, with these settings."""

    def start(**settings: Any) -> None:
        OpenAIInstrumentor().instrument(**telemetry.providers, **settings)

    return start


async def read(connection: Any, last: str = "response.done", times: int = 1) -> list[Any]:
    """Read events until one of a type has come as often as that."""
    events: list[Any] = []
    while times:
        events.append(await settled(connection.recv()))
        times -= events[-1].type == last
    return events


def answering(*events: dict[str, Any], first: dict[str, Any] | None = None) -> Callable[[Peer], Any]:
    """A script: the session, and these events when a response is requested."""

    async def script(peer: Peer) -> None:
        await peer.send(session() if first is None else first)
        await peer.expect("response.create")
        await peer.send(*events)
        await peer.wait()

    return script


ANSWER = (created(), *deltas("Hel", "lo."), done(output=[spoken("Hello.")]))


def facts(telemetry: Telemetry, *names: str) -> list[Any]:
    """Of each span, in the order of their ends, its status and some attributes."""
    return [
        (span.status.status_code.name, *((span.attributes or {}).get(name) for name in names))
        for span in telemetry.spans
    ]


def events_of(telemetry: Telemetry) -> list[str]:
    """The names of the events, but for those of details."""
    return [event.event_name for event in telemetry.events if not event.event_name.endswith("details")]


def parents(telemetry: Telemetry) -> dict[str, str | None]:
    """The id of a response -> the name of its parent."""
    names = {span.context.span_id: span.name for span in telemetry.spans}
    spans = [span for span in telemetry.spans if span.name.startswith("chat")]
    return {
        span.attributes["gen_ai.response.id"]: names.get(span.parent.span_id if span.parent else 0) for span in spans
    }


REASONS, RESPONSE, STATUS = "gen_ai.response.finish_reasons", "gen_ai.response.id", "gen_ai.response.status"


async def test_a_response(websockets, telemetry, connect, started):
    """It is a call from its creation to its last event, with its messages as content; the session is two events."""
    started(capture_message_content="span_only")
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        await settled(connection.conversation.item.create(item=typed("Hi")))
        await settled(connection.response.create(response={"max_output_tokens": 100}))
        await read(connection)
    recorded = telemetry.snapshot()
    assert recorded["spans"] == snapshot(
        [
            {
                "name": "chat gpt-realtime",
                "kind": "CLIENT",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.conversation.id": "conv_1",
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello."}],"finish_reason":"stop"}]',
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.max_tokens": 100,
                    "gen_ai.request.model": "gpt-realtime",
                    "gen_ai.request.stream": True,
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.response.model": "gpt-realtime-2025-08-28",
                    "gen_ai.response.status": "completed",
                    "gen_ai.response.time_to_first_chunk": "<seconds>",
                    "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
                    "gen_ai.tool.definitions": '[{"description":"The weather of a city.","name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}},"type":"function"}]',
                    "gen_ai.usage.audio.cache_read.input_tokens": 4,
                    "gen_ai.usage.audio.input_tokens": 13,
                    "gen_ai.usage.audio.output_tokens": 91,
                    "gen_ai.usage.cache_read.input_tokens": 64,
                    "gen_ai.usage.image.cache_read.input_tokens": 0,
                    "gen_ai.usage.image.input_tokens": 0,
                    "gen_ai.usage.input_tokens": 132,
                    "gen_ai.usage.output_tokens": 121,
                    "gen_ai.usage.text.cache_read.input_tokens": 60,
                    "gen_ai.usage.text.input_tokens": 119,
                    "gen_ai.usage.text.output_tokens": 30,
                    "openai.api.type": "realtime",
                    "openai.realtime.session.id": "sess_1",
                    "server.address": "127.0.0.1",
                    "server.port": "<port>",
                },
                "events": [],
                "parent": None,
                "scope": "opentelemetry_instrumentation_genai",
            }
        ]
    )
    assert recorded["events"] == snapshot(
        [
            {
                "event_name": "gen_ai.client.realtime_session.started",
                "severity_number": 9,
                "body": None,
                "attributes": {
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-realtime",
                    "openai.realtime.session.id": "sess_1",
                    "server.address": "127.0.0.1",
                    "server.port": "<port>",
                },
                "span": None,
                "timestamp": True,
            },
            {
                "event_name": "gen_ai.client.realtime_session.ended",
                "severity_number": 9,
                "body": None,
                "attributes": {
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-realtime",
                    "openai.realtime.session.id": "sess_1",
                    "server.address": "127.0.0.1",
                    "server.port": "<port>",
                },
                "span": None,
                "timestamp": True,
            },
        ]
    )
    points = {
        name: [(point.attributes.get("gen_ai.token.type"), point.count, point.sum) for point in found]
        for name, found in telemetry.metrics.items()
        if "token" in name or "duration" in name
    }
    assert points["gen_ai.client.token.usage"] == [("input", 1, 132), ("output", 1, 121)]
    assert points["gen_ai.client.operation.duration"][0][:2] == (None, 1)
    assert {name: sum(point.count or 0 for point in found) for name, found in telemetry.metrics.items()} == snapshot(
        {
            "gen_ai.client.operation.time_per_output_chunk": 3,
            "gen_ai.client.operation.duration": 1,
            "gen_ai.client.token.usage": 2,
            "gen_ai.client.operation.time_to_first_chunk": 1,
        }
    )


@pytest.mark.parametrize("generation", ["default", LATEST, DUP])
async def test_the_generations(websockets, telemetry, connect, started, generation):
    """Each has its metrics, once; the latest counts tokens by modality."""
    started(semconv_stability_opt_in=generation, capture_message_content="span_and_event")
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection)
    counted = {
        f"{name} {point.attributes.get('gen_ai.token.modality') or point.attributes.get('gen_ai.token.type') or ''}".strip(): (
            point.value if point.count is None else point.count
        )
        for name, found in telemetry.metrics.items()
        for point in found
    }
    expected = {
        "default": snapshot(
            {
                "gen_ai.client.operation.duration": 1,
                "gen_ai.client.operation.time_per_output_chunk": 3,
                "gen_ai.client.operation.time_to_first_chunk": 1,
                "gen_ai.client.token.usage input": 1,
                "gen_ai.client.token.usage output": 1,
            }
        ),
        LATEST: snapshot(
            {
                "gen_ai.client.inference.duration": 1,
                "gen_ai.client.inference.operation.input_tokens": 1,
                "gen_ai.client.inference.operation.output_tokens": 1,
                "gen_ai.client.inference.time_per_output_chunk": 3,
                "gen_ai.client.inference.time_to_first_chunk": 1,
                "gen_ai.client.inference.usage.cache_read.input_tokens audio": 4,
                "gen_ai.client.inference.usage.cache_read.input_tokens text": 60,
                "gen_ai.client.inference.usage.input_tokens audio": 13,
                "gen_ai.client.inference.usage.input_tokens text": 119,
                "gen_ai.client.inference.usage.output_tokens audio": 91,
                "gen_ai.client.inference.usage.output_tokens text": 30,
            }
        ),
        DUP: snapshot(
            {
                "gen_ai.client.inference.duration": 1,
                "gen_ai.client.inference.operation.input_tokens": 1,
                "gen_ai.client.inference.operation.output_tokens": 1,
                "gen_ai.client.inference.time_per_output_chunk": 3,
                "gen_ai.client.inference.time_to_first_chunk": 1,
                "gen_ai.client.inference.usage.cache_read.input_tokens audio": 4,
                "gen_ai.client.inference.usage.cache_read.input_tokens text": 60,
                "gen_ai.client.inference.usage.input_tokens audio": 13,
                "gen_ai.client.inference.usage.input_tokens text": 119,
                "gen_ai.client.inference.usage.output_tokens audio": 91,
                "gen_ai.client.inference.usage.output_tokens text": 30,
                "gen_ai.client.operation.duration": 1,
                "gen_ai.client.operation.time_per_output_chunk": 3,
                "gen_ai.client.operation.time_to_first_chunk": 1,
                "gen_ai.client.token.usage input": 1,
                "gen_ai.client.token.usage output": 1,
            }
        ),
    }
    assert dict(sorted(counted.items())) == expected[generation]
    (span,) = telemetry.spans
    assert ("finish_reason" in span.attributes["gen_ai.output.messages"]) == (generation != LATEST)
    assert [event.event_name for event in telemetry.events] == [
        STARTED,
        "gen_ai.client.inference.operation.details",
        ENDED,
    ]


async def test_content_is_off_by_default(websockets, telemetry, connect, started):
    """Nothing of messages, instructions and tools is recorded."""
    started()
    websockets.script(answering(created(), *deltas("Hello."), done(output=[spoken("Hello."), called()])))
    async with connect() as connection:
        await settled(connection.conversation.item.create(item=typed("Where is Rome?")))
        await settled(connection.response.create())
        await read(connection)
    recorded = json.dumps(telemetry.snapshot())
    assert not [word for word in ("Hello", "Rome", "brief", "weather") if word in recorded]
    assert facts(telemetry, REASONS) == [("UNSET", ("tool_calls",))]


async def test_a_span_that_is_not_sampled(websockets, connect):
    """The metrics are the same, and the model of the response is among their attributes."""
    dropped = Telemetry(ALWAYS_OFF)
    OpenAIInstrumentor().instrument(**dropped.providers)
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection)
    points = [
        (point.attributes["gen_ai.token.type"], point.attributes["gen_ai.response.model"], point.sum)
        for point in dropped.metrics["gen_ai.client.token.usage"]
    ]
    OpenAIInstrumentor().uninstrument()
    dropped.shutdown()
    assert points == [("input", "gpt-realtime-2025-08-28", 132), ("output", "gpt-realtime-2025-08-28", 121)]


DETECTING = session(audio={"input": {"turn_detection": {"type": "server_vad"}}})


def speech(item: str) -> list[dict[str, Any]]:
    """The user speaks; the server makes an item of it."""
    return [
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": item},
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 9, "item_id": item},
        {"type": "input_audio_buffer.committed", "previous_item_id": None, "item_id": item},
    ]


async def test_the_server_detects_turns(websockets, telemetry, connect, started):
    """It creates responses by itself, below the span that the connection was opened in; one that is interrupted has not failed."""
    interrupted = {"status": "cancelled", "status_details": {"type": "cancelled", "reason": "turn_detected"}}

    async def script(peer: Peer) -> None:
        await peer.send(
            DETECTING, *speech("item_1"), created(), *deltas("Once upon "), *transcription("item_1", "A story!")[-1:]
        )
        await peer.send(
            *speech("item_2")[:1], done(output=[spoken("Once upon a")], **interrupted), *speech("item_2")[1:]
        )
        await peer.send(created("resp_2"), *deltas("Yes?", identity="resp_2"), done("resp_2", [spoken("Yes?")]))
        await peer.wait()

    started(capture_message_content="span_only")
    websockets.script(script)
    tracer = telemetry.tracer_provider.get_tracer("application")
    with tracer.start_as_current_span("conversation"):
        opened = connect()
        connection = await opened.__aenter__()
    await read(connection, times=2)
    await opened.__aexit__(None, None, None)
    spans = [span for span in telemetry.snapshot()["spans"] if span["name"] != "conversation"]
    assert [span["parent"] for span in spans] == ["conversation", "conversation"]
    assert [
        (span["status"]["code"], {name: span["attributes"].get(name) for name in (REASONS, STATUS)}) for span in spans
    ] == snapshot(
        [
            ("UNSET", {"gen_ai.response.finish_reasons": ["turn_detected"], "gen_ai.response.status": "cancelled"}),
            ("UNSET", {"gen_ai.response.finish_reasons": ["stop"], "gen_ai.response.status": "completed"}),
        ]
    )
    assert [span["attributes"]["gen_ai.input.messages"] for span in spans] == snapshot(
        [
            '[{"role":"user","parts":[{"type":"text","content":"A story!"}]}]',
            '[{"role":"user","parts":[{"type":"blob","modality":"audio","mime_type":null,"content":""}]}]',
        ]
    )
    assert [span["attributes"]["gen_ai.output.messages"] for span in spans] == snapshot(
        [
            '[{"role":"assistant","parts":[{"type":"text","content":"Once upon a"}],"finish_reason":"turn_detected"}]',
            '[{"role":"assistant","parts":[{"type":"text","content":"Yes?"}],"finish_reason":"stop"}]',
        ]
    )


async def test_tools(websockets, telemetry, connect, started):
    """A call of a function is the finish reason, and its result the input of the next response."""

    async def script(peer: Peer) -> None:
        await peer.send(session())
        await peer.expect("response.create")
        place = {"response_id": "resp_1", "item_id": "item_f", "output_index": 0, "call_id": "call_1"}
        await peer.send(
            created(),
            {"type": "response.output_item.added", **place, "item": called("")},
            {"type": "response.function_call_arguments.delta", **place, "delta": '{"city":"Rome"}'},
            {"type": "response.output_item.done", **place, "item": called()},
            done(output=[called()]),
        )
        await peer.expect("response.create")
        await peer.send(created("resp_2"), *deltas("Sunny.", identity="resp_2"), done("resp_2", [spoken("Sunny.")]))
        await peer.wait()

    started(capture_message_content="span_only")
    websockets.script(script)
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection)
        output = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
        await settled(connection.conversation.item.create(item=output))
        await settled(connection.response.create())
        await read(connection)
    assert facts(telemetry, REASONS, "gen_ai.output.messages") == snapshot(
        [
            (
                "UNSET",
                ("tool_calls",),
                '[{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Rome"}}],"finish_reason":"tool_calls"}]',
            ),
            (
                "UNSET",
                ("stop",),
                '[{"role":"assistant","parts":[{"type":"text","content":"Sunny."}],"finish_reason":"stop"}]',
            ),
        ]
    )
    assert telemetry.spans[1].attributes["gen_ai.input.messages"] == snapshot(
        '[{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"sunny"}]}]'
    )


async def test_responses_beside_each_other(websockets, telemetry, connect, started):
    """Each is a call of its own, below the span in which it was requested, whatever the order of their events."""

    async def script(peer: Peer) -> None:
        await peer.send(DETECTING)
        for _ in range(3):
            await peer.expect("response.create")
        await peer.send(created("resp_vad"))
        topics = ("b", "a", "c")
        for topic in topics:
            await peer.send(created(f"resp_{topic}", conversation_id=None, metadata={"topic": topic}))
        for topic in topics:
            await peer.send(*deltas(topic, identity=f"resp_{topic}"))
        for topic in ("vad", "c", "b", "a"):
            await peer.send(done(f"resp_{topic}", [spoken(topic)]))
        await peer.wait()

    started(capture_message_content="span_only")
    websockets.script(script)
    tracer = telemetry.tracer_provider.get_tracer("application")
    async with connect() as connection:
        for topic in ("a", "b", "c"):
            beside = {"conversation": "none", "metadata": {"topic": topic}, "input": [typed(topic)]}
            with tracer.start_as_current_span(topic):
                await settled(connection.response.create(response=beside))
        await read(connection, times=4)
    chats = [span for span in telemetry.spans if span.name.startswith("chat")]
    assert parents(telemetry) == {"resp_vad": None, "resp_c": "c", "resp_b": "b", "resp_a": "a"}
    inputs = [json.loads(span.attributes.get("gen_ai.input.messages", "[]")) for span in chats]
    assert [[message["parts"][0]["content"] for message in messages] for messages in inputs] == [
        [],
        ["c"],
        ["b"],
        ["a"],
    ]
    assert [point.count for point in telemetry.metrics["gen_ai.client.token.usage"]] == [4, 4]


async def test_a_server_that_repeats_no_metadata(websockets, telemetry, connect, started):
    """Where the server creates no responses by itself, they are created in the order of the requests."""
    started()
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        await settled(connection.response.create(response={"metadata": {"topic": "a"}}))
        await read(connection)
    assert facts(telemetry, RESPONSE) == [("UNSET", "resp_1")]


REFUSED = {
    "by the id of the event": ({"event_id": "mine"}, error("bad_thing", event_id="mine")),
    "by its parameter": ({}, error("invalid_value", param="response.tools")),
    "by its code": ({}, error("conversation_already_has_active_response")),
}


@pytest.mark.parametrize("refused", REFUSED)
async def test_a_response_that_is_refused(websockets, telemetry, connect, started, refused):
    """It has failed with the code of the server's error; the next one is followed."""
    keywords, event = REFUSED[refused]

    async def script(peer: Peer) -> None:
        await peer.send(session())
        await peer.expect("response.create")
        await peer.send(event)
        await peer.expect("response.create")
        await peer.send(*ANSWER)
        await peer.wait()

    started()
    websockets.script(script)
    async with connect() as connection:
        await settled(connection.response.create(**keywords))
        await read(connection, "error")
        await settled(connection.response.create())
        await read(connection)
    assert facts(telemetry, "error.type", RESPONSE) == [
        ("ERROR", event["error"]["code"], None),
        ("UNSET", None, "resp_1"),
    ]
    assert events_of(telemetry) == [STARTED, EXCEPTION, ENDED]


async def test_an_error_of_no_response(websockets, telemetry, connect, started):
    """It is an event of the session, without its message; what runs goes on."""
    unrelated = (error("item_not_found", event_id="other"), error(None, type="server_error", message="Hello"))
    started()
    websockets.script(answering(*unrelated, *ANSWER))
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection)
    assert facts(telemetry, RESPONSE) == [("UNSET", "resp_1")]
    assert events_of(telemetry) == [STARTED, ERROR, ERROR, ENDED]
    assert telemetry.snapshot()["events"][1] == snapshot(
        {
            "event_name": "gen_ai.client.realtime_session.error",
            "severity_number": 13,
            "body": None,
            "attributes": {
                "error.type": "item_not_found",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-realtime",
                "openai.realtime.session.id": "sess_1",
                "server.address": "127.0.0.1",
                "server.port": "<port>",
            },
            "span": None,
            "timestamp": True,
        }
    )
    assert [dict(event.attributes)["error.type"] for event in telemetry.events[1:3]] == [
        "item_not_found",
        "server_error",
    ]


ENDINGS: dict[str, Any] = {
    "failed": {
        "status": "failed",
        "status_details": {
            "type": "failed",
            "error": {"type": "server_error", "code": "rate_limit_exceeded", "message": "x"},
        },
    },
    "failed without a word": {"status": "failed", "status_details": None},
    "too long": {"status": "incomplete", "status_details": {"type": "incomplete", "reason": "max_output_tokens"}},
    "filtered": {"status": "incomplete", "status_details": {"type": "incomplete", "reason": "content_filter"}},
    "cancelled": {"status": "cancelled", "status_details": {"type": "cancelled", "reason": "client_cancelled"}},
}


async def test_how_responses_end(websockets, telemetry, connect, started):
    """The finish reason is derived from the status, and a failure is an error; usage is recorded in any case."""

    async def script(peer: Peer) -> None:
        await peer.send(session())
        for ending in ENDINGS.values():
            await peer.expect("response.create")
            await peer.send(created(), done(**ending))
        await peer.wait()

    started()
    websockets.script(script)
    async with connect() as connection:
        for _ in ENDINGS:
            await settled(connection.response.create())
            await read(connection)
    found = facts(telemetry, "error.type", REASONS, STATUS, "gen_ai.usage.input_tokens")
    assert dict(zip(ENDINGS, found, strict=True)) == snapshot(
        {
            "failed": ("ERROR", "rate_limit_exceeded", ("error",), "failed", 132),
            "failed without a word": ("ERROR", "error", ("error",), "failed", 132),
            "too long": ("UNSET", None, ("length",), "incomplete", 132),
            "filtered": ("UNSET", None, ("content_filter",), "incomplete", 132),
            "cancelled": ("UNSET", None, ("client_cancelled",), "cancelled", 132),
        }
    )


# How a connection ends while a response is generated.


@pytest.mark.parametrize("read_on", ["recv", "iteration", "bytes"])
async def test_a_connection_that_is_cut(websockets, telemetry, connect, started, read_on):
    """The application gets the SDK's exception; the responses on it fail with that, with what was received."""

    async def script(peer: Peer) -> None:
        await peer.send(session())
        await peer.expect("response.create")
        await peer.send(created(), *deltas("Hello "))
        await peer.expect("response.create")
        await peer.cut()

    started(capture_message_content="span_only")
    websockets.script(script)
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection, "response.output_audio_transcript.delta")
        await settled(connection.response.create(response={"conversation": "none"}))
        with pytest.raises(websockets_package.ConnectionClosedError):
            if read_on == "recv":
                await read(connection)
            elif read_on == "bytes":
                await settled(connection.recv_bytes())
            elif hasattr(connection, "__aiter__"):
                [event async for event in connection]
            else:
                list(connection)
        assert len(telemetry.spans) == 2
    cut = "websockets.exceptions.ConnectionClosedError"
    assert facts(telemetry, "error.type", RESPONSE, REASONS) == [
        ("ERROR", cut, None, None),
        ("ERROR", cut, "resp_1", ("error",)),
    ]
    assert '"Hello "' in telemetry.spans[1].attributes["gen_ai.output.messages"]
    assert events_of(telemetry) == [STARTED, EXCEPTION, EXCEPTION, ENDED]
    assert telemetry.events[-1].attributes["error.type"] == cut


@pytest.mark.parametrize("by", ["server", "application"])
async def test_a_connection_that_is_closed(websockets, telemetry, connect, started, by):
    """The response on it ends without an error, with what was received; its one choice has no finish reason."""

    async def script(peer: Peer) -> None:
        await peer.send(session())
        await peer.expect("response.create")
        await peer.send(created(), *deltas("Hello "))
        await (peer.close() if by == "server" else peer.wait())

    started()
    websockets.script(script)
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection, "response.output_audio_transcript.delta")
        if by == "server":
            rest = [event async for event in connection] if hasattr(connection, "__aiter__") else list(connection)
            assert rest == []
            assert len(telemetry.spans) == 1
    assert facts(telemetry, "error.type", RESPONSE, REASONS) == [("UNSET", None, "resp_1", ("error",))]
    assert events_of(telemetry) == [STARTED, ENDED]
    assert "error.type" not in telemetry.events[-1].attributes


async def test_a_connection_that_is_dropped(websockets, telemetry, connect, started):
    """It is not kept alive; its responses end, and its session."""
    started()
    websockets.script(answering(created(), *deltas("Hello ")))
    opened = connect()
    connection = await opened.__aenter__()
    await settled(connection.response.create())
    await read(connection, "response.output_audio_transcript.delta")
    below, alive = connection._connection, weakref.ref(connection)
    del connection, opened
    gc.collect()
    assert alive() is None
    finish_pending()
    assert facts(telemetry, "error.type", RESPONSE) == [("UNSET", None, "resp_1")]
    assert events_of(telemetry) == [STARTED, ENDED]
    await settled(below.close())


async def test_the_process_ends(websockets, telemetry, connect, started):
    """What runs ends with it, once."""
    started()
    websockets.script(answering(created(), *deltas("Hello ")))
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection, "response.output_audio_transcript.delta")
        finish_all()
        assert facts(telemetry, RESPONSE) == [("UNSET", "resp_1")]
    assert len(telemetry.spans) == 1
    assert events_of(telemetry) == [STARTED, ENDED]


async def test_a_connection_that_is_opened_again(websockets, telemetry, connect, started):
    """The response on the one that was cut has failed; the application reads on, and the next one is followed."""

    async def cut(peer: Peer) -> None:
        await peer.send(session())
        await peer.expect("response.create")
        await peer.send(created(), *deltas("Hello "))
        await peer.close(1011)

    started()
    websockets.script(cut, answering(*ANSWER, first=session(id="sess_2")))
    async with connect(on_reconnecting=lambda _event: None, initial_delay=0.01) as connection:
        await settled(connection.response.create())
        events = connection.__aiter__() if hasattr(connection, "__aiter__") else iter(connection)

        async def following() -> Any:
            return await anext(events) if hasattr(events, "__anext__") else next(events)

        sessions = 0
        while sessions < 2:
            sessions += (await following()).type == "session.created"
        await settled(connection.response.create())
        while (await following()).type != "response.done":
            pass
    cut_off = "websockets.exceptions.ConnectionClosedError"
    assert facts(telemetry, "error.type", "openai.realtime.session.id") == [
        ("ERROR", cut_off, "sess_1"),
        ("UNSET", None, "sess_2"),
    ]
    assert events_of(telemetry) == [STARTED, EXCEPTION, ENDED, STARTED, ENDED]


# What the application gets.


async def test_the_same_as_without(websockets, telemetry, connect, started):
    """The events, their types, what goes over the wire, and what the objects hold."""
    websockets.script(answering(*ANSWER))
    seen = []
    for instrumented in (False, True):
        if instrumented:
            started(capture_message_content="span_and_event")
        async with connect() as connection:
            await settled(connection.session.update(session={"type": "realtime", "instructions": "Be kind."}))
            assert await settled(connection.response.create(response={"metadata": {"a": "b"}})) is None
            events = await read(connection)
            held = sorted(vars(connection))
        seen.append(
            ([type(event) for event in events], [event.to_dict() for event in events], held, [*websockets.sent])
        )
        websockets.script(answering(*ANSWER))
    assert seen[0] == seen[1]
    assert len(telemetry.spans) == 1


async def test_bytes(websockets, telemetry, connect, started):
    """What is sent and received as such is followed too, once, and what is no event is passed on."""

    async def script(peer: Peer) -> None:
        await peer.send(session())
        await peer.expect("response.create")
        await peer.send(*ANSWER[:-1])
        await peer.send_text("no JSON")
        await peer.send_text("[1]")
        await peer.send(ANSWER[-1])
        await peer.wait()

    started(capture_message_content="span_only")
    websockets.script(script)
    async with connect() as connection:
        await settled(
            connection.send_raw(json.dumps({"type": "conversation.item.create", "item": typed("Hi")}).encode())
        )
        await settled(connection.send_raw(json.dumps({"type": "response.create"})))
        await settled(connection.send_raw("response.create"[:0] + '{"type": "input_audio_buffer.clear"}'))
        messages = []
        while not messages or b"response.done" not in messages[-1]:
            messages.append(await settled(connection.recv_bytes()))
            if messages[-1].startswith(b"{"):
                connection.parse_event(messages[-1])
    assert {type(message) for message in messages} == {bytes}
    assert facts(telemetry, RESPONSE, "gen_ai.usage.output_tokens") == [("UNSET", "resp_1", 121)]
    assert '"Hi"' in telemetry.spans[0].attributes["gen_ai.input.messages"]
    (first,) = telemetry.metrics["gen_ai.client.operation.time_to_first_chunk"]
    (chunks,) = telemetry.metrics["gen_ai.client.operation.time_per_output_chunk"]
    assert (first.count, chunks.count) == (1, 3)


async def test_what_is_no_json(websockets, telemetry, connect, started):
    """The SDK raises for it, which is no end of the connection."""

    async def script(peer: Peer) -> None:
        await peer.expect("response.create")
        await peer.send(created())
        await peer.send_text("no JSON")
        await peer.send(*ANSWER[1:])
        await peer.wait()

    started()
    websockets.script(script)
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection, "response.created")
        with pytest.raises(ValueError):
            await settled(connection.recv())
        await read(connection)
    assert facts(telemetry, RESPONSE) == [("UNSET", "resp_1")]
    assert events_of(telemetry) == []  # the server has named no session


async def test_models_as_events(websockets, telemetry, connect, started):
    """What is sent may be a model of the SDK in place of a dictionary."""
    from openai.types.realtime import ConversationItemCreateEvent, ResponseCreateEvent

    started(capture_message_content="span_only")
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        await settled(
            connection.send(ConversationItemCreateEvent.construct(type="conversation.item.create", item=typed("Hi")))
        )
        given = {"output_modalities": ["text"], "instructions": "Be kind."}
        await settled(
            connection.send(ResponseCreateEvent.model_validate({"type": "response.create", "response": given}))
        )
        await read(connection)
    names = ("gen_ai.output.type", "gen_ai.system_instructions", "gen_ai.input.messages")
    assert facts(telemetry, *names) == snapshot(
        [
            (
                "UNSET",
                "text",
                '[{"type":"text","content":"Be kind."}]',
                '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            )
        ]
    )


async def test_events_that_wait_for_the_connection(websockets, telemetry, connect, client, started):
    """What is sent before it is open is followed from then on."""
    started(capture_message_content="span_only")
    websockets.script(answering(*ANSWER))
    manager = client.realtime.connect(model=MODEL)
    manager.send({"type": "conversation.item.create", "item": typed("Hi")})
    manager.send({"type": "response.create"})
    assert telemetry.spans == []
    connection = await settled(manager.enter())
    await read(connection)
    await settled(connection.close())
    assert facts(telemetry, RESPONSE) == [("UNSET", "resp_1")]
    assert '"Hi"' in telemetry.spans[0].attributes["gen_ai.input.messages"]


async def test_what_cannot_be_sent(websockets, telemetry, connect, started):
    """The application gets the exception, and the response that was to be created has failed with it."""
    started()
    websockets.script(answering())
    async with connect() as connection:
        with pytest.raises(TypeError):
            await settled(connection.response.create(response={"metadata": {"a": object()}}))
    with pytest.raises(websockets_package.ConnectionClosedOK):
        await settled(connection.response.create())
    assert facts(telemetry, "error.type") == [("ERROR", "TypeError")]


async def test_a_connection_that_cannot_be_opened(websockets, telemetry, connect, started):
    """The application gets the SDK's exception, and nothing is recorded."""
    started()
    with pytest.raises(Exception) as raised:
        async with connect(
            extra_headers={"Sec-WebSocket-Version": "1"},
            extra_query={"a": "b"},
            websocket_connection_options={"open_timeout": 0.0001},
        ):
            pass
    assert "opentelemetry" not in str(type(raised.value))
    assert telemetry.spans == []
    assert events_of(telemetry) == []


async def test_cancelled_reading(websockets, telemetry, started):
    """A task that stops to wait for an event ends nothing."""
    import openai

    started()
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send(session())
        await peer.expect("response.create")
        await peer.send(created())
        await peer.expect("input_audio_buffer.clear")
        await peer.send(*ANSWER[1:])
        await peer.wait()

    websockets.script(script)
    client = openai.AsyncOpenAI(base_url=f"{websockets.url}/v1", api_key="k")
    async with client.realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        await read(connection, "response.created")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.05)
        assert telemetry.spans == []
        await connection.input_audio_buffer.clear()
        await read(connection)
    assert not asked.is_set()
    assert facts(telemetry, RESPONSE, REASONS) == [("UNSET", "resp_1", ("stop",))]


# What is followed.


async def test_what_is_not_followed(websockets, telemetry, connect, started):
    """A connection that was open before, one within `suppress_instrumentation`, and any after `uninstrument()`."""
    websockets.script(answering(*ANSWER))

    async def talk(connection: Any) -> None:
        await settled(connection.response.create())
        await read(connection)

    methods = [dict(vars(kind)) for kind in (realtime.RealtimeConnection, realtime.AsyncRealtimeConnection)]
    async with connect() as connection:
        started()
        await talk(connection)
    with suppress_instrumentation():
        async with connect() as connection:
            await talk(connection)
    OpenAIInstrumentor().uninstrument()
    assert methods == [dict(vars(kind)) for kind in (realtime.RealtimeConnection, realtime.AsyncRealtimeConnection)]
    async with connect() as connection:
        await talk(connection)
    assert telemetry.spans == []
    assert events_of(telemetry) == []


OTHERS = """
def connect(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs)
"""


@pytest.mark.parametrize("allowed", [False, True])
async def test_others(websockets, telemetry, connect, monkeypatch, allowed):
    """Where another instrumentation has wrapped `connect`, the responses are its own, unless both are wanted."""
    others: dict[str, Any] = {"__name__": "opentelemetry.instrumentation.voice"}
    exec(OTHERS, others)
    for kind in (realtime.Realtime, realtime.AsyncRealtime):
        monkeypatch.setattr(kind, "connect", wrapt.FunctionWrapper(kind.connect, others["connect"]))
    OpenAIInstrumentor().instrument(**telemetry.providers, allow_others=allowed)
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        await settled(connection.response.create())
        await read(connection)
    assert len(telemetry.spans) == len(events_of(telemetry)) / 2 == allowed


def test_a_thread_that_reads(websockets, telemetry, started):
    """Another one sends: its context is that of the responses."""
    import openai

    async def script(peer: Peer) -> None:
        await peer.send(session())
        for number in range(5):
            await peer.expect("response.create")
            await peer.send(created(f"resp_{number}"), *deltas("Hi", identity=f"resp_{number}"), done(f"resp_{number}"))
        await peer.wait()

    started()
    websockets.script(script)
    tracer = telemetry.tracer_provider.get_tracer("application")
    client = openai.OpenAI(base_url=f"{websockets.url}/v1", api_key="k")
    with client.realtime.connect(model=MODEL) as connection:
        ended = threading.Semaphore(0)

        def read_on() -> None:
            for event in connection:
                if event.type == "response.done":
                    ended.release()

        reader = threading.Thread(target=read_on)
        reader.start()
        for number in range(5):
            with tracer.start_as_current_span(f"turn {number}"):
                connection.response.create()
            assert ended.acquire(timeout=10)
    reader.join(10)
    assert parents(telemetry) == {f"resp_{number}": f"turn {number}" for number in range(5)}
    assert events_of(telemetry) == [STARTED, ENDED]


async def test_the_end_of_the_instrumentation(websockets, telemetry, connect, started):
    """A response that runs then ends with its connection."""
    started()
    websockets.script(answering(*ANSWER))
    opened = connect()
    connection = await opened.__aenter__()
    await settled(connection.response.create())
    OpenAIInstrumentor().uninstrument()
    await read(connection)
    await opened.__aexit__(None, None, None)
    del connection, opened
    gc.collect()
    finish_pending()
    assert facts(telemetry, RESPONSE) == [("UNSET", None)]


async def test_attribution(websockets, telemetry, connect, started):
    """What the application says of its calls is on the responses that it requests."""
    started()
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        with genai_context(tags={"team": "voice"}, conversation_id="mine"):
            await settled(connection.response.create())
        await read(connection)
    assert facts(telemetry, "gen_ai.tag.team", "gen_ai.conversation.id") == [("UNSET", "voice", "mine")]


async def test_hooks(websockets, telemetry, connect, started):
    """They get the request with the settings of the session, and the response."""
    hooked: list[Any] = []
    started(
        request_hook=lambda _span, request: hooked.append(request.body.get("instructions")),
        response_hook=lambda _span, _request, response: hooked.append(response["id"]),
    )
    websockets.script(answering(*ANSWER))
    async with connect() as connection:
        await settled(connection.response.create(response={"instructions": "Be kind."}))
        await read(connection)
    assert hooked == ["Be kind.", "resp_1"]


async def test_the_address_of_the_websocket(websockets, telemetry, client, started):
    """It counts where it is not that of the client."""
    started()
    websockets.script(answering(*ANSWER))
    elsewhere = client.with_options(
        base_url="https://api.openai.com/v1", websocket_base_url=f"ws://127.0.0.1:{websockets.port}/v1"
    )
    async with Opened(elsewhere.realtime.connect(model=MODEL)) as connection:
        await settled(connection.response.create())
        await read(connection)
    assert facts(telemetry, "server.address", "server.port") == [("UNSET", "127.0.0.1", websockets.port)]


async def test_azure(websockets, telemetry, started):
    """Its provider is Azure's."""
    import openai

    started()
    websockets.script(answering(*ANSWER))
    client = openai.AzureOpenAI(
        azure_endpoint="https://example.openai.azure.com",
        websocket_base_url=f"ws://127.0.0.1:{websockets.port}/openai",
        api_key="k",
        api_version="2099-01-01",
    )
    with client.realtime.connect(model=MODEL) as connection:
        connection.response.create()
        await read(connection)
    assert facts(telemetry, "gen_ai.provider.name", "gen_ai.request.model") == [("UNSET", "azure.ai.openai", MODEL)]


async def test_the_beta(websockets, telemetry, client, started):
    """`client.beta.realtime` has the same, by its own names of events and settings."""
    place = {"response_id": "resp_1", "item_id": "item_a", "output_index": 0, "content_index": 0}
    content = [{"type": "audio", "transcript": "Hello."}]
    message = {"id": "item_a", "type": "message", "role": "assistant", "status": "completed", "content": content}
    beta = {
        "id": "sess_1",
        "model": "gpt-4o-realtime-preview-2024-12-17",
        "modalities": ["text", "audio"],
        "temperature": 0.8,
    }
    started(capture_message_content="span_only")
    websockets.script(
        answering(
            created(),
            {"type": "response.audio.delta", **place, "delta": "AAAA"},
            {"type": "response.audio_transcript.delta", **place, "delta": "Hello."},
            done(output=[message]),
            first={"type": "session.created", "session": {**beta, "max_response_output_tokens": 200}},
        )
    )
    elsewhere = client.with_options(websocket_base_url=f"ws://127.0.0.1:{websockets.port}/v1")
    async with Opened(elsewhere.beta.realtime.connect(model="gpt-4o-realtime-preview")) as connection:
        await read(connection, "session.created")
        await settled(connection.response.create())
        await read(connection)
    (span,) = telemetry.snapshot()["spans"]
    assert span["attributes"] == snapshot(
        {
            "gen_ai.conversation.id": "conv_1",
            "gen_ai.operation.name": "chat",
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello."}],"finish_reason":"stop"}]',
            "gen_ai.output.type": "speech",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.max_tokens": 200,
            "gen_ai.request.model": "gpt-4o-realtime-preview",
            "gen_ai.request.stream": True,
            "gen_ai.request.temperature": 0.8,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.id": "resp_1",
            "gen_ai.response.model": "gpt-4o-realtime-preview-2024-12-17",
            "gen_ai.response.status": "completed",
            "gen_ai.response.time_to_first_chunk": "<seconds>",
            "gen_ai.usage.audio.cache_read.input_tokens": 4,
            "gen_ai.usage.audio.input_tokens": 13,
            "gen_ai.usage.audio.output_tokens": 91,
            "gen_ai.usage.cache_read.input_tokens": 64,
            "gen_ai.usage.image.cache_read.input_tokens": 0,
            "gen_ai.usage.image.input_tokens": 0,
            "gen_ai.usage.input_tokens": 132,
            "gen_ai.usage.output_tokens": 121,
            "gen_ai.usage.text.cache_read.input_tokens": 60,
            "gen_ai.usage.text.input_tokens": 119,
            "gen_ai.usage.text.output_tokens": 30,
            "openai.api.type": "realtime",
            "openai.realtime.session.id": "sess_1",
            "server.address": "127.0.0.1",
            "server.port": "<port>",
        }
    )
    assert events_of(telemetry) == [STARTED, ENDED]
