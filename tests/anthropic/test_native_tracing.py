"""The SDK's own tracing beside ours: one call has one span, whichever of the two it is.

Newer versions of the SDK make a span of their own for each call. In every test, spans of the SDK,
were they made, would be among what was recorded; what the SDK does without us is recorded first, to compare with.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import anthropic
import pytest
from anthropic._base_client import BaseClient
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from contract.drive import SYNC, Opened, listed, settled
from loopback import Hang, Json, ModelServer, Reply, Sse, Telemetry, closed_port, same, settle
from loopback.processes import run
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

SDK, OURS = "com.anthropic.sdk.python", "opentelemetry_instrumentation_genai"
MODES = ("replace", "enrich", "off")
DETAILS, EXCEPTION = "gen_ai.client.inference.operation.details", "gen_ai.client.operation.exception"
MODEL, SERVED = "claude-test", "claude-test-1"
SECRET = "the words that nobody may read"
TRACES = isinstance(vars(BaseClient).get("_tracer"), property)
traced = pytest.mark.skipif(not TRACES, reason="this SDK does not trace itself")

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": SERVED,
    "content": [{"type": "text", "text": SECRET}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 8,
        "output_tokens": 2,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 1},
        "service_tier": "standard",
        "output_tokens_details": {"thinking_tokens": 1},
    },
}
EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {**MESSAGE, "content": [], "stop_reason": None, "usage": {**MESSAGE["usage"], "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SECRET[:9]}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SECRET[9:]}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 2, "output_tokens_details": {"thinking_tokens": 1}},
    },
    {"type": "message_stop"},
]
HEADERS = {"request-id": "req_1", "anthropic-organization-id": "org_1", "anthropic-workspace-id": "ws_1"}
PLAIN = Json(MESSAGE, headers=HEADERS)
STREAM = Sse(EVENTS, event_names=True, headers=HEADERS)
BUSY = Json(
    {"type": "error", "error": {"type": "overloaded_error", "message": SECRET}},
    status=529,
    headers={**HEADERS, "retry-after-ms": "1"},
)
ASKED: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 2000,
    "messages": [{"role": "user", "content": SECRET}],
    "system": SECRET,
    "stop_sequences": ["END"],
    "extra_headers": {"anthropic-beta": "first-1, second-2"},
    # Not as keywords: old SDKs know none of them.
    "extra_body": {
        "service_tier": "auto",
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    },
}


class Application:
    """An application with clients of one kind, synchronous or asynchronous."""

    def __init__(self, server: ModelServer, telemetry: Telemetry, *, asynchronous: bool) -> None:
        self.server = server
        self.telemetry = telemetry
        self.asynchronous = asynchronous
        self._loop = asyncio.new_event_loop() if asynchronous else None
        self._clients: list[Any] = []

    def client(self, **settings: Any) -> Any:
        """A client of the model server; its own spans, if it makes any, are recorded with ours."""
        kind: Any = anthropic.AsyncAnthropic if self.asynchronous else anthropic.Anthropic
        http: Any = anthropic.DefaultAsyncHttpxClient if self.asynchronous else anthropic.DefaultHttpxClient
        known: dict[str, Any] = {"base_url": self.server.url, "api_key": "not-a-key", "max_retries": 0}
        if "http_client" not in settings:
            known["http_client"] = http(verify=False)  # to load certificates takes longer than a test
        if TRACES:
            known["open_telemetry"] = {"tracer_provider": self.telemetry.tracer_provider, "conversation_id": "conv_1"}
        made = kind(**{**known, **settings})
        self._clients.append(made)
        return made

    def run(self, coroutine: Any) -> Any:
        """What is written once for both kinds."""
        return SYNC.run(coroutine) if self._loop is None else self._loop.run_until_complete(coroutine)

    def instrument(self, mode: str | None = None, **settings: Any) -> None:
        """From now on, calls are followed."""
        AnthropicInstrumentor().instrument(
            **self.telemetry.providers, **settings, **({} if mode is None else {"anthropic_native_tracing": mode})
        )

    def create(self, client: Any, **changes: Any) -> Any:
        """A plain call."""
        return self.run(plain(client, **changes))

    def close(self) -> None:
        """Closes the clients, and the loop of asynchronous ones."""
        for client in self._clients:
            self.run(_closed(client))
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


async def _closed(client: Any) -> None:
    await settled(client.close())


@pytest.fixture(params=["sync", "async"])
def application(request, server, telemetry) -> Iterator[Application]:
    """One of each kind."""
    made = Application(server, telemetry, asynchronous=request.param == "async")
    yield made
    made.close()


# How an application calls and reads, each written once for both kinds of client.


async def plain(client: Any, **changes: Any) -> Any:
    """`messages.create(...)`."""
    return await settled(client.messages.create(**{**ASKED, **changes}))


async def beta(client: Any) -> Any:
    """`beta.messages.create(...)`."""
    return await settled(client.beta.messages.create(**ASKED))


async def parsed(client: Any) -> Any:
    """`messages.parse(...)`."""
    return await settled(client.messages.parse(**ASKED))


async def stream(client: Any) -> Any:
    """`for event in messages.create(..., stream=True)`."""
    return await listed(await settled(client.messages.create(**ASKED, stream=True)))


async def helper(client: Any) -> Any:
    """`messages.stream(...)`, event by event."""
    async with Opened(client.messages.stream(**ASKED)) as events:
        return await listed(events)


async def helper_final(client: Any) -> Any:
    """`messages.stream(...)` and its final message."""
    async with Opened(client.messages.stream(**ASKED)) as events:
        return await settled(events.get_final_message())


async def beta_helper(client: Any) -> Any:
    """`beta.messages.stream(...)` and its final message."""
    async with Opened(client.beta.messages.stream(**ASKED)) as events:
        return await settled(events.get_final_message())


async def raw(client: Any) -> Any:
    """`with_raw_response.create(...)`, parsed."""
    response = await settled(client.messages.with_raw_response.create(**ASKED))
    return await settled(response.parse())


async def raw_stream(client: Any) -> Any:
    """`with_raw_response.create(..., stream=True)`, parsed and read."""
    response = await settled(client.messages.with_raw_response.create(**ASKED, stream=True))
    return await listed(await settled(response.parse()))


async def dropped(client: Any) -> None:
    """A stream that is forgotten after four events."""
    events = await settled(client.messages.create(**ASKED, stream=True))
    await _taken(events, 4)
    del events
    gc.collect()


async def streaming_parsed(client: Any) -> Any:
    """`with_streaming_response.create(...)`, parsed."""
    async with Opened(client.messages.with_streaming_response.create(**ASKED)) as response:
        return await settled(response.parse())


async def streaming_stream(client: Any) -> Any:
    """`with_streaming_response.create(..., stream=True)`, parsed and read."""
    async with Opened(client.messages.with_streaming_response.create(**ASKED, stream=True)) as response:
        return await listed(await settled(response.parse()))


async def streaming_lines(client: Any) -> Any:
    """`with_streaming_response.create(..., stream=True)`, line by line."""
    async with Opened(client.messages.with_streaming_response.create(**ASKED, stream=True)) as response:
        return await listed(response.iter_lines())


async def streaming_unread(client: Any) -> None:
    """`with_streaming_response.create(...)`, left without reading."""
    async with Opened(client.messages.with_streaming_response.create(**ASKED)):
        pass


async def left_early(client: Any) -> None:
    """A stream that is closed after four events."""
    events = await settled(client.messages.create(**ASKED, stream=True))
    await _taken(events, 4)
    await settled(events.close())


async def helper_left_early(client: Any) -> None:
    """A helper that is left after four events."""
    async with Opened(client.messages.stream(**ASKED)) as events:
        await _taken(events, 4)


async def never_read(client: Any) -> None:
    """A stream that is closed before it is read."""
    events = await settled(client.messages.create(**ASKED, stream=True))
    await settled(events.close())


async def again(client: Any) -> Any:
    """A call that the SDK sends a second time."""
    return await plain(client.with_options(max_retries=1))


async def stream_again(client: Any) -> Any:
    """A streamed call that the SDK sends a second time."""
    return await stream(client.with_options(max_retries=1))


async def refused(client: Any) -> Any:
    """A call to where nobody listens."""
    return await plain(client.with_options(base_url=f"http://127.0.0.1:{closed_port()}"))


async def timed_out(client: Any) -> Any:
    """A call that takes too long."""
    return await plain(client.with_options(timeout=0.05))


async def _taken(events: Any, count: int) -> None:
    for _ in range(count):
        await events.__anext__() if hasattr(events, "__anext__") else next(events)


@dataclass(frozen=True)
class Way:
    """One way of calling, and what the server answers."""

    call: Callable[[Any], Awaitable[Any]]
    replies: Sequence[Reply]
    raises: bool = False
    # Attributes that both have, and in which ours has another word.
    own_words: frozenset[str] = field(default_factory=frozenset)
    # Attributes that the SDK's span has and ours does not, in this way only.
    not_recorded: frozenset[str] = field(default_factory=frozenset)
    # Whether ours reads a response that the SDK's leaves alone.
    reads_more: bool = False
    # How it ended: by the SDK's span, and by ours.
    statuses: tuple[str, str] = ("OK", "UNSET")


def failing(call: Callable[[Any], Awaitable[Any]], *replies: Reply, **more: Any) -> Way:
    """A way that ends with an exception of the SDK."""
    return Way(call, replies, raises=True, statuses=("ERROR", "ERROR"), **more)


ERROR_TYPE = frozenset({"error.type"})
EVENT_OF_ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": SECRET}}
WAYS: dict[str, Way] = {
    "plain": Way(plain, [PLAIN]),
    "beta": Way(beta, [PLAIN]),
    "raw": Way(raw, [PLAIN]),
    "streaming, parsed": Way(streaming_parsed, [PLAIN], reads_more=True),
    "stream": Way(stream, [STREAM]),
    "helper": Way(helper, [STREAM]),
    "helper, final": Way(helper_final, [STREAM]),
    "beta helper": Way(beta_helper, [STREAM]),
    "raw stream": Way(raw_stream, [STREAM]),
    "streaming stream": Way(streaming_stream, [STREAM]),
    "streaming, lines": Way(streaming_lines, [STREAM], reads_more=True),
    "streaming, unread": Way(streaming_unread, [PLAIN], statuses=("UNSET", "UNSET")),
    "left early": Way(left_early, [STREAM], statuses=("UNSET", "UNSET")),
    "helper left early": Way(helper_left_early, [STREAM], statuses=("UNSET", "UNSET")),
    "dropped": Way(dropped, [STREAM], statuses=("UNSET", "UNSET")),
    "never read": Way(never_read, [STREAM], statuses=("UNSET", "UNSET")),
    "sent again": Way(again, [BUSY, PLAIN]),
    "stream sent again": Way(stream_again, [BUSY, STREAM]),
    "refused by the provider": failing(plain, BUSY),
    "stream refused by the provider": failing(stream, BUSY),
    "sent again in vain": failing(again, BUSY, BUSY),
    "an error of no known form": failing(plain, Json(["?"], status=500), own_words=ERROR_TYPE),
    "nobody listens": failing(refused, own_words=ERROR_TYPE),
    "too late": failing(timed_out, Hang(3), own_words=ERROR_TYPE),
    "cut": failing(plain, Json(MESSAGE, end="cut"), own_words=ERROR_TYPE),
    "stream cut": failing(stream, Sse(EVENTS, event_names=True, end="cut", sent=4), own_words=ERROR_TYPE),
    "helper cut": failing(helper, Sse(EVENTS, event_names=True, end="cut", sent=4), own_words=ERROR_TYPE),
    "an error in the stream": failing(stream, Sse([*EVENTS[:4], EVENT_OF_ERROR], event_names=True)),
    # A body that ends without its last event fails nothing that the application sees: by our rules, no error.
    "a stream without its end": Way(
        stream,
        [Sse(EVENTS, event_names=True, end="early", sent=4)],
        statuses=("ERROR", "UNSET"),
        not_recorded=ERROR_TYPE,
    ),
}

# What the SDK's span tells and ours never does, and why.
LEFT_OUT = {
    "http.request.method": "the span is of an operation, not of a request: its name says what was asked",
    "http.route": "the same; every chat has the same one",
    "url.full": "an instrumentation of the HTTP client tells it, in a span below; host and port are in `server.*`",
    "url.path": "the same",
    "url.scheme": "the same",
}
# Each measures the time until another moment: ours until the first event, the SDK's until the first piece of content.
MEASURED = "gen_ai.response.time_to_first_chunk"
# What ours adds, and the SDK's lacks.
ADDED = {
    "gen_ai.request.stop_sequences",
    "gen_ai.response.finish_reasons",
    "gen_ai.usage.cache_creation.input_tokens",
}
# What a response gives besides.
OF_RESPONSES = {
    "anthropic.message.stop_reason",
    "anthropic.response.service_tier",
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens",
}


def performed(application: Application, way: Way, **settings: Any) -> None:
    """The call of a way, made and read; nothing of it is left when this returns."""
    application.server.reply(*way.replies)
    client = application.client(**settings)
    caught: Any = pytest.raises(Exception) if way.raises else contextlib.nullcontext()
    with caught:
        application.run(way.call(client))
    application.run(_turns())
    assert not trace.get_current_span().get_span_context().is_valid
    assert 0 == application.server.waiting


async def _turns() -> None:
    """An event loop, if there is one, gets to close what was dropped."""
    with contextlib.suppress(RuntimeError):
        for _ in range(10 if asyncio.get_running_loop() else 0):
            await asyncio.sleep(0)


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of a span, but for the time that is another one in each run."""
    attributes = dict(span.attributes or {})
    assert attributes.pop(MEASURED, 0.0) >= 0
    return attributes


