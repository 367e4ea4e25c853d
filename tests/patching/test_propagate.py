"""One trace through to the server: which requests carry the context of the call's span, which context, in which headers.

Every call goes to a real server, and what is looked at is what arrived there, header by header.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import anthropic
import ollama
import openai
import pytest
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator, default_setter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import opentelemetry_instrumentation_genai as genai
from contract.drive import Opened, listed, settled
from contract.providers import PROVIDERS
from loopback import Hang, Json, ModelServer, RecordedRequest, Reply, Sse, Telemetry, anthropic_bodies, openai_bodies
from ollama_endings import DONE, line, stream

OURS = "opentelemetry_instrumentation_genai"
MINE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACED = isinstance(vars(import_module("anthropic._base_client").BaseClient).get("_tracer"), property)
Call = Callable[..., Awaitable[Any]]


class B3(TextMapPropagator):
    """The context in a single header of Zipkin's."""

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
        """Nothing: nobody calls us."""
        return context

    def inject(self, carrier: Any, context: Any = None, setter: Any = default_setter) -> None:
        """Trace, span, and whether it is sampled."""
        span_context = trace.get_current_span(context).get_span_context()
        setter.set(
            carrier, "b3", f"{span_context.trace_id:032x}-{span_context.span_id:016x}-{span_context.trace_flags:d}"
        )

    @property
    def fields(self) -> set[str]:
        """The header."""
        return {"b3"}


@pytest.fixture
def propagator() -> Iterator[Callable[[TextMapPropagator], None]]:
    """Sets the global propagator, which is put back after the test."""
    before = propagate.get_global_textmap()
    yield propagate.set_global_textmap
    propagate.set_global_textmap(before)


@pytest.fixture(autouse=True)
def w3c(propagator) -> None:
    """OpenTelemetry's default, wherever the tests run."""
    propagator(CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]))


# How each SDK is called, sync and async: keywords over the defaults are the SDK's own.


async def chat(client: Any, **more: Any) -> None:
    """`chat.completions.create`."""
    await settled(client.chat.completions.create(**{**openai_bodies.CHAT, **more}))


async def chat_stream(client: Any, **more: Any) -> None:
    """The same, streamed."""
    await listed(await settled(client.chat.completions.create(**{**openai_bodies.CHAT, "stream": True, **more})))


async def chat_raw(client: Any, **more: Any) -> None:
    """Through `with_raw_response`."""
    raw = await settled(client.chat.completions.with_raw_response.create(**{**openai_bodies.CHAT, **more}))
    await settled(raw.parse())


async def chat_streaming(client: Any, **more: Any) -> None:
    """Through `with_streaming_response`."""
    async with Opened(client.chat.completions.with_streaming_response.create(**openai_bodies.CHAT, **more)) as raw:
        await settled(raw.read())


async def chat_by_hand(client: Any, **more: Any) -> None:
    """`client.post`."""
    options = {"headers": more["extra_headers"]} if more else {}
    await settled(client.post("/chat/completions", body=openai_bodies.CHAT, cast_to=object, options=options))


async def message(client: Any, **more: Any) -> None:
    """`messages.create`."""
    await settled(client.messages.create(**anthropic_bodies.MESSAGES, **more))


async def message_stream(client: Any, **more: Any) -> None:
    """The same, streamed."""
    await listed(await settled(client.messages.create(**anthropic_bodies.MESSAGES, stream=True, **more)))


async def message_helper(client: Any, **more: Any) -> None:
    """`messages.stream`."""
    async with Opened(client.messages.stream(**anthropic_bodies.MESSAGES, **more)) as events:
        await settled(events.get_final_message())


async def message_raw(client: Any, **more: Any) -> None:
    """Through `with_raw_response`."""
    raw = await settled(client.messages.with_raw_response.create(**anthropic_bodies.MESSAGES, **more))
    await settled(raw.parse())


async def message_by_hand(client: Any, **more: Any) -> None:
    """`client.post`."""
    options = {"headers": more["extra_headers"]} if more else {}
    await settled(client.post("/v1/messages", body=anthropic_bodies.MESSAGES, cast_to=object, options=options))


HI = {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}]}


async def llama(client: Any) -> None:
    """`chat`."""
    await settled(client.chat(**HI))


async def llama_stream(client: Any) -> None:
    """The same, streamed."""
    await listed(await settled(client.chat(**HI, stream=True)))


async def llama_by_hand(client: Any, **more: Any) -> None:
    """`_request`, with headers."""
    headers = {"headers": more["extra_headers"]} if more else {}
    await settled(client._request(ollama.ChatResponse, "POST", "/api/chat", json=HI, **headers))


