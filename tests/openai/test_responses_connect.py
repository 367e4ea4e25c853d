"""Connections of the Responses API: each response is a call, as one that is streamed over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot

from contract.drive import Opened, settled
from loopback import Sse, Telemetry
from loopback.openai_bodies import MODEL, response
from loopback.websockets import Peer, WebsocketServer
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

websockets_package: Any = pytest.importorskip("websockets.exceptions")
resources: Any = pytest.importorskip("openai.resources.responses.responses")
if not hasattr(resources.Responses, "connect"):
    pytest.skip("this version has no connections of the Responses API", allow_module_level=True)
# The SDK's own way to open a connection, which the newest `websockets` warns of.
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")

LATEST, DUP = "gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"
STARTED, ENDED, ERROR = (f"gen_ai.client.realtime_session.{word}" for word in ("started", "ended", "error"))
EXCEPTION = "gen_ai.client.operation.exception"
REASONS, RESPONSE, STATUS = "gen_ai.response.finish_reasons", "gen_ai.response.id", "gen_ai.response.status"
ASKED: dict[str, Any] = {"model": MODEL, "input": "Say hello", "instructions": "Be brief.", "temperature": 0.5}


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, websockets: WebsocketServer) -> Any:
    """A client of the server of websockets, sync or async; its connections are used alike by `settled`."""
    import openai

    kind = openai.OpenAI if request.param == "sync" else openai.AsyncOpenAI
    return kind(base_url=f"{websockets.url}/v1", api_key="sk-not-a-key")


@pytest.fixture(params=["responses", "beta.responses"])
def connect(request: pytest.FixtureRequest, client: Any) -> Callable[..., Opened]:
    """Opens a connection of either resource, for `async with`."""
    resource = client.responses if request.param == "responses" else client.beta.responses

    def make(**more: Any) -> Opened:
        return Opened(resource.connect(**more))

    return make


@pytest.fixture
def started(telemetry: Telemetry) -> Callable[..., None]:
    """Starts the instrumentation, with these settings."""

    def start(**settings: Any) -> None:
        OpenAIInstrumentor().instrument(**telemetry.providers, **settings)

    return start


def events_of(whole: dict[str, Any], *, last: str = "response.completed", text: str = "Hello") -> list[dict[str, Any]]:
    """A response as events."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_1", "output_index": 0}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_text.delta", **place, "content_index": 0, "delta": text, "logprobs": []},
        {"type": last, "response": whole},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


async def read(connection: Any, last: str = "response.completed", times: int = 1) -> list[Any]:
    """Read events until one of a type has come as often as that."""
    events: list[Any] = []
    while times:
        events.append(await settled(connection.recv()))
        times -= events[-1].type == last
    return events


def answering(*events: dict[str, Any]) -> Callable[[Peer], Any]:
    """A script: these events when a response is requested."""

    async def script(peer: Peer) -> None:
        await peer.expect("response.create")
        await peer.send(*events)
        await peer.wait()

    return script


def facts(telemetry: Telemetry, *names: str) -> list[Any]:
    """Of each span, in the order of their ends, its status and some attributes."""
    return [
        (span.status.status_code.name, *((span.attributes or {}).get(name) for name in names))
        for span in telemetry.spans
    ]


def names_of(telemetry: Telemetry) -> list[str]:
    """The names of the events, but for those of details."""
    return [event.event_name for event in telemetry.events if not event.event_name.endswith("details")]


async def test_a_response(websockets, telemetry, connect, started):
    """It has what a call has, with content; the connection is two events."""
    started(capture_message_content="span_only")
    websockets.script(answering(*events_of(response("Hello"))))
    async with connect() as connection:
        await settled(connection.response.create(**ASKED))
        await read(connection)
    recorded = telemetry.snapshot()
    assert recorded["spans"] == snapshot(
        [
            {
                "name": "chat gpt-4o-mini",
                "kind": "CLIENT",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Say hello"}]}]',
                    "gen_ai.operation.name": "chat",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o-mini",
                    "gen_ai.request.stream": True,
                    "gen_ai.request.temperature": 0.5,
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.id": "resp_1",
                    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                    "gen_ai.response.status": "completed",
                    "gen_ai.response.time_to_first_chunk": "<seconds>",
                    "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
                    "gen_ai.usage.input_tokens": 8,
                    "gen_ai.usage.output_tokens": 2,
                    "openai.api.type": "responses",
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
                    "server.address": "127.0.0.1",
                    "server.port": "<port>",
                },
                "span": None,
                "timestamp": True,
            },
        ]
    )