def added(way: Way) -> set[str]:
    """What we may tell more than the SDK does."""
    return ADDED | OF_RESPONSES if way.reads_more else ADDED


def scope(span: ReadableSpan) -> str:
    """Who made it."""
    assert span.instrumentation_scope is not None
    return span.instrumentation_scope.name


def bare(application: Application, way: Way, **settings: Any) -> ReadableSpan:
    """The SDK's span of a call that nobody follows."""
    performed(application, way, **settings)
    (span,) = application.telemetry.spans
    assert SDK == scope(span)
    application.telemetry.clear()
    application.server.reset()
    return span


def measured(telemetry: Telemetry) -> dict[str, Any]:
    """The points of all metrics; every exemplar is of the one span; its name differs from mode to mode."""
    metrics = telemetry.snapshot()["metrics"]
    for metric in metrics.values():
        for point in metric["points"]:
            assert [telemetry.span.name] == point.pop("exemplars")
    return metrics


@traced
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_replaced_by_ours(application, telemetry, way):
    """By default there is one span, ours, and it has all attributes that the SDK's would have, with the same values."""
    without_us = bare(application, way)
    theirs = attributes_of(without_us)
    application.instrument()
    performed(application, way)

    assert OURS == scope(telemetry.span)
    ours = attributes_of(telemetry.span)
    assert [] == sorted(theirs.keys() - ours.keys() - LEFT_OUT.keys() - way.not_recorded)
    assert [] == sorted(ours.keys() - theirs.keys() - added(way))
    differing = {name for name in theirs.keys() & ours.keys() if not same(theirs[name], ours[name])}
    assert way.own_words == differing
    # What failed is an error of either; the SDK says OK where we say nothing, as the conventions want it.
    assert way.statuses == (without_us.status.status_code.name, telemetry.span.status.status_code.name)