CHAT, CHAT_STREAM = Json(openai_bodies.completion()), Sse(openai_bodies.chunks("Hel", "lo"))
MESSAGE = Json(anthropic_bodies.message(anthropic_bodies.text("Hello")))
MESSAGE_STREAM = Sse(anthropic_bodies.text_events("Hel", "lo"), event_names=True)
LLAMA = Json(line("Hello", **DONE))
CALLS: dict[str, list[tuple[Call, Reply]]] = {
    "openai": [
        (chat, CHAT),
        (chat_stream, CHAT_STREAM),
        (chat_raw, CHAT),
        (chat_streaming, CHAT),
        (chat_by_hand, CHAT),
    ],
    "anthropic": [
        (message, MESSAGE),
        (message_stream, MESSAGE_STREAM),
        (message_helper, MESSAGE_STREAM),
        (message_raw, MESSAGE),
        (message_by_hand, MESSAGE),
    ],
    "ollama": [(llama, LLAMA), (llama_stream, stream()), (llama_by_hand, LLAMA)],
}
PLAIN = {sdk: calls[0] for sdk, calls in CALLS.items()}
# Where the caller's own headers go into one request.
WITH_HEADERS = [
    *(("openai", call, reply) for call, reply in CALLS["openai"]),
    *(("anthropic", call, reply) for call, reply in CALLS["anthropic"]),
    ("ollama", *CALLS["ollama"][-1]),
]


def _openai(url: str, *, asynchronous: bool, **settings: Any) -> Any:
    http = openai.DefaultAsyncHttpxClient if asynchronous else openai.DefaultHttpxClient
    kind: Any = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    known = {"base_url": f"{url}/v1", "api_key": "not-a-key", "max_retries": 0, "http_client": http(verify=False)}
    return kind(**{**known, **settings})


def _anthropic(url: str, *, asynchronous: bool, **settings: Any) -> Any:
    http = anthropic.DefaultAsyncHttpxClient if asynchronous else anthropic.DefaultHttpxClient
    kind: Any = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    known = {"base_url": url, "api_key": "not-a-key", "max_retries": 0, "http_client": http(verify=False)}
    return kind(**{**known, **settings})


def _ollama(url: str, *, asynchronous: bool, default_headers: Any = None) -> Any:
    kind = ollama.AsyncClient if asynchronous else ollama.Client
    return kind(host=url, verify=False, headers=default_headers)


MAKE = {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama}
INSTRUMENTORS = {
    "openai": genai.OpenAIInstrumentor,
    "anthropic": genai.AnthropicInstrumentor,
    "ollama": genai.OllamaInstrumentor,
}


@dataclass
class Application:
    """An application that calls one SDK, sync or async, below a span of its own if it opens one.

    Attributes:
        sdk: which one.
        asynchronous: whether its asynchronous client.
    """

    sdk: str
    asynchronous: bool
    server: ModelServer
    telemetry: Telemetry

    def instrument(self, **settings: Any) -> None:
        """From now on, calls are followed."""
        INSTRUMENTORS[self.sdk]().instrument(**self.telemetry.providers, **settings)

    def client(self, **settings: Any) -> Any:
        """A client of the model server."""
        if self.sdk == "anthropic" and TRACED:
            settings = {"open_telemetry": {"tracer_provider": self.telemetry.tracer_provider}, **settings}
        return MAKE[self.sdk](self.server.url, asynchronous=self.asynchronous, **settings)

    def make(self, call: Call, *replies: Reply, more: Any = None, **settings: Any) -> list[RecordedRequest]:
        """One call; returns the requests that it made."""
        self.server.reset()
        self.server.reply(*replies)
        self._run(self._made(call, more or {}, settings))
        assert len(replies) == len(self.server.requests)
        return self.server.requests

    async def _made(self, call: Call, more: Any, settings: Any) -> None:
        client = self.client(**settings)
        try:
            await call(client, **more)
        finally:
            http = client._client
            await settled(http.aclose() if self.asynchronous else http.close())

    def _run(self, coroutine: Any) -> None:
        if self.asynchronous:
            asyncio.run(coroutine)
            return
        with pytest.raises(StopIteration):
            coroutine.send(None)

    def plain(self, **more: Any) -> RecordedRequest:
        """A plain call; returns its request."""
        call, reply = PLAIN[self.sdk]
        (request,) = self.make(call, reply, **more)
        return request


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request) -> bool:
    """Whether the client is an asynchronous one."""
    made: bool = request.param
    return made


@pytest.fixture
def applications(server, telemetry, asynchronous) -> Callable[[str], Application]:
    """Makes an application."""
    return lambda sdk: Application(sdk, asynchronous, server, telemetry)


@pytest.fixture(params=CALLS)
def application(request, applications) -> Application:
    """One of each SDK."""
    made: Application = applications(request.param)
    return made


def every(rows: Any = None) -> Any:
    """Each call of each SDK, or of some, by its name."""
    rows = rows or [(sdk, call, reply) for sdk, made in CALLS.items() for call, reply in made]
    return pytest.mark.parametrize(("sdk", "call", "reply"), rows, ids=[call.__name__ for _, call, _ in rows])


def traceparent(span: Any) -> str:
    """What tells of a span."""
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"


def named(request: RecordedRequest, *names: str) -> list[tuple[str, str]]:
    """All header lines of some names, repeated ones too."""
    return [
        (name, value)
        for name, value in request.lines
        if name in (names or ("traceparent", "tracestate", "baggage", "b3"))
    ]