SETTINGS = [
    {"semconv_stability_opt_in": generation, "capture_message_content": content}
    for generation in ("default", LATEST, DUP)
    for content in ("no_content", "span_and_event")
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: ",".join(settings.values()))
async def test_the_same_as_over_http(  # noqa: PLR0917 - fixtures
    websockets, server, telemetry, connect, client, settings
):
    """A response on a connection has the attributes, the content and the metrics of one that is streamed over HTTP."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
    whole = response("Hello")
    websockets.script(answering(*events_of(whole)))
    async with connect() as connection:
        await settled(connection.response.create(**ASKED))
        await read(connection)
    by_websocket = telemetry.snapshot()
    telemetry.clear()
    server.reply(Sse(events_of(whole), event_names=True))
    over_http = client.with_options(base_url=f"{server.url}/v1", max_retries=0)
    stream = await settled(over_http.responses.create(**ASKED, stream=True))
    seen = [event async for event in stream] if hasattr(stream, "__aiter__") else list(stream)
    await settled(over_http.close())
    assert len(seen) == 5
    by_http = telemetry.snapshot()
    for span in by_http["spans"]:
        del span["attributes"]["http.response.status_code"]
    for event in by_http["events"]:
        event["attributes"].pop("http.response.status_code", None)
    assert by_websocket["spans"] == by_http["spans"]
    assert by_websocket["metrics"] == by_http["metrics"]
    assert by_websocket["events"][1:-1] == by_http["events"]


async def test_many_in_one_connection(websockets, telemetry, connect, started):
    """One after the other, each is a call of its own, below the span in which it was requested."""

    async def script(peer: Peer) -> None:
        for number in range(3):
            await peer.expect("response.create")
            await peer.send(*events_of({**response("Hello"), "id": f"resp_{number}"}))
        await peer.wait()

    started()
    websockets.script(script)
    tracer = telemetry.tracer_provider.get_tracer("application")
    async with connect() as connection:
        for number in range(3):
            with tracer.start_as_current_span(f"turn {number}"):
                await settled(connection.response.create(**ASKED))
            await read(connection)
    spans = [span for span in telemetry.snapshot()["spans"] if span["kind"] == "CLIENT"]
    assert [(span["attributes"][RESPONSE], span["parent"]) for span in spans] == [
        (f"resp_{number}", f"turn {number}") for number in range(3)
    ]
    assert [point.count for point in telemetry.metrics["gen_ai.client.token.usage"]] == [3, 3]


async def test_lanes(websockets, telemetry, connect, started):
    """Responses in lanes run beside each other; an error in one is that of its response."""

    async def script(peer: Peer) -> None:
        for _ in range(3):
            await peer.expect("response.create")
        one, two = (
            [{**event, "stream_id": lane} for event in events_of({**response(lane), "id": f"resp_{lane}"}, text=lane)]
            for lane in ("a", "b")
        )
        failed = {"type": "server_error", "code": "overloaded", "message": "No."}
        await peer.send(*two[:3], *one[:3], {"type": "error", "error": failed, "stream_id": "b"})
        await peer.send(*one[3:], *events_of({**response("c"), "id": "resp_c"}, text="c"))
        await peer.wait()

    started(capture_message_content="span_only")
    websockets.script(script)
    async with connect() as connection:
        await settled(connection.response.create(**ASKED, stream_id="a"))
        await settled(connection.response.create(**ASKED, stream_id="b"))
        await settled(connection.response.create(**ASKED))
        await read(connection, times=2)
    assert facts(telemetry, "error.type", RESPONSE, REASONS) == [
        ("ERROR", "overloaded", "resp_b", ("error",)),
        ("UNSET", None, "resp_a", ("stop",)),
        ("UNSET", None, "resp_c", ("stop",)),
    ]
    assert names_of(telemetry) == [STARTED, EXCEPTION, ENDED]


async def test_steering(websockets, telemetry, connect, started):
    """A response that is steered ends, and the server continues it by one of its own, with the same model."""

    async def script(peer: Peer) -> None:
        await peer.expect("response.create")
        steered = {**response("Hel"), "status": "incomplete", "incomplete_details": {"reason": "steered"}}
        first = events_of(steered, last="response.incomplete")
        await peer.send(*first[:-1])
        await peer.expect("response.steer")
        await peer.send({"type": "response.steer.accepted", "response_id": "resp_1"}, first[-1])
        await peer.send(*events_of({**response("Bye"), "id": "resp_next"}))
        await peer.wait()

    started()
    websockets.script(script)
    async with connect() as connection:
        if not hasattr(connection.response, "steer"):
            pytest.skip("this resource cannot steer")
        await settled(connection.response.create(**ASKED))
        await read(connection, "response.output_text.delta")
        await settled(connection.response.steer(input="Say bye", previous_response_id="resp_1"))
        await read(connection)
    assert facts(telemetry, "gen_ai.request.model", REASONS, RESPONSE) == [
        ("UNSET", MODEL, ("steered",), response("x")["id"]),
        ("UNSET", MODEL, ("stop",), "resp_next"),
    ]


ENDINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "too long": (
        "response.incomplete",
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    ),
    "failed": ("response.failed", {"status": "failed", "error": {"code": "server_error", "message": "x"}}),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_how_responses_end(websockets, telemetry, connect, started, ending):
    """As over HTTP."""
    last, more = ENDINGS[ending]
    started()
    websockets.script(answering(*events_of({**response("Hello"), **more}, last=last)))
    async with connect() as connection:
        await settled(connection.response.create(**ASKED))
        await read(connection, last)
    expected = {"too long": ("UNSET", None, ("length",)), "failed": ("ERROR", "server_error", ("error",))}
    assert facts(telemetry, "error.type", REASONS) == [expected[ending]]


async def test_errors(websockets, telemetry, connect, started):
    """One that comes before the response was created fails it; one of no response is an event of its own."""
    refused = {"type": "invalid_request_error", "code": "bad_thing", "message": "Hello"}
    started()
    websockets.script(answering(*[{"type": "error", "status": 400, "error": refused}] * 2))
    async with connect() as connection:
        await settled(connection.response.create(**ASKED))
        await read(connection, "error", times=2)
    assert facts(telemetry, "error.type", RESPONSE) == [("ERROR", "bad_thing", None)]
    assert names_of(telemetry) == [STARTED, EXCEPTION, ERROR, ENDED]
    assert not [event for event in telemetry.events if "Hello" in str(dict(event.attributes))]


async def test_a_connection_that_is_cut(websockets, telemetry, connect, started):
    """The response on it fails with the exception that the application gets; the next one is followed on a new connection."""

    async def cut(peer: Peer) -> None:
        await peer.expect("response.create")
        await peer.send(*events_of(response("Hello"))[:-1])
        await peer.close(1011)

    started()
    websockets.script(cut, answering(*events_of(response("Hello"))))
    async with connect(on_reconnecting=lambda _event: None, initial_delay=0.01) as connection:
        await settled(connection.response.create(**ASKED))
        if hasattr(connection, "__aiter__"):
            events = connection.__aiter__()
            kinds = [(await anext(events)).type for _ in range(4)]
            reading = anext(events)
        else:
            events = iter(connection)
            kinds = [next(events).type for _ in range(4)]
            reading = None
        assert kinds[-1] == "response.output_text.delta"
        import asyncio

        waiting = (
            asyncio.ensure_future(reading)
            if reading is not None
            else asyncio.create_task(asyncio.to_thread(next, events))
        )
        while not telemetry.spans:
            await asyncio.sleep(0.01)
        while len(websockets.paths) < 2:
            await asyncio.sleep(0.01)
        await settled(connection.response.create(**ASKED))
        assert (await waiting).type == "response.created"
        await read(connection)
    cut_off = "websockets.exceptions.ConnectionClosedError"
    assert facts(telemetry, "error.type", REASONS) == [("ERROR", cut_off, ("error",)), ("UNSET", None, ("stop",))]
    assert names_of(telemetry) == [STARTED, EXCEPTION, ENDED, STARTED, ENDED]


async def test_a_connection_that_is_closed(websockets, telemetry, connect, started):
    """The response that runs ends without an error; one that was only requested as well."""
    started()
    websockets.script(answering(*events_of(response("Hello"))[:-1]))
    async with connect() as connection:
        await settled(connection.response.create(**ASKED))
        await read(connection, "response.output_text.delta")
        await settled(connection.response.create(**ASKED))
    assert sorted(facts(telemetry, "error.type", REASONS), key=str) == [
        ("UNSET", None, ("error",)),
        ("UNSET", None, None),
    ]
    assert names_of(telemetry) == [STARTED, ENDED]


async def test_the_same_as_without(websockets, telemetry, connect, started):
    """The events, their types, and what goes over the wire."""
    websockets.script(answering(*events_of(response("Hello"))))
    seen = []
    for instrumented in (False, True):
        if instrumented:
            started(capture_message_content="span_and_event")
        async with connect() as connection:
            await settled(connection.response.create(**ASKED, tools=[{"type": "web_search"}]))
            events = await read(connection)
        seen.append(([type(event) for event in events], [event.to_dict() for event in events], [*websockets.sent]))
        websockets.script(answering(*events_of(response("Hello"))))
    assert seen[0] == seen[1]
    assert len(telemetry.spans) == 1