@traced
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_enriched(application, telemetry, way):
    """The one span is the SDK's, with its own attributes and its own status, and what it lacks added by us."""
    theirs = bare(application, way)
    application.instrument("enrich")
    performed(application, way)

    span = telemetry.span
    attributes, before = attributes_of(span), attributes_of(theirs)
    assert (SDK, theirs.name, theirs.kind) == (scope(span), span.name, span.kind)
    assert before == {name: attributes[name] for name in before if name in attributes}
    assert [] == sorted(attributes.keys() - before.keys() - added(way))
    assert {"gen_ai.request.stop_sequences"} <= attributes.keys()
    assert (theirs.status.status_code, theirs.status.description) == (span.status.status_code, span.status.description)
    assert () == span.events


@traced
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_left_alone(application, telemetry, way):
    """With `off`, the one span is the SDK's, as it is without us to the last attribute; metrics are ours."""
    theirs = bare(application, way)
    application.instrument("off")
    performed(application, way)

    span = telemetry.span
    assert (SDK, theirs.name, theirs.kind) == (scope(span), span.name, span.kind)
    assert same(attributes_of(theirs), attributes_of(span))
    assert (theirs.status.status_code, theirs.status.description) == (span.status.status_code, span.status.description)
    assert {"gen_ai.client.operation.duration"} <= telemetry.metrics.keys()


@traced
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_metrics_and_events_are_ours_in_every_mode(application, telemetry, way):
    """The same points and the same events, each with the context of the one span."""
    seen = []
    for mode in MODES:
        application.instrument(mode, emit_event=True)
        performed(application, way)
        context = telemetry.span.context
        events = telemetry.events
        assert {(context.trace_id, context.span_id)} == {(event.trace_id, event.span_id) for event in events}
        seen.append((measured(telemetry), [(event.event_name, sorted(event.attributes)) for event in events]))
        AnthropicInstrumentor().uninstrument()
        telemetry.clear()

    assert DETAILS in [name for name, _ in seen[0][1]]
    assert seen[0] == seen[1] == seen[2]


HEADER = "anthropic-beta"
# The client's settings, the call's, and the method's own.
BETAS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "of the call": ({}, {"extra_headers": {HEADER: "one-1,two-2"}}),
    "in capitals": ({}, {"extra_headers": {"Anthropic-Beta": "one-1 , two-2,"}}),
    "of the client": ({"default_headers": {HEADER: "one-1"}}, {}),
    "of the call over the client's": ({"default_headers": {HEADER: "one-1"}}, {"extra_headers": {HEADER: "two-2"}}),
    "left out of the client's": ({"default_headers": {HEADER: "one-1"}}, {"extra_headers": {HEADER: "<omit>"}}),
    "empty": ({}, {"extra_headers": {HEADER: ""}}),
    "none": ({}, {"extra_headers": {}}),
    "of the beta method": ({}, {"betas": ["one-1", "two-2"], "extra_headers": {}}),
    "of the beta method and the client": (
        {"default_headers": {HEADER: "three-3"}},
        {"betas": ["one-1", "two-2"], "extra_headers": {}},
    ),
    "of the beta method and the call": ({}, {"betas": ["one-1"], "extra_headers": {HEADER: "two-2"}}),
}


@traced
@pytest.mark.parametrize("name", BETAS)
def test_beta_features(application, telemetry, name):
    """Wherever they are asked for, both spans tell the same of them, and the server hears it."""
    settings, given = BETAS[name]
    keywords = {**ASKED, "extra_headers": {}, **given}
    keywords["extra_headers"] = {
        header: anthropic.omit if value == "<omit>" else value for header, value in keywords["extra_headers"].items()
    }

    async def call(client: Any) -> Any:
        messages = client.beta.messages if "betas" in keywords else client.messages
        return await settled(messages.create(**keywords))

    way = Way(call, [PLAIN])
    theirs = bare(application, way, **settings).attributes.get("anthropic.beta")
    application.instrument()
    performed(application, way, **settings)

    assert theirs == telemetry.span.attributes.get("anthropic.beta")
    sent = application.server.requests[0].headers.get(HEADER, "")
    assert list(theirs or ()) == [word.strip() for word in sent.split(",") if word.strip()]