def sent(request: RecordedRequest) -> Any:
    """All of a request."""
    return request.method, request.path, request.lines, request.body


@every()
def test_the_server_s_spans_are_children_of_the_call_s(applications, telemetry, sdk, call, reply):
    """The request has one `traceparent`, that of the call's span, and nothing else that it had not without it."""
    application = applications(sdk)
    (before,) = application.make(call, reply, **({"open_telemetry": False} if sdk == "anthropic" and TRACED else {}))

    application.instrument(propagate="self-hosted")
    with telemetry.tracer_provider.get_tracer("application").start_as_current_span("above"):
        (after,) = application.make(call, reply)

    ours = telemetry.spans[0]
    assert OURS == ours.instrumentation_scope.name
    assert ours.parent.span_id == telemetry.spans[1].context.span_id
    assert [("traceparent", traceparent(ours))] == named(after)
    others = [(name, value) for name, value in after.lines if name != "traceparent"]
    assert sorted(before.lines) == sorted(others)
    assert before.body == after.body


@every()
def test_off_every_request_is_as_without_us(applications, server, sdk, call, reply):
    """By default, by `off`, and for servers that are not meant: every byte and the order of headers."""
    application = applications(sdk)
    quiet = {"open_telemetry": False} if sdk == "anthropic" and TRACED else {}
    (before,) = application.make(call, reply, **quiet)

    for settings in ({}, {"propagate": "off"}, {"propagate": "elsewhere.example", "propagate_baggage": True}):
        application.instrument(**settings)
        (after,) = application.make(call, reply)
        INSTRUMENTORS[sdk]().uninstrument()
        assert sent(before) == sent(after)


BUSY = Json({"error": {"message": "busy", "type": "server_error"}}, status=503, headers={"retry-after-ms": "1"})


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_retries_carry_it_too(applications, telemetry, sdk):
    """Each attempt tells of the same span, once."""
    application = applications(sdk)
    application.instrument(propagate="self-hosted")
    call, reply = PLAIN[sdk]

    requests = application.make(call, BUSY, BUSY, reply, max_retries=2)

    assert [[("traceparent", traceparent(telemetry.span))]] * 3 == [named(request) for request in requests]


def test_failed_calls_carry_it_too(application, telemetry):
    """What the server did for a call that failed is in the trace as well."""
    application.instrument(propagate="self-hosted")
    failing = pytest.raises((openai.APIError, anthropic.APIError, ollama.ResponseError))

    with failing:
        application.make(PLAIN[application.sdk][0], BUSY)

    assert [("traceparent", traceparent(telemetry.span))] == named(application.server.requests[0])


@every(WITH_HEADERS)
def test_headers_of_the_caller_s_win(applications, sdk, call, reply):
    """A trace context that the caller sends stays alone, however it is spelled, and his dict stays as it is."""
    application = applications(sdk)
    application.instrument(propagate="self-hosted", propagate_baggage=True)
    headers = {"TraceParent": MINE, "x-of-mine": "1"}

    token = context.attach(baggage.set_baggage("user", "someone"))
    (request,) = application.make(call, reply, more={"extra_headers": headers})
    context.detach(token)

    assert [("traceparent", MINE)] == named(request)
    assert [("x-of-mine", "1")] == named(request, "x-of-mine")
    assert {"TraceParent": MINE, "x-of-mine": "1"} == headers


@every(WITH_HEADERS)
def test_other_headers_of_the_caller_s_stay(applications, telemetry, sdk, call, reply):
    """They are sent beside ours, and his dict stays as it is."""
    application = applications(sdk)
    application.instrument(propagate="self-hosted")
    headers = {"x-of-mine": "1"}

    (request,) = application.make(call, reply, more={"extra_headers": headers})

    assert [("traceparent", traceparent(telemetry.span))] == named(request)
    assert [("x-of-mine", "1")] == named(request, "x-of-mine")
    assert {"x-of-mine": "1"} == headers


def test_headers_of_the_client_s_win(application):
    """Likewise those that the client was made with."""
    application.instrument(propagate="self-hosted")

    request = application.plain(default_headers={"traceparent": MINE})

    assert [("traceparent", MINE)] == named(request)


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_headers_of_the_http_client_s_win(applications, sdk):
    """And those of the HTTP client below it."""
    application = applications(sdk)
    application.instrument(propagate="self-hosted")
    module = {"openai": openai, "anthropic": anthropic}[sdk]
    kind = module.DefaultAsyncHttpxClient if application.asynchronous else module.DefaultHttpxClient

    request = application.plain(http_client=kind(verify=False, headers={"traceparent": MINE}))

    assert [("traceparent", MINE)] == named(request)