@traced
@pytest.mark.parametrize("way", [WAYS["plain"], WAYS["stream"], WAYS["helper"]], ids=["plain", "stream", "helper"])
def test_the_times_of_an_enriched_span(application, telemetry, way):
    """It ends when the SDK ended it: its length is that of the call, and it ends once."""
    application.instrument("enrich")
    performed(application, way)

    span = telemetry.span
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert 0 < span.end_time - span.start_time < 2 * duration.sum * 1e9 + 1e8


async def cancelled(client: Any, server: ModelServer) -> None:
    """A call of a task that is cancelled while the provider thinks."""
    task = asyncio.ensure_future(plain(client))
    while not server.requests:
        await asyncio.sleep(0.002)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_stream(client: Any, server: ModelServer) -> None:
    """A stream with a reader that is cancelled while it waits for the next event."""
    read: list[Any] = []

    async def reading() -> None:
        async for event in await client.messages.create(**ASKED, stream=True):
            read.append(event)  # noqa: PERF401 - what was read before counts

    task = asyncio.ensure_future(reading())
    while len(read) < 3:
        await asyncio.sleep(0.002)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@traced
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("call", "reply"),
    [(cancelled, Hang(3)), (cancelled_stream, Sse(EVENTS, event_names=True, end="stall", sent=4))],
    ids=["plain", "stream"],
)
def test_cancelled(server, telemetry, mode, call, reply):
    """A task that is cancelled ends its one span, in every mode; for the SDK that is no error."""
    application = Application(server, telemetry, asynchronous=True)
    application.instrument(mode)
    server.reply(reply)

    application.run(call(application.client(), server))

    span = telemetry.span
    expected = (OURS, "ERROR") if mode == "replace" else (SDK, "UNSET")
    assert expected == (scope(span), span.status.status_code.name)
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert "asyncio.exceptions.CancelledError" == duration.attributes["error.type"]
    application.close()


@traced
@pytest.mark.parametrize("mode", MODES)
def test_clients_made_before(application, server, telemetry, mode):
    """A client that is older than the instrumentation, and a copy of it with other options, are treated alike."""
    server.reply_always(PLAIN)
    client = application.client()
    application.create(client)
    copied = client.with_options(timeout=7)
    telemetry.clear()
    application.instrument(mode)

    for each in (client, copied, client.with_options(max_retries=1), application.client()):
        application.create(each)

    assert [OURS if mode == "replace" else SDK] * 4 == [scope(span) for span in telemetry.spans]
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert 4 == duration.count


@traced
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("setting", [False, {"traces": False}, {"traces": {"enabled": False}}], ids=repr)
def test_clients_that_do_not_trace(application, server, telemetry, mode, setting):
    """Where the client's own tracing is switched off, the span is ours in every mode."""
    server.reply_always(PLAIN)
    application.instrument(mode)
    client = application.client(open_telemetry=setting)

    application.create(client)
    application.create(application.client().with_options(open_telemetry=setting))

    assert [OURS, OURS] == [scope(span) for span in telemetry.spans]
    assert all("traceparent" not in request.headers for request in server.requests)


@traced
@pytest.mark.parametrize("mode", MODES)
def test_switched_off_by_the_environment(application, server, telemetry, monkeypatch, mode):
    """`ANTHROPIC_OPEN_TELEMETRY=false` leaves ours."""
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")
    server.reply(PLAIN)
    application.instrument(mode)

    application.create(application.client(open_telemetry=None))

    assert OURS == scope(telemetry.span)


@traced
@pytest.mark.parametrize("mode", MODES)
def test_calls_that_are_not_followed_keep_the_sdk_s_span(application, server, telemetry, mode):
    """Reading and listing models are no operations of ours: their spans are the SDK's, as without us."""

    async def look(client: Any) -> None:
        await settled(client.models.retrieve(MODEL))
        await settled(client.models.list())

    def replies() -> None:
        server.reset()
        server.reply(Json({"id": MODEL}), Json({"data": [], "has_more": False, "first_id": None, "last_id": None}))

    replies()
    application.run(look(application.client()))
    before = [(scope(span), span.name, attributes_of(span), span.status.status_code) for span in telemetry.spans]
    telemetry.clear()
    application.instrument(mode)
    replies()
    application.run(look(application.client()))

    assert 2 == len(before)
    assert before == [
        (scope(span), span.name, attributes_of(span), span.status.status_code) for span in telemetry.spans
    ]
    assert all("traceparent" in request.headers for request in server.requests)
    assert {} == telemetry.metrics


@traced
@pytest.mark.parametrize("mode", MODES)
def test_counted_tokens_are_no_usage_whoever_makes_the_span(application, server, telemetry, mode):
    """One span has the count, by the name that the SDK has for it; a duration is all that is measured."""
    server.reply(Json({"input_tokens": 9}, headers=HEADERS))
    asked = {name: ASKED[name] for name in ("model", "messages", "system")}

    async def count(client: Any) -> None:
        await settled(client.messages.count_tokens(**asked))

    application.instrument(mode)
    application.run(count(application.client()))

    assert (OURS if mode == "replace" else SDK) == scope(telemetry.span)
    assert (f"count_tokens {MODEL}" if mode == "replace" else "anthropic.messages.count_tokens") == telemetry.span.name
    attributes = telemetry.span.attributes
    assert 9 == attributes["anthropic.message.count_tokens.input_tokens"]
    assert ("off" == mode) == ("gen_ai.operation.name" not in attributes)
    assert [] == [name for name in attributes if name.startswith("gen_ai.usage.")]
    assert {"gen_ai.client.operation.duration"} == telemetry.metrics.keys()


CALLS_A_TOOL = {
    **MESSAGE,
    "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Lima"}}],
    "stop_reason": "tool_use",
}


@traced
@pytest.mark.parametrize("mode", MODES)
def test_the_tool_runner(application, server, telemetry, mode):
    """Its loop, its tools and each chat below them have one span, the SDK's or ours by the mode."""

    async def tool(city: str) -> str:
        """Tells the weather."""
        return "rain"

    def sync_tool(city: str) -> str:
        """Tells the weather."""
        return "rain"

    async def loop(client: Any) -> None:
        made = (
            anthropic.beta_async_tool(tool, name="weather")
            if application.asynchronous
            else anthropic.beta_tool(sync_tool, name="weather")
        )
        runner = client.beta.messages.tool_runner(
            model=MODEL, max_tokens=10, messages=[{"role": "user", "content": "Hi"}], tools=[made]
        )
        await settled(runner.until_done())

    server.reply(Json(CALLS_A_TOOL), PLAIN)
    application.instrument(mode)
    application.run(loop(application.client()))

    spans = {span.context.span_id: span for span in telemetry.spans}
    above = {(scope(span), span.attributes["gen_ai.operation.name"]) for span in spans.values()}
    made_by = OURS if mode == "replace" else SDK
    assert {(made_by, "invoke_agent"), (made_by, "execute_tool"), (made_by, "chat")} == above
    assert 4 == len(spans)
    (agent,) = (span for span in spans.values() if span.attributes["gen_ai.operation.name"] == "invoke_agent")
    parents = [span.parent.span_id for span in spans.values() if span.attributes["gen_ai.operation.name"] == "chat"]
    assert [agent.context.span_id] * 2 == parents


@traced
@pytest.mark.parametrize(("mode", "sent"), [("replace", False), ("enrich", True), ("off", True)])
@pytest.mark.parametrize("way", [WAYS["plain"], WAYS["stream"], WAYS["sent again"]], ids=["plain", "stream", "again"])
def test_trace_headers(application, telemetry, mode, sent, way):
    """Those that the SDK sends go with its span: with ours, the provider gets no trace context."""
    server = application.server
    application.instrument(mode)
    with telemetry.tracer_provider.get_tracer("application").start_as_current_span("above"):
        server.reply(*way.replies)
        application.run(way.call(application.client()))

    context = telemetry.spans[0].context
    assert len(way.replies) == len(server.requests)
    for request in server.requests:
        parts = request.headers.get("traceparent", "").split("-")
        expected = [f"{context.trace_id:032x}", f"{context.span_id:016x}"] if sent else []
        assert expected == parts[1:3]
        assert "tracestate" not in request.headers
        assert "baggage" not in request.headers


@traced
@pytest.mark.parametrize("mode", MODES)
def test_no_trace_headers_where_the_client_wants_none(application, server, telemetry, mode):
    """`propagation: False` holds in every mode."""
    server.reply(PLAIN)
    application.instrument(mode)

    client = application.client(open_telemetry={"tracer_provider": telemetry.tracer_provider, "propagation": False})
    application.create(client)

    assert (OURS if mode == "replace" else SDK) == scope(telemetry.span)
    assert "traceparent" not in server.requests[0].headers


@traced
def test_trace_headers_of_the_caller_s_own(application, server):
    """What the application sends itself is sent, also where the SDK's own is not."""
    server.reply(PLAIN)
    application.instrument()
    mine = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    application.create(application.client(), extra_headers={"traceparent": mine})

    assert mine == server.requests[0].headers["traceparent"]


WITH_CONTENT = {"traces": {"content_mode": "content"}}
CONTENT = {"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"}
READ = [WAYS[name] for name in ("plain", "beta", "raw", "stream", "helper", "refused by the provider", "stream cut")]


@traced
@pytest.mark.parametrize("way", READ, ids=lambda way: way.call.__name__)
def test_the_sdk_s_content_mode_tells_nothing_in_place_of_ours(application, server, telemetry, way):
    """The SDK's switch for content is of the SDK's span: where that is replaced, only ours counts."""
    given = {"tracer_provider": telemetry.tracer_provider, **WITH_CONTENT}
    application.instrument(emit_event=True)
    performed(application, way, open_telemetry=given)

    assert OURS == scope(telemetry.span)
    assert SECRET not in repr(telemetry.snapshot())
    assert SECRET not in telemetry.span.to_json()


PROGRAM = """
import os
import anthropic
from opentelemetry import trace
from loopback import Telemetry
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

telemetry = Telemetry()
trace.set_tracer_provider(telemetry.tracer_provider)
early = anthropic.Anthropic(base_url=URL, api_key="not-a-key", max_retries=0)
asked = dict(model="m", max_tokens=5, messages=[{"role": "user", "content": "the words that nobody may read"}])
for mode in ("", "ENRICH", "off"):
    os.environ["OTEL_INSTRUMENTATION_GENAI_ANTHROPIC_NATIVE_TRACING"] = mode
    AnthropicInstrumentor().instrument(**telemetry.providers)
    early.messages.create(**asked)
    early.with_options(timeout=5).messages.create(**asked)
    for span in telemetry.spans:
        print(span.instrumentation_scope.name, "the words" in span.to_json())
    telemetry.clear()
    AnthropicInstrumentor().uninstrument()
"""


@pytest.mark.process
@traced
def test_settings_of_the_environment(server, tmp_path):
    """By variables, with global providers: a client made early and its copy, and the SDK's content switched on."""
    server.reply_always(PLAIN)
    program = PROGRAM.replace("URL", repr(server.url))

    lines, complaints = run(tmp_path, program, ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE="content")

    assert [f"{OURS} False"] * 2 + [f"{SDK} True"] * 4 == lines
    assert [] == complaints


@traced
@pytest.mark.parametrize("capture", ["no_content", "span_only", "event_only", "span_and_event"])
def test_content_of_an_enriched_span(application, telemetry, capture):
    """Our content is recorded where our switch says, on the SDK's span and in our event."""
    application.instrument("enrich", capture_message_content=capture)
    performed(application, WAYS["plain"])

    on_span = telemetry.span.attributes.keys() & CONTENT
    events = [event.attributes.keys() & CONTENT for event in telemetry.events]
    assert (CONTENT if "span" in capture else set()) == on_span
    assert ([CONTENT] if "event" in capture else []) == events


@traced
@pytest.mark.parametrize("capture", ["no_content", "span_only", "event_only", "span_and_event"])
@pytest.mark.parametrize("name", ["plain", "stream", "helper, final", "streaming, lines", "refused by the provider"])
def test_both_switches_for_content(application, telemetry, capture, name):
    """What the SDK tells by its own switch stays as the SDK tells it; ours fills in what it leaves out."""
    way = WAYS[name]
    given = {"tracer_provider": telemetry.tracer_provider, **WITH_CONTENT}
    theirs = bare(application, way, open_telemetry=given).attributes
    application.instrument("enrich", capture_message_content=capture)
    performed(application, way, open_telemetry=given)

    in_both = {name: theirs[name] for name in CONTENT & theirs.keys()}
    found = {name: value for name, value in telemetry.span.attributes.items() if name in CONTENT}
    assert in_both.keys()
    assert in_both == {name: found.get(name) for name in in_both}
    assert "span" in capture or in_both.keys() == found.keys()