def test_the_client_is_not_touched(application):
    """No header of one call stays in the client: its next call sends the ids of its own span."""
    application.instrument(propagate="self-hosted")
    clients = []
    call, reply = PLAIN[application.sdk]

    async def twice(client: Any) -> None:
        before = dict(client._client.headers), dict(getattr(client, "_custom_headers", {}))
        await call(client)
        await call(client)
        clients.append(before == (dict(client._client.headers), dict(getattr(client, "_custom_headers", {}))))

    requests = application.make(twice, reply, reply)

    assert [True] == clients
    spans = application.telemetry.spans
    assert [[("traceparent", traceparent(span))] for span in spans] == [named(request) for request in requests]


@pytest.mark.parametrize(("setting", "expected"), [(None, []), ("true", [("baggage", "user=someone")])])
def test_baggage_goes_only_if_it_is_wanted(application, telemetry, setting, expected):
    """It may say who the user is: by default it stays here."""
    application.instrument(propagate="self-hosted", propagate_baggage=setting)

    token = context.attach(baggage.set_baggage("user", "someone"))
    request = application.plain()
    context.detach(token)

    assert [("traceparent", traceparent(telemetry.span)), *expected] == named(request)


def test_baggage_of_the_caller_s_wins(applications, telemetry):
    """It says nothing of the trace, which is propagated all the same."""
    application = applications("openai")
    application.instrument(propagate="self-hosted", propagate_baggage=True)

    token = context.attach(baggage.set_baggage("user", "someone"))
    request = application.plain(more={"extra_headers": {"Baggage": "mine=1"}})
    context.detach(token)

    assert [("traceparent", traceparent(telemetry.span)), ("baggage", "mine=1")] == sorted(named(request), reverse=True)


def test_the_trace_s_state_goes_with_it(application, telemetry):
    """`tracestate` is part of the context."""
    application.instrument(propagate="self-hosted")
    above = trace.SpanContext(
        1, 2, is_remote=True, trace_flags=trace.TraceFlags(1), trace_state=trace.TraceState([("a", "b")])
    )

    with trace.use_span(trace.NonRecordingSpan(above)):
        request = application.plain()

    assert [("traceparent", traceparent(telemetry.span)), ("tracestate", "a=b")] == named(request)


def test_the_application_s_propagator_decides(application, telemetry, propagator):
    """The global one, whatever it is, also if it is set after instrumenting; one that wants to say more says that too."""
    application.instrument(propagate="self-hosted")

    propagator(B3())
    alone = application.plain()
    propagator(CompositePropagator([B3(), TraceContextTextMapPropagator()]))
    both = application.plain()

    first, second = telemetry.spans
    zipkin = [
        f"{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:d}"
        for span in (first, second)
    ]
    assert [("b3", zipkin[0])] == named(alone)
    assert [("b3", zipkin[1]), ("traceparent", traceparent(second))] == sorted(named(both))


class Odd(B3):
    """A propagator that says what no header can carry."""

    def inject(self, carrier: Any, context: Any = None, setter: Any = default_setter) -> None:
        """Beside the context, half of it."""
        super().inject(carrier, context, setter)
        carrier.update({"x-number": 1, "x-lines": "a\r\nx-more: b", "x-word": "é"})


def test_what_no_header_can_carry_is_left_out(application, telemetry, propagator):
    """The call goes on with the rest."""
    application.instrument(propagate="self-hosted")
    propagator(Odd())

    request = application.plain()

    assert ["b3"] == [name for name, _ in request.lines if name in ("b3", "x-number", "x-lines", "x-word", "x-more")]
    assert 1 == len(telemetry.spans)


class Broken(B3):
    """A propagator that raises."""

    def inject(self, carrier: Any, context: Any = None, setter: Any = default_setter) -> None:
        """Nothing."""
        raise RuntimeError


def test_a_propagator_that_raises(application, telemetry, propagator, monkeypatch, caplog):
    """The call goes on without, and has its span; one warning is logged."""
    monkeypatch.setattr(f"{OURS}._runtime.guard.strict", False)
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    application.instrument(propagate="self-hosted")
    propagator(Broken())

    assert [] == named(application.plain())
    assert [] == named(application.plain())

    assert 2 == len(telemetry.spans)
    assert 1 == len([record for record in caplog.records if record.name == OURS])


def test_a_trace_that_is_not_sampled(server, asynchronous):
    """The header that the server gets says so, too."""
    for sdk, kind in INSTRUMENTORS.items():
        telemetry = Telemetry(ALWAYS_OFF)
        application = Application(sdk, asynchronous, server, telemetry)
        application.instrument(propagate="self-hosted")
        request = application.plain()
        kind().uninstrument()
        telemetry.shutdown()

        assert [] == telemetry.spans
        ((name, value),) = named(request)
        assert ("traceparent", 0) == (name, int(value[-2:], 16) & 1)


def test_without_an_sdk_there_is_no_trace_to_tell_of(application):
    """No tracer provider: no header, or that of the span that the application continues."""
    INSTRUMENTORS[application.sdk]().instrument(tracer_provider=trace.NoOpTracerProvider(), propagate="self-hosted")

    assert [] == named(application.plain(**_silent(application)))
    above = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1)))
    with trace.use_span(above):
        # OpenTelemetry's tracer that does nothing hands a trace on only in newer versions.
        handed_on = trace.NoOpTracer().start_span("any").get_span_context().is_valid
        expected = [("traceparent", f"00-{1:032x}-{2:016x}-01")] if handed_on else []
        assert expected == named(application.plain(**_silent(application)))