@traced
@pytest.mark.parametrize("capture", ["no_content", "span_only", "event_only", "span_and_event"])
def test_no_content_on_a_span_that_is_left_alone(application, telemetry, capture):
    """With `off`, the SDK's span never has our content; the event has it by our switch."""
    application.instrument("off", capture_message_content=capture)
    performed(application, WAYS["plain"])

    assert set() == telemetry.span.attributes.keys() & CONTENT
    events = [event.attributes.keys() & CONTENT for event in telemetry.events]
    assert ([CONTENT] if "event" in capture else []) == events


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", ["plain", "stream", "helper", "refused by the provider", "stream cut"])
def test_sampled_out(server, request, mode, way):
    """A trace that is not sampled has no span in any mode; every metric is there, without exemplars."""
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    application = Application(server, telemetry, asynchronous=False)
    application.instrument(mode, emit_event=True)
    performed(application, WAYS[way])

    assert [] == telemetry.spans
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert (1, ()) == (duration.count, duration.exemplars)
    assert DETAILS in [event.event_name for event in telemetry.events]
    sent = server.requests[0].headers.get("traceparent", "")
    if TRACES:
        assert ("" if mode == "replace" else "00") == sent[-2:].replace("02", "00")
    application.close()
    AnthropicInstrumentor().uninstrument()
    telemetry.shutdown()


@pytest.mark.parametrize("mode", MODES)
def test_calls_by_hand(application, server, telemetry, mode):
    """The SDK makes no span for `client.post`: ours is there in every mode, and the only one."""
    server.reply(PLAIN, STREAM)
    application.instrument(mode)

    async def post(client: Any) -> None:
        body = {"model": MODEL, "max_tokens": 5, "messages": ASKED["messages"]}
        await settled(client.post("/v1/messages", body=body, cast_to=object))
        kind = anthropic.AsyncStream if application.asynchronous else anthropic.Stream
        events = client.post(
            "/v1/messages", body={**body, "stream": True}, cast_to=anthropic.types.RawMessageStreamEvent,
            stream=True, stream_cls=kind[anthropic.types.RawMessageStreamEvent],
        )  # fmt: skip
        await listed(await settled(events))

    application.run(post(application.client()))

    assert [OURS, OURS] == [scope(span) for span in telemetry.spans]
    assert [16, 16] == [span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.spans]


def test_one_span_in_every_mode_of_an_sdk_that_does_not_trace(application, server, telemetry, caplog):
    """Older SDKs have no tracing of their own: each mode gives our span, and nothing is logged."""
    if TRACES:
        pytest.skip("this SDK traces itself")
    server.reply_always(PLAIN)
    for mode in MODES:
        application.instrument(mode)
        application.create(application.client())
        AnthropicInstrumentor().uninstrument()

    assert [OURS] * 3 == [scope(span) for span in telemetry.spans]
    assert [] == caplog.messages


@traced
@pytest.mark.parametrize("mode", MODES)
def test_the_sdk_s_own_property_comes_back(application, server, telemetry, mode):
    """Uninstrumenting puts the very object back that was there; the SDK's spans are then as they were."""
    original = vars(BaseClient)["_tracer"]
    client = application.client()
    for _ in range(2):
        application.instrument(mode)
        assert vars(BaseClient)["_tracer"] is not original
        AnthropicInstrumentor().uninstrument()
        assert vars(BaseClient)["_tracer"] is original

    server.reply(PLAIN)
    application.create(client)
    assert SDK == scope(telemetry.span)


@traced
@pytest.mark.parametrize("mode", MODES)
def test_uninstrumented_in_the_middle_of_a_stream(application, server, telemetry, mode):
    """A stream that was begun with us ends its one span, also when we have gone meanwhile."""
    server.reply(STREAM)
    application.instrument(mode)

    async def read(client: Any) -> None:
        events = await settled(client.messages.create(**ASKED, stream=True))
        await _taken(events, 2)
        AnthropicInstrumentor().uninstrument()
        await listed(events)

    application.run(read(application.client()))

    assert (OURS if mode == "replace" else SDK) == scope(telemetry.span)


@traced
def test_a_property_of_others_stays(application):
    """What somebody put over ours meanwhile is left where it is."""
    original = vars(BaseClient)["_tracer"]
    application.instrument()
    ours = vars(BaseClient)["_tracer"]
    theirs = property(ours.fget)
    BaseClient._tracer = theirs
    try:
        AnthropicInstrumentor().uninstrument()

        assert vars(BaseClient)["_tracer"] is theirs
        application.server.reply(PLAIN)
        application.create(application.client())
        assert SDK == scope(application.telemetry.span)
    finally:
        BaseClient._tracer = original


@traced
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("instead", ["nothing", "a method", "an attribute"])
def test_an_sdk_with_tracing_that_is_not_known(application, monkeypatch, caplog, mode, instead):
    """Where the property is missing or something else, both spans are kept, the SDK's below ours, with one warning."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard._reported", set())
    telemetry = application.telemetry
    original = vars(BaseClient)["_tracer"]
    monkeypatch.delattr(BaseClient, "_tracer")
    if instead == "a method":
        monkeypatch.setattr(BaseClient, "_tracer", original.fget, raising=False)
    elif instead == "an attribute":
        monkeypatch.setattr(BaseClient, "_tracer", telemetry.tracer_provider.get_tracer(SDK), raising=False)
    application.server.reply_always(PLAIN)

    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            application.instrument(mode)
            AnthropicInstrumentor().uninstrument()
        application.instrument(mode)
    if instead == "an attribute":
        application.create(application.client())
        inner, outer = telemetry.spans
        assert ((SDK, outer.context.span_id), OURS) == ((scope(inner), inner.parent.span_id), scope(outer))

    (warning,) = caplog.messages
    assert "anthropic" in warning
    assert "ANTHROPIC_OPEN_TELEMETRY=false" in warning


@traced
@pytest.mark.parametrize("given", ["keyword", "environment"])
def test_an_unknown_mode(application, telemetry, monkeypatch, caplog, given):
    """One warning that names the setting, the value and what is accepted; then the default applies."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard._reported", set())
    application.server.reply(PLAIN)
    with caplog.at_level(logging.WARNING):
        if given == "environment":
            monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_ANTHROPIC_NATIVE_TRACING", "both")
        application.instrument("both" if given == "keyword" else None)
        application.create(application.client())

    (warning,) = caplog.messages
    name = (
        "OTEL_INSTRUMENTATION_GENAI_ANTHROPIC_NATIVE_TRACING" if given == "environment" else "anthropic_native_tracing"
    )
    assert all(word in warning for word in (name, "'both'", "replace, enrich, off"))
    assert OURS == scope(telemetry.span)


@traced
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", ["plain", "stream", "helper", "sent again"])
def test_what_the_http_client_does_is_below_the_one_span(application, telemetry, mode, way):
    """A span that an instrumentation of the HTTP client makes is a child of the call's; it sees the same trace."""
    import httpx2

    tracer = telemetry.tracer_provider.get_tracer("http")
    above = telemetry.tracer_provider.get_tracer("application")

    def requested(_request: Any) -> None:
        tracer.start_span("POST").end()

    async def async_requested(request: Any) -> None:
        requested(request)

    kind = httpx2.AsyncClient if application.asynchronous else httpx2.Client
    http = kind(event_hooks={"request": [async_requested if application.asynchronous else requested]})
    application.instrument(mode)
    with above.start_as_current_span("above"):
        application.server.reply(*WAYS[way].replies)
        application.run(WAYS[way].call(application.client(http_client=http)))

    spans = {span.name: span for span in telemetry.spans}
    calls = [span for span in telemetry.spans if scope(span) in (OURS, SDK)]
    sent = [span for span in telemetry.spans if span.name == "POST"]
    assert 1 == len(calls)
    assert len(WAYS[way].replies) == len(sent)
    assert {calls[0].context.span_id} == {span.parent.span_id for span in sent}
    assert spans["above"].context.span_id == calls[0].parent.span_id


@traced
@pytest.mark.parametrize("mode", MODES)
def test_two_calls_at_once(server, telemetry, mode):
    """Calls of one client that run at the same time have a span each, and take nothing from each other."""
    application = Application(server, telemetry, asynchronous=True)
    application.instrument(mode)
    server.reply(*[Hang(3, then=Json({**MESSAGE, "id": f"msg_{number}"}, headers=HEADERS)) for number in range(5)])

    async def both(client: Any) -> None:
        calls = [asyncio.ensure_future(plain(client)) for _ in range(5)]
        while len(server.requests) < 5:
            await asyncio.sleep(0.002)
        server.release()
        await asyncio.gather(*calls)

    application.run(both(application.client()))

    scopes = [scope(span) for span in telemetry.spans]
    assert [OURS if mode == "replace" else SDK] * 5 == scopes
    assert {f"msg_{number}" for number in range(5)} == {
        span.attributes["gen_ai.response.id"] for span in telemetry.spans
    }
    application.close()


@traced
@pytest.mark.parametrize("mode", MODES)
def test_a_provider_that_cannot_start_spans(application, server, telemetry, mode):
    """Whatever the SDK's tracer raises, the SDK goes on without a span, and so do we."""

    class Broken(trace.Tracer):
        def start_span(self, *_args: Any, **_kwargs: Any) -> Any:
            raise ValueError("broken")

        start_as_current_span: Any = start_span

    class Providers(trace.TracerProvider):
        def get_tracer(self, *_args: Any, **_kwargs: Any) -> Any:
            return Broken()

    server.reply(PLAIN)
    hooked: list[str] = []
    hooks = {"request_hook": lambda *_: hooked.append("request"), "response_hook": lambda *_: hooked.append("response")}
    application.instrument(mode, metrics="extended", **hooks)

    application.create(application.client(open_telemetry={"tracer_provider": Providers()}))

    assert (["request", "response"] if mode == "replace" else []) == hooked  # they are given the call's span
    assert [(1, 0)] == [
        (telemetry.metrics["llm.request.count"][0].value, telemetry.metrics["llm.request.active"][0].value)
    ]
    assert ([OURS] if mode == "replace" else []) == [scope(span) for span in telemetry.spans]
    assert 1 == telemetry.metrics["gen_ai.client.operation.duration"][0].count


@traced
@pytest.mark.parametrize("mode", MODES)
def test_another_provider_for_the_sdk_s_spans(application, server, telemetry, mode):
    """Where the client's spans go elsewhere than ours, its span stays there, and is the one our metrics link to."""
    elsewhere = Telemetry()
    server.reply(PLAIN)
    application.instrument(mode, emit_event=True)

    application.create(application.client(open_telemetry={"tracer_provider": elsewhere.tracer_provider}))

    here, there = [scope(span) for span in telemetry.spans], [scope(span) for span in elsewhere.spans]
    assert (([OURS], []) if mode == "replace" else ([], [SDK])) == (here, there)
    span = (telemetry if mode == "replace" else elsewhere).span
    assert {span.context.span_id} == {event.span_id for event in telemetry.events}
    elsewhere.shutdown()


# Middleware: what an application puts between a client and its requests.

pytest_middleware = pytest.mark.skipif(
    not hasattr(anthropic.Anthropic, "with_middleware"), reason="this SDK has no middleware"
)


def middleware(application: Application, handle: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """A middleware written once for both kinds of client."""
    if application.asynchronous:
        return handle

    def sync(request: Any, call_next: Any) -> Any:
        return SYNC.run(handle(request, call_next))

    return sync


async def untouched(request: Any, call_next: Any) -> Any:
    """Passes everything on."""
    return await settled(call_next(request))


async def retrying(request: Any, call_next: Any) -> Any:
    """Sends once more what was refused."""
    response = await settled(call_next(request))
    if response.http_response.status_code < 400:
        return response
    await settled(response.http_response.aclose() if hasattr(call_next, "__self__") else response.close())
    return await settled(call_next(request))


async def changing(request: Any, call_next: Any) -> Any:
    """Asks another model than the application did."""
    return await settled(call_next(request.copy(body={**request.json, "model": "other"})))


MIDDLEWARE: dict[str, tuple[Any, Sequence[Reply], Sequence[Reply]]] = {
    "passes on": (untouched, [PLAIN], [STREAM]),
    "sends again": (retrying, [BUSY, PLAIN], [BUSY, STREAM]),
    "asks another": (changing, [PLAIN], [STREAM]),
}


@traced
@pytest_middleware
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", MIDDLEWARE)
@pytest.mark.parametrize("call", [plain, raw, stream, helper_final, raw_stream], ids=lambda call: call.__name__)
def test_middleware(application, telemetry, mode, name, call):
    """One call has one span, however often it is sent; it tells the response that the application got."""
    handle, replies, stream_replies = MIDDLEWARE[name]
    streams = call in (stream, helper_final, raw_stream)
    application.server.reply(*(stream_replies if streams else replies))
    application.instrument(mode)

    application.run(call(application.client(middleware=[middleware(application, handle)])))

    span = telemetry.span
    attributes = span.attributes
    assert (OURS if mode == "replace" else SDK) == scope(span)
    assert ("msg_1", 16, 2, 200) == (
        attributes["gen_ai.response.id"],
        attributes["gen_ai.usage.input_tokens"],
        attributes["gen_ai.usage.output_tokens"],
        attributes["http.response.status_code"],
    )
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert (1, None) == (duration.count, duration.attributes.get("error.type"))
    assert 20 - 2 == sum(point.sum for point in telemetry.metrics["gen_ai.client.token.usage"])


@traced
@pytest_middleware
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["sent again", "stream sent again"])
def test_the_sdk_sends_again_below_middleware(application, server, telemetry, mode, name):
    """A middleware that only looks on changes nothing of a call that the SDK repeats."""
    application.instrument(mode)
    performed(application, WAYS[name], middleware=[middleware(application, untouched)])

    attributes = telemetry.span.attributes
    assert ("msg_1", 2, 1) == (
        attributes["gen_ai.response.id"],
        attributes["gen_ai.usage.output_tokens"],
        attributes["http.request.resend_count"],
    )
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert (1, None) == (duration.count, duration.attributes.get("error.type"))