def _silent(application: Application) -> dict[str, Any]:
    """What makes a client of an SDK that traces itself do without."""
    return {"open_telemetry": False} if application.sdk == "anthropic" and TRACED else {}


@pytest.mark.parametrize("owner", ["suppressed", "reported by another"])
def test_calls_that_are_not_ours(application, telemetry, owner):
    """Nothing is sent for a call that we do not report."""
    application.instrument(propagate="self-hosted")
    key = "opentelemetry.genai.client.inference.context"

    with ExitStack() as above:
        if owner == "suppressed":
            above.enter_context(suppress_instrumentation())
        else:
            above.callback(context.detach, context.attach(context.set_value(key, object())))
        request = application.plain(**_silent(application))

    assert [] == [span for span in telemetry.spans if span.instrumentation_scope.name == OURS]
    assert [] == named(request)


def test_calls_that_are_not_followed(server, telemetry):
    """Nor of one that has no span."""
    genai.OpenAIInstrumentor().instrument(**telemetry.providers, propagate="self-hosted")
    server.reply(Json({"object": "list", "data": []}))

    with _openai(server.url, asynchronous=False) as client:
        client.models.list()

    assert [] == named(server.requests[0])


# Anthropic's own tracing sends trace headers itself, unless ours replaces it.

traced = pytest.mark.skipif(not TRACED, reason="this SDK does not trace itself")


@traced
@pytest.mark.parametrize("mode", ["enrich", "off"])
@pytest.mark.parametrize("hosts", ["off", "self-hosted"])
def test_where_the_sdk_s_span_stays_it_tells_of_it_itself(applications, telemetry, mode, hosts):
    """Once, by its own setting, whatever ours is."""
    application = applications("anthropic")
    application.instrument(anthropic_native_tracing=mode, propagate=hosts)

    request = application.plain()
    own = {"tracer_provider": telemetry.tracer_provider, "propagation": False}
    without = application.plain(open_telemetry=own)

    assert [("traceparent", traceparent(telemetry.spans[0]))] == named(request)
    assert [] == named(without)


@traced
@pytest.mark.parametrize("own", [True, False])
def test_where_the_sdk_s_span_is_replaced_only_ours_counts(applications, telemetry, own):
    """Whether the client was made to send trace headers or not."""
    application = applications("anthropic")
    application.instrument(propagate="self-hosted")

    request = application.plain(open_telemetry={"tracer_provider": telemetry.tracer_provider, "propagation": own})

    assert [("traceparent", traceparent(telemetry.span))] == named(request)


# Which servers.

OWN = [
    "localhost", "LOCALHOST", "my.localhost", "127.0.0.1", "127.9.9.9", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.20", "169.254.1.1", "[fd00::1]", "[fe80::1]", "[::ffff:10.1.2.3]",
    "vllm", "llm.internal", "gpu.local", "box.home.arpa", "llm.default.svc.cluster.local", "gpu.local.",
    "localhost.", "my.localhost.", "10.0.0.1.",
]  # fmt: skip
NOT_OWN = [
    "api.openai.com", "8.8.8.8", "172.32.0.1", "11.0.0.1", "192.169.0.1", "100.64.0.1", "[2001:db8::1]", "[::2]",
    "[::ffff:8.8.8.8]", "134744072", "0x8080808", "internal.example", "local.example", "10.0.0.1.example", "notlocalhost.example",
    "ai.", "AI.", "ai。", "ai%2e", "vllm%2eexample", "gpu.example%2elocal", "vllm.", "api.openai.com.", "internal.", "8.8.8.8.",
]  # fmt: skip


@pytest.mark.parametrize(("host", "sent"), [*((host, True) for host in OWN), *((host, False) for host in NOT_OWN)])
def test_self_hosted(telemetry, host, sent):
    """This machine, private networks, and names that exist in no public DNS; nobody is asked for a name."""
    assert sent == _sent(telemetry, host, propagate="self-hosted")


PATTERNS = [
    ("llm.example", "llm.example", True),
    ("LLM.Example", "llm.example", True),
    ("llm.example", "more.llm.example", False),
    ("*.llm.example", "more.llm.example", True),
    ("one.example, two.example", "two.example", True),
    ("llm.example:8000", "llm.example:8000", True),
    ("llm.example:8000", "llm.example:8001", False),
    ("10.*", "10.1.2.3", True),
    ("100.64.*", "127.0.0.1", False),
    ("[2001:db8::1]", "[2001:db8::1]", True),
    ("*", "api.openai.com", True),
    ("self-hosted, llm.example", "llm.example", True),
    ("self-hosted, llm.example", "localhost", True),
    ("llm.example", "localhost", False),
]