@traced
@pytest_middleware
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["refused by the provider", "stream refused by the provider", "sent again in vain"])
def test_what_fails_below_middleware(application, server, telemetry, mode, name):
    """A refusal is an error, also where a middleware has looked at it before the SDK raises it."""
    application.instrument(mode)
    performed(application, WAYS[name], middleware=[middleware(application, untouched)])

    assert ("ERROR", "overloaded_error") == (
        telemetry.span.status.status_code.name,
        telemetry.span.attributes["error.type"],
    )
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert "overloaded_error" == duration.attributes["error.type"]


class RefusedError(Exception):
    """What a middleware raises that does not like a response."""


async def refusing(request: Any, call_next: Any) -> Any:
    """Looks at the response, and raises."""
    await settled(call_next(request))
    raise RefusedError


async def asking_in_vain(request: Any, call_next: Any) -> Any:
    """Sends a second time, which the provider refuses."""
    await settled(call_next(request))
    return await settled(call_next(request))


@traced
@pytest_middleware
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("handle", "replies", "error", "tokens"),
    [
        (refusing, [PLAIN], f"{__name__}.RefusedError", 18),
        (asking_in_vain, [PLAIN, BUSY], "overloaded_error", None),
    ],
    ids=["of the response", "of a later attempt"],
)
def test_a_failure_above_a_whole_response(application, telemetry, mode, *, handle, replies, error, tokens):
    """A response that a middleware refuses is billed all the same; that of an earlier attempt is not the one that failed."""
    application.server.reply(*replies)
    application.instrument(mode)

    with pytest.raises((RefusedError, anthropic.APIStatusError)):
        application.create(application.client(middleware=[middleware(application, handle)]))

    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert (1, error) == (duration.count, duration.attributes["error.type"])
    used = telemetry.metrics.get("gen_ai.client.token.usage")
    assert tokens == (used and sum(point.sum for point in used))
    if mode == "replace":
        assert ("ERROR", error) == (telemetry.span.status.status_code.name, telemetry.span.attributes["error.type"])
        assert ("msg_1" if tokens else None) == telemetry.span.attributes.get("gen_ai.response.id")


@traced
@pytest_middleware
@pytest.mark.parametrize("mode", MODES)
def test_middleware_that_answers_by_itself(application, server, telemetry, mode):
    """An answer out of a cache is a call like any other, without an HTTP response."""
    kept = anthropic.types.Message.model_validate(MESSAGE)

    async def caching(_request: Any, _call_next: Any) -> Any:
        return kept

    application.instrument(mode)

    answer = application.create(application.client(middleware=[middleware(application, caching)]))

    assert answer is kept
    assert [] == server.requests
    attributes = telemetry.span.attributes
    assert (OURS if mode == "replace" else SDK) == scope(telemetry.span)
    assert ("msg_1", None) == (attributes["gen_ai.response.id"], attributes.get("http.response.status_code"))


@traced
@pytest_middleware
@pytest.mark.parametrize("mode", MODES)
def test_middleware_that_raises(application, server, telemetry, mode):
    """Its exception reaches the application, and ends the one span."""

    async def refusing(_request: Any, _call_next: Any) -> Any:
        raise LookupError("not today")

    application.instrument(mode)

    with pytest.raises(LookupError, match="not today"):
        application.create(application.client(middleware=[middleware(application, refusing)]))

    assert "ERROR" == telemetry.span.status.status_code.name
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert "LookupError" == duration.attributes["error.type"]


@traced
@pytest_middleware
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("inner", ["count_tokens", "create"])
@pytest.mark.parametrize("through", ["the client itself", "a copy of it"])
def test_calls_made_by_middleware(application, telemetry, mode, inner, through):
    """A call inside of a call keeps the SDK's span, for it is not followed; the outer one has its own, above it."""
    clients: list[Any] = []

    async def asking(request: Any, call_next: Any) -> Any:
        client = clients.pop() if clients else None
        if client is not None:
            asked = {name: ASKED[name] for name in ("model", "messages")}
            if inner == "create":
                await settled(client.messages.create(**asked, max_tokens=5))
            else:
                await settled(client.messages.count_tokens(**asked))
        return await settled(call_next(request))

    server = application.server
    server.reply(PLAIN if inner == "create" else Json({"input_tokens": 9}), PLAIN)
    application.instrument(mode)
    client = application.client(middleware=[middleware(application, asking)])
    clients.append(client if through == "the client itself" else client.with_options(middleware=[]))

    application.create(client)

    below, above = telemetry.spans
    assert [SDK, OURS if mode == "replace" else SDK] == [scope(below), scope(above)]
    assert above.context.span_id == below.parent.span_id
    assert [f"anthropic.messages.{inner}"] == [below.name]
    assert 1 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])
    assert json.loads(server.requests[-1].body)["max_tokens"] == above.attributes["gen_ai.request.max_tokens"]


# Hooks of the application.


class Hooks:
    """An application's hooks: both write onto the span that they are given."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def request(self, span: Any, _request: Any) -> None:
        """A call has started."""
        self.called.append("request")
        span.set_attribute("hook.request", trace.get_current_span().get_span_context().span_id == _id(span))

    def response(self, span: Any, _request: Any, response: Any) -> None:
        """A call is about to end."""
        self.called.append("response")
        span.set_attribute("hook.response", type(response).__name__)


def _id(span: Any) -> int:
    identity: int = span.get_span_context().span_id
    return identity


@traced
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_hooks_in_every_mode(application, telemetry, caplog, without_start_line, *, mode, way):
    """They are called once each, with the one span that there is, whoever makes it, while it can still be written to."""
    caplog.set_level(logging.INFO, "opentelemetry")
    theirs, hooks = attributes_of(bare(application, way)), Hooks()
    application.instrument(mode, request_hook=hooks.request, response_hook=hooks.response)
    performed(application, way)
    settle()

    assert ["request", "response"] == hooks.called
    attributes = attributes_of(telemetry.span)
    assert attributes.pop("hook.request")
    assert attributes.pop("hook.response")
    assert [] == [record.getMessage() for record in caplog.records]
    if mode == "off":
        assert theirs == attributes