@pytest.mark.parametrize(("patterns", "host", "sent"), PATTERNS)
def test_hosts_by_patterns(telemetry, patterns, host, sent):
    """The grammar is that of `HOST_PROVIDERS`."""
    assert sent == _sent(telemetry, host, propagate=patterns)


@pytest.mark.parametrize(("hosts", "sent"), [("self-hosted", True), ("llm.example", False), ("off", False)], ids=str)
def test_hosts_that_the_user_declared_are_his_own(telemetry, hosts, sent):
    """With `self-hosted`, those of `HOST_PROVIDERS` count, whatever their address is."""
    settings = {"propagate": hosts, "host_providers": "gpu.example:8000=vllm"}

    assert sent == _sent(telemetry, "gpu.example:8000", **settings)
    assert not _sent(telemetry, "gpu.example:8001", **settings)


def _sent(telemetry: Telemetry, host: str, **settings: Any) -> bool:
    """Whether a client of that host sends the context. Its transport refuses, so that nothing leaves this machine."""
    genai.OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
    seen: list[Any] = []

    def refuse(request: Any) -> None:
        seen.append(request.headers.get_list("traceparent"))
        raise ConnectionRefusedError

    http = openai.DefaultHttpxClient(verify=False, event_hooks={"request": [refuse]})
    with openai.OpenAI(base_url=f"http://{host}/v1", api_key="none", max_retries=0, http_client=http) as client:
        with pytest.raises((ConnectionRefusedError, openai.APIConnectionError)):
            client.chat.completions.create(**openai_bodies.CHAT)
    genai.OpenAIInstrumentor().uninstrument()
    ((*headers,),) = seen
    return headers == [traceparent(telemetry.spans[-1])]


CLIENTS = [(provider.name, made) for provider in PROVIDERS for made in provider.clients]


@pytest.mark.parametrize(("sdk", "made"), CLIENTS, ids=[made.id for _, made in CLIENTS])
def test_every_client(server, telemetry, sdk, made):
    """All of them tell of the call but those that sign for AWS: an HTTP instrumentation may replace what was signed."""
    if made.missing:
        pytest.skip(made.missing)
    client = made.make(made.ways[0], server.url)
    if client is None:
        pytest.skip(f"this SDK has no {made.id} client")
    call, reply = PLAIN[sdk]
    INSTRUMENTORS[sdk]().instrument(**telemetry.providers, propagate="self-hosted")
    server.reply(made.answers(reply))

    names = " ".join(kind.__name__ for kind in made.kind(client).__mro__)
    signs = "AWS" in names or "Bedrock" in names or made.id == "provider-bedrock"
    try:
        made.ways[0].run(call(client))
    finally:
        if made.reset is not None:
            made.reset()
        elif hasattr(client, "close"):
            made.ways[0].run(settled(client.close()))

    assert ([] if signs else [("traceparent", traceparent(telemetry.span))]) == named(server.requests[0])


# Wrong values.


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "false",
        "on",
        "all",
        "1",
        ",",
        "off, localhost",
        "http://localhost:8000",
        "localhost=vllm",
        "a b",
        True,
        3,
    ],
)
def test_a_wrong_value_gets_one_warning_and_nothing_is_sent(applications, monkeypatch, caplog, value):
    """It names the setting, the value and what is accepted."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    application = applications("openai")
    caplog.set_level(logging.WARNING, OURS)

    application.instrument(propagate=value)

    (warning,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    accepted = "off, self-hosted, or a comma-separated list of HOST[:PORT], where HOST may hold *"
    assert (
        f"propagate={value!r} is not accepted. Accepted is: {accepted}. For openai the default applies: off." == warning
    )
    assert [] == named(application.plain())


def test_a_wrong_value_for_baggage(applications, telemetry, monkeypatch, caplog):
    """The trace is propagated, the baggage is not."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    application = applications("openai")
    application.instrument(propagate="self-hosted", propagate_baggage="yes")

    token = context.attach(baggage.set_baggage("user", "someone"))
    request = application.plain()
    context.detach(token)

    (warning,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    accepted = "Accepted is: true, false. For openai the default applies: false."
    assert f"propagate_baggage='yes' is not accepted. {accepted}" == warning
    assert [("traceparent", traceparent(telemetry.span))] == named(request)


def test_by_the_environment(application, telemetry, monkeypatch):
    """Any case of letters."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_PROPAGATE", "Self-Hosted")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_PROPAGATE_BAGGAGE", "True")
    application.instrument()

    token = context.attach(baggage.set_baggage("user", "someone"))
    request = application.plain()
    context.detach(token)

    assert [("traceparent", traceparent(telemetry.span)), ("baggage", "user=someone")] == named(request)


def test_a_list_as_a_keyword(applications, telemetry):
    """Hosts may be given as a list."""
    application = applications("openai")
    application.instrument(propagate=["llm.example", "127.0.0.1"])

    request = application.plain()

    assert [("traceparent", traceparent(telemetry.span))] == named(request)


# Redirects: an HTTP client copies the headers of a request into the one that follows a redirect, wherever that goes.

PUBLIC = "public.example"
# Ollama's SDK says it in its own way only in newer versions.
NOT_CONNECTED = (
    openai.APIConnectionError,
    anthropic.APIConnectionError,
    ConnectionError,
    import_module("ollama._client").httpx.ConnectError,
)


@pytest.fixture
def public(monkeypatch) -> Iterator[ModelServer]:
    """Another server, which a redirect reaches by a public name: every name is this machine's here."""
    resolve = socket.getaddrinfo

    def loopback(host: Any, *rest: Any, **more: Any) -> Any:
        known = host in (PUBLIC, PUBLIC.encode())
        return resolve("127.0.0.1" if known else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", loopback)
    server = ModelServer()
    yield server
    server.close()


def redirect(url: str, status: int = 307) -> Json:
    """What sends a client on to another server."""
    return Json({}, status=status, headers={"location": url})


def beyond(public: ModelServer) -> str:
    """The other server by its public name."""
    return f"http://{PUBLIC}:{public.port}/somewhere"


@contextmanager
def baggage_of_mine() -> Iterator[None]:
    """The application has baggage."""
    token = context.attach(baggage.set_baggage("user", "someone"))
    yield
    context.detach(token)


@every()
def test_a_redirect_to_another_host_takes_no_header_of_ours_there(applications, public, sdk, call, reply):
    """Not the trace's, not its state's, and no baggage; all else of the request is what it is without us."""
    application = applications(sdk)
    above = trace.SpanContext(
        1, 2, is_remote=True, trace_flags=trace.TraceFlags(1), trace_state=trace.TraceState([("a", "b")])
    )
    quiet = {"open_telemetry": False} if sdk == "anthropic" and TRACED else {}
    public.reply(reply, reply)
    application.make(call, redirect(beyond(public)), **quiet)
    application.instrument(propagate="self-hosted", propagate_baggage=True)

    with trace.use_span(trace.NonRecordingSpan(above)), baggage_of_mine():
        (own,) = application.make(call, redirect(beyond(public)))

    assert ["baggage", "traceparent", "tracestate"] == sorted(name for name, _ in named(own))
    bare, after = public.requests
    assert sent(bare) == sent(after)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect(application, public, status):
    """Also those after which the SDK asks by GET."""
    application.instrument(propagate="self-hosted", propagate_baggage=True)
    call, reply = PLAIN[application.sdk]
    public.reply(reply)

    with baggage_of_mine():
        (own,) = application.make(call, redirect(beyond(public), status))

    assert ["baggage", "traceparent"] == sorted(name for name, _ in named(own))
    (request,) = public.requests
    assert ("POST" if status in (307, 308) else "GET", []) == (request.method, named(request))


def test_a_redirect_within_the_hosts_of_the_setting_keeps_them(application, telemetry):
    """An own server may send the call on to itself, or to another own one."""
    application.instrument(propagate="self-hosted")
    call, reply = PLAIN[application.sdk]
    port = application.server.port

    requests = application.make(call, redirect("/elsewhere"), redirect(f"http://localhost:{port}/there", 308), reply)

    assert [[("traceparent", traceparent(telemetry.span))]] * 3 == [named(request) for request in requests]


def test_a_redirect_by_way_of_another_host(application, public):
    """What has been removed does not come back, though the last host is an own one: who sent the call there is not."""
    application.instrument(propagate="self-hosted")
    call, reply = PLAIN[application.sdk]
    public.reply(redirect(f"{application.server.url}/back"))

    first, last = application.make(call, redirect("/elsewhere"), redirect(beyond(public)), reply)[1:]

    assert [1, 0, 0] == [len(named(request)) for request in (first, *public.requests, last)]


@pytest.mark.parametrize("elsewhere", ["port", "scheme"])
def test_a_redirect_to_another_port_or_scheme(application, public, elsewhere):
    """Hosts may be named with their ports; the request hook of the application's HTTP client sees what would be sent."""
    application.instrument(propagate=f"127.0.0.1:{application.server.port}")
    ports = {"port": f"http://127.0.0.1:{public.port}/", "scheme": f"https://{PUBLIC}:{application.server.port}/"}
    call, reply = PLAIN[application.sdk]
    public.reply(reply)
    seen: list[tuple[str, list[str]]] = []

    def look(request: Any) -> None:
        seen.append((str(request.url), request.headers.get_list("traceparent")))

    async def look_later(request: Any) -> None:
        look(request)

    async def looked_at(client: Any) -> None:
        client._client.event_hooks = {"request": [look_later if application.asynchronous else look]}
        if elsewhere == "port":
            await call(client)
            return
        with pytest.raises(NOT_CONNECTED):
            await call(client)

    application.make(looked_at, redirect(ports[elsewhere]))

    (_, own), (url, other) = seen
    assert (1, ports[elsewhere], []) == (len(own), url, other)


@every(WITH_HEADERS)
def test_a_redirect_takes_the_caller_s_headers_along(applications, public, sdk, call, reply):
    """As without us: a trace context that the application sends by itself is its own business."""
    application = applications(sdk)
    application.instrument(propagate="self-hosted", propagate_baggage=True)
    public.reply(reply)
    headers = {"traceparent": MINE, "baggage": "mine=1", "x-of-mine": "1"}

    application.make(call, redirect(beyond(public)), more={"extra_headers": headers})

    (request,) = public.requests
    assert sorted(headers.items()) == sorted(named(request, *headers))


def test_redirects_that_the_application_follows(application, public):
    """The next request, which an HTTP client that follows none has ready, is without them as well."""
    application.instrument(propagate="self-hosted")
    seen: list[Any] = []

    async def look(response: Any) -> None:
        seen.append(response)

    async def followed(client: Any) -> None:
        client._client.follow_redirects = False
        client._client.event_hooks = {"response": [look if application.asynchronous else seen.append]}
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError, ollama.ResponseError)):
            await PLAIN[application.sdk][0](client)
        public.reply(Json({}))
        await settled(client._client.send(seen[0].next_request))

    application.make(followed, redirect(beyond(public)))

    assert [1, 0] == [len(named(request)) for request in (*application.server.requests, *public.requests)]


async def test_a_redirect_after_the_call_was_cancelled(server, public, telemetry):
    """An HTTP client that goes on with a request of a call that is over takes no header of ours to another host."""
    genai.OpenAIInstrumentor().instrument(**telemetry.providers, propagate="self-hosted")
    sending: list[asyncio.Task[Any]] = []

    class Shielded(openai.DefaultAsyncHttpxClient):
        async def send(self, *args: Any, **kwargs: Any) -> Any:
            sending.append(asyncio.ensure_future(super().send(*args, **kwargs)))
            return await asyncio.shield(sending[0])

    server.reply(Hang(0.5, redirect(beyond(public))))
    public.reply(Json({}))
    async with Shielded(verify=False) as http:
        client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, http_client=http)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.chat.completions.create(model="m", messages=[]), 0.1)
        await asyncio.gather(*sending)

    assert [1, 0] == [len(named(request)) for request in (*server.requests, *public.requests)]


class Following:
    """An HTTP client of a kind that nobody knows, which may follow redirects in a way of its own."""

    follow_redirects = True

    def __init__(self, http: Any) -> None:
        self._http = http

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)


@pytest.mark.parametrize("follows", [True, False])
def test_an_http_client_of_an_unknown_kind(applications, telemetry, monkeypatch, caplog, follows):
    """Nothing is sent by one that could take it elsewhere by a redirect, and a warning says so."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    application = applications("ollama")
    application.instrument(propagate="self-hosted")

    async def through_it(client: Any) -> None:
        client._client = http = Following(client._client)
        http.follow_redirects = follows
        await llama(client)

    (request,) = application.make(through_it, LLAMA)

    warning = "Following follows redirects in an unknown way: it sends no trace context."
    assert ([warning] if follows else []) == [record.getMessage() for record in caplog.records if record.name == OURS]
    assert ([] if follows else [("traceparent", traceparent(telemetry.span))]) == named(request)


def test_the_class_of_the_http_client_is_as_before_afterwards(application):
    """It is patched by the first call that carries a context, and not before; uninstrumenting takes that back."""
    made: list[Any] = []

    async def kept(client: Any) -> None:
        made.append(type(client._client).__mro__)
        await PLAIN[application.sdk][0](client)

    def methods() -> list[int]:
        return [id(vars(kind).get("_build_redirect_request")) for kind in made[0]]

    reply = PLAIN[application.sdk][1]
    application.make(kept, reply, **_silent(application))
    before = methods()
    application.instrument(propagate="elsewhere.example")
    application.make(kept, reply)
    assert before == methods()
    INSTRUMENTORS[application.sdk]().uninstrument()

    application.instrument(propagate="self-hosted")
    application.make(kept, reply)
    assert before != methods()
    INSTRUMENTORS[application.sdk]().uninstrument()
    assert before == methods()


# An HTTP instrumentation beside ours.


@every()
def test_beside_an_http_instrumentation_there_is_one_header(applications, telemetry, sdk, call, reply):
    """Theirs, of the HTTP span, which is a child of ours: the server's spans go on from there."""
    instrumentation = pytest.importorskip(
        "opentelemetry.instrumentation.httpx", reason="no HTTP instrumentation is installed"
    )
    application = applications(sdk)
    application.instrument(propagate="self-hosted")
    kinds = [
        kind for name, kind in vars(instrumentation).items() if name.endswith("ClientInstrumentor") and name[0] == "H"
    ]
    for kind in kinds:
        kind().instrument(tracer_provider=telemetry.tracer_provider, meter_provider=telemetry.meter_provider)

    (request,) = application.make(call, reply)

    ours = next(span for span in telemetry.spans if span.instrumentation_scope.name == OURS)
    theirs = next(span for span in telemetry.spans if span.instrumentation_scope.name != OURS)
    assert ours.context.span_id == theirs.parent.span_id
    assert [("traceparent", traceparent(theirs))] == named(request)
