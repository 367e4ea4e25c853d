"""The loopback servers and the recorded telemetry do what they say, without any instrumentation.

What the SDK clients see here is what the tests of the instrumentation are compared with.
"""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from dirty_equals import IsFloat
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk import _logs as sdk_logs
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from loopback import Hang, Json, ModelServer, Ndjson, OtlpReceiver, Sse, Telemetry, Text, closed_port, same

MakeClient = Callable[..., Any]

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def _chunk(content: str) -> dict[str, Any]:
    """A chunk of a chat completion."""
    choices = [{"index": 0, "delta": {"content": content}, "finish_reason": None}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": choices,
    }


CHUNKS = [_chunk(word) for word in ("one", "two", "three")]


def _words(stream: Any) -> list[str]:
    """The content of every chunk, until the stream ends or fails."""
    return [chunk.choices[0].delta.content for chunk in stream]


async def _async_words(stream: Any) -> list[str]:
    """The same of an asynchronous stream."""
    return [chunk.choices[0].delta.content async for chunk in stream]


def test_a_request_is_recorded_and_answered_with_json(server: ModelServer, openai_client: MakeClient) -> None:
    """The client gets the reply, and the server knows method, path, headers and body."""
    server.reply(Json(COMPLETION, headers={"X-Request-Id": "req_1"}))

    completion = openai_client().chat.completions.create(**CHAT, extra_query={"api-version": "1"})

    request = server.requests[0]
    assert "Hello" == completion.choices[0].message.content
    assert ("POST", "/v1/chat/completions?api-version=1") == (request.method, request.path)
    assert "Bearer sk-test-not-a-key" == request.headers["authorization"]
    assert CHAT == request.json
    assert not request.left.is_set()


async def test_async_clients_are_answered_too(server: ModelServer, async_openai_client: MakeClient) -> None:
    """Several calls at once are each answered, in the order of their arrival."""
    server.reply(Json(COMPLETION), Json(COMPLETION))
    client = async_openai_client()

    completions = await asyncio.gather(*(client.chat.completions.create(**CHAT) for _ in range(2)))

    assert [COMPLETION["id"]] * 2 == [completion.id for completion in completions]
    assert 2 == len(server.requests)


def test_replies_are_used_up_in_order_and_nothing_is_made_up(server: ModelServer, openai_client: MakeClient) -> None:
    """One after the other, then status 599 with a message that names the request."""
    server.reply(Json(COMPLETION), Json({"error": {"message": "no", "code": "bad"}}, status=400))
    client = openai_client()

    client.chat.completions.create(**CHAT)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**CHAT)
    assert 0 == server.waiting
    with pytest.raises(
        openai.InternalServerError, match="no reply was scripted for POST /v1/chat/completions"
    ) as error:
        client.chat.completions.create(**CHAT)

    assert 599 == error.value.status_code


def test_a_reply_for_always_serves_when_the_queue_is_empty(server: ModelServer, openai_client: MakeClient) -> None:
    """As often as asked, after the queued ones, and until the reset."""
    server.reply(Json(COMPLETION | {"id": "first"}))
    server.reply_always(Json(COMPLETION))
    client = openai_client()

    ids = [client.chat.completions.create(**CHAT).id for _ in range(3)]
    server.reset()

    assert ["first", "chatcmpl-1", "chatcmpl-1"] == ids
    assert [] == server.requests
    with pytest.raises(openai.InternalServerError, match="no reply was scripted"):
        client.chat.completions.create(**CHAT)


def test_retries_are_requests_of_their_own(server: ModelServer, openai_client: MakeClient) -> None:
    """A 429 and the answer to its retry are two requests."""
    limited = Json({"error": {"message": "slow down"}}, status=429, headers={"retry-after-ms": "1"})
    server.reply(limited, Json(COMPLETION))

    openai_client(max_retries=1).chat.completions.create(**CHAT)

    assert 2 == len(server.requests)


def test_text_can_be_of_any_type(server: ModelServer, openai_client: MakeClient) -> None:
    """Malformed JSON reaches the client as such."""
    server.reply(Text('{"id": ', "application/json"))

    with pytest.raises(ValueError, match="Expecting value"):
        openai_client().chat.completions.create(**CHAT)


@pytest.mark.parametrize("gzip", [False, True])
def test_a_plain_response_can_be_cut(gzip: bool, server: ModelServer, openai_client: MakeClient) -> None:
    """The SDK reports a failed connection, compressed or not."""
    server.reply(Json(COMPLETION, gzip=gzip), Json(COMPLETION, gzip=gzip, end="cut"))
    client = openai_client()

    assert COMPLETION["id"] == client.chat.completions.create(**CHAT).id
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**CHAT)


@pytest.mark.parametrize("gzip", [False, True])
def test_a_stream_is_complete(gzip: bool, server: ModelServer, openai_client: MakeClient) -> None:
    """Every event arrives and the stream ends."""
    server.reply(Sse(CHUNKS, gzip=gzip))

    stream = openai_client().chat.completions.create(**CHAT, stream=True)

    assert ["one", "two", "three"] == _words(stream)


@pytest.mark.parametrize("gzip", [False, True])
def test_events_arrive_one_by_one(gzip: bool, server: ModelServer, openai_client: MakeClient) -> None:
    """The first can be read while the server still holds the second back."""
    server.reply(Sse(CHUNKS, gzip=gzip, end="stall", sent=1))

    stream = iter(openai_client().chat.completions.create(**CHAT, stream=True))
    first = next(stream).choices[0].delta.content
    server.release()

    assert ["one", "two", "three"] == [first, *_words(stream)]


def test_a_delay_stands_before_each_event(server: ModelServer, openai_client: MakeClient) -> None:
    """Three events with 20 ms each take at least 60 ms."""
    server.reply(Sse(CHUNKS, delay=0.02))

    begin = time.monotonic()
    _words(openai_client().chat.completions.create(**CHAT, stream=True))

    assert time.monotonic() - begin >= 0.06


def test_a_cut_stream_fails_in_the_client(server: ModelServer, openai_client: MakeClient) -> None:
    """The events sent arrive, then the HTTP library's error comes out of the SDK."""
    server.reply(Sse(CHUNKS, end="cut"))

    words: list[str] = []
    with pytest.raises(Exception, match=r"(?i)connection", check=_is_cut):
        words.extend(
            chunk.choices[0].delta.content for chunk in openai_client().chat.completions.create(**CHAT, stream=True)
        )

    assert ["one", "two"] == words


async def test_a_cut_stream_fails_in_the_async_client(server: ModelServer, async_openai_client: MakeClient) -> None:
    """As in the synchronous one."""
    server.reply(Sse(CHUNKS, end="cut"))

    stream = await async_openai_client().chat.completions.create(**CHAT, stream=True)

    with pytest.raises(Exception, match=r"(?i)connection", check=_is_cut):
        await _async_words(stream)


def test_a_stream_can_be_cut_before_its_first_event(server: ModelServer, openai_client: MakeClient) -> None:
    """The call returns a stream that fails at its first step."""
    server.reply(Sse(CHUNKS, end="cut", sent=0))

    stream = openai_client().chat.completions.create(**CHAT, stream=True)

    with pytest.raises(Exception, match=r"(?i)connection", check=_is_cut):
        next(iter(stream))


@pytest.mark.parametrize("gzip", [False, True])
def test_a_stream_can_end_cleanly_but_early(gzip: bool, server: ModelServer, openai_client: MakeClient) -> None:
    """The client sees neither the last event nor an error."""
    server.reply(Sse(CHUNKS, end="early", gzip=gzip))

    stream = openai_client().chat.completions.create(**CHAT, stream=True)

    assert ["one", "two"] == _words(stream)


def test_a_stalled_stream_waits_for_the_client_to_leave(server: ModelServer, openai_client: MakeClient) -> None:
    """The events sent arrive, and the server sees that the client closes the stream."""
    server.reply(Sse(CHUNKS, end="stall"))

    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    chunks = iter(stream)
    words = [next(chunks).choices[0].delta.content for _ in range(2)]
    assert not server.requests[0].left.is_set()
    stream.close()

    assert ["one", "two"] == words
    assert server.requests[0].left.wait(5)


async def test_a_stalled_stream_can_be_timed_out(server: ModelServer, async_openai_client: MakeClient) -> None:
    """A cancelled client leaves, and the server sees it."""
    server.reply(Sse(CHUNKS, end="stall", sent=0))
    stream = await async_openai_client().chat.completions.create(**CHAT, stream=True)

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(_async_words(stream), 0.05)
    await stream.close()

    assert await asyncio.to_thread(server.requests[0].left.wait, 5)


def test_a_hanging_server_times_out(server: ModelServer, openai_client: MakeClient) -> None:
    """No headers come before the time is over."""
    server.reply(Hang())

    with pytest.raises(openai.APITimeoutError):
        openai_client(timeout=0.1).chat.completions.create(**CHAT)

    assert server.requests[0].left.wait(5)


def test_a_hanging_server_answers_in_the_end(server: ModelServer, openai_client: MakeClient) -> None:
    """When the time is over, or when it is released."""
    server.reply(Hang(0.05, Json(COMPLETION)), Hang(then=Json(COMPLETION)))
    client = openai_client()

    begin = time.monotonic()
    client.chat.completions.create(**CHAT)
    assert time.monotonic() - begin >= 0.05
    threading.Timer(0.05, server.release).start()
    client.chat.completions.create(**CHAT)

    assert time.monotonic() - begin < 5


def test_event_names_are_sent_where_asked_for(server: ModelServer, openai_client: MakeClient) -> None:
    """A line ``event:`` before each mapping, and no ``[DONE]`` then; strings and bytes are left alone."""
    server.reply(Sse([{"type": "ping"}, "{malformed", b": comment\n\n"], event_names=True))

    body = openai_client().post("/anything", cast_to=str, body={})

    assert 'event: ping\ndata: {"type": "ping"}\n\ndata: {malformed\n\n: comment\n\n' == body


def test_lines_of_json_are_sent(server: ModelServer, openai_client: MakeClient) -> None:
    """One value per line."""
    server.reply(Ndjson([{"done": False}, '{"done": true}']))

    assert '{"done": false}\n{"done": true}\n' == openai_client().post("/anything", cast_to=str, body={})


def test_a_closed_port_refuses(openai_client: MakeClient) -> None:
    """The SDK reports a failed connection, and the port stays closed."""
    client = openai_client(base_url=f"http://127.0.0.1:{closed_port()}/v1")

    with pytest.raises(openai.APIConnectionError) as error:
        client.chat.completions.create(**CHAT)

    assert any("refused" in str(link) for link in _chain(error.value))


def test_reset_frees_what_stalls(server: ModelServer, openai_client: MakeClient) -> None:
    """A test that leaves a stream open does not hold the next one up."""
    server.reply(Sse(CHUNKS, end="stall"))
    stream = iter(openai_client().chat.completions.create(**CHAT, stream=True))
    next(stream)

    server.reset()

    assert ["two", "three"] == _words(stream)


Exporters = tuple[Any, Any, Any]


def _http_exporters(receiver: OtlpReceiver, compression: Compression = Compression.NoCompression) -> Exporters:
    """The three exporters of OTLP over HTTP."""
    base = f"{receiver.http_url}/v1"
    return (
        HttpSpanExporter(f"{base}/traces", compression=compression),
        HttpMetricExporter(f"{base}/metrics", compression=compression),
        HttpLogExporter(f"{base}/logs", compression=compression),
    )


def _grpc_exporters(receiver: OtlpReceiver) -> Exporters:
    """The three exporters of OTLP over gRPC."""
    return (
        GrpcSpanExporter(receiver.grpc_url, insecure=True),
        GrpcMetricExporter(receiver.grpc_url, insecure=True),
        GrpcLogExporter(receiver.grpc_url, insecure=True),
    )


@pytest.fixture(params=["http", "gzip", "grpc"])
def exporters(request: pytest.FixtureRequest, receiver: OtlpReceiver) -> Exporters:
    """Real exporters to the receiver, one set per protocol and compression."""
    if request.param == "grpc":
        return _grpc_exporters(receiver)
    return _http_exporters(receiver, Compression.Gzip if request.param == "gzip" else Compression.NoCompression)


def _emit(provider: Any, **record: Any) -> None:
    """Emits a log record in the way that this generation of the SDK wants."""
    logger = provider.get_logger("loopback.tests")
    # SDKs up to 1.38 can export only a record of their own class.
    own = getattr(sdk_logs, "LogRecord", None)
    logger.emit(own(**record, resource=logger.resource) if own else LogRecord(**record))


@pytest.fixture
def exported(exporters: Exporters) -> Iterator[None]:
    """One span, one histogram, one counter and one event, exported for real."""
    resource = Resource({"service.name": "exporting"})
    spans, metrics, logs = exporters
    tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    metering = MeterProvider([PeriodicExportingMetricReader(metrics)], resource, shutdown_on_exit=False)
    logging = LoggerProvider(resource, shutdown_on_exit=False)
    logging.add_log_record_processor(SimpleLogRecordProcessor(logs))
    _record(tracing, metering, logging)
    yield
    for provider in (tracing, metering, logging):
        provider.shutdown()


def _record(tracing: Any, metering: Any, logging: Any) -> None:
    """One of each, an event among them that carries the planted word."""
    meter = metering.get_meter("loopback.tests", "1")
    with tracing.get_tracer("loopback.tests", "1").start_as_current_span("chat", kind=trace.SpanKind.CLIENT) as span:
        span.set_attributes({"int": 1, "float": 1.0, "bool": True, "list": ["a"], "server.port": 443})
        meter.create_histogram("tokens", "{token}", "Tokens.").record(3, {"type": "input"})
        meter.create_histogram("duration", "s", "Seconds.").record(0.5)
        meter.create_counter("calls", "{call}").add(2)
        _emit(
            logging,
            timestamp=time.time_ns(),
            observed_timestamp=time.time_ns(),
            event_name="done",
            severity_number=SeverityNumber.DEBUG,
            body=None,
            attributes={"messages": [{"role": "user", "n": 1}], "word": "planted"},
        )
    metering.force_flush()


@pytest.mark.usefixtures("exported")
def test_the_receiver_decodes_what_real_exporters_send(receiver: OtlpReceiver) -> None:
    """Spans, metrics and events with their types, resource, scope and ids."""
    receiver.wait_for(lambda received: received.spans and received.metrics and received.logs)

    span, event = receiver.spans[0], receiver.logs[0]
    metrics = {metric["name"]: metric for metric in receiver.metrics}
    assert ("chat", "CLIENT", "", "UNSET") == (
        span["name"],
        span["kind"],
        span["parent_span_id"],
        span["status"]["code"],
    )
    assert same({"int": 1, "float": 1.0, "bool": True, "list": ["a"], "server.port": 443}, span["attributes"])
    assert {"service.name": "exporting"} == span["resource"]
    assert "loopback.tests" == span["scope"]["name"] == event["scope"]["name"] == metrics["calls"]["scope"]["name"]
    assert same([1, 3.0], [metrics["tokens"]["points"][0][key] for key in ("count", "sum")])
    assert span["span_id"] == metrics["tokens"]["points"][0]["exemplars"][0]["span_id"]
    assert same([2, "sum"], [metrics["calls"]["points"][0]["value"], metrics["calls"]["type"]])
    assert (span["trace_id"], span["span_id"], "done", 5) == (
        event["trace_id"],
        event["span_id"],
        event["event_name"],
        event["severity_number"],
    )
    assert same({"messages": [{"role": "user", "n": 1}], "word": "planted"}, event["attributes"])


@pytest.mark.usefixtures("exported")
def test_the_receiver_keeps_every_byte(receiver: OtlpReceiver) -> None:
    """A word planted in an event is found in what was received, compressed or not, and another is not."""
    receiver.wait_for(lambda received: received.logs)

    assert b"planted" in receiver.raw
    assert b"never said" not in receiver.raw


def test_waiting_in_vain_says_what_there_is(receiver: OtlpReceiver) -> None:
    """An AssertionError after the time given."""
    with pytest.raises(AssertionError, match=r"not received within 0.01 s; received: {'spans': \[\]"):
        receiver.wait_for(lambda received: received.spans, timeout=0.01)


def test_the_receiver_takes_only_otlp(receiver: OtlpReceiver, openai_client: MakeClient) -> None:
    """Other paths and other encodings are refused."""
    client = openai_client(base_url=receiver.http_url)

    with pytest.raises(openai.NotFoundError):
        client.get("/v1/anything", cast_to=str)
    with pytest.raises(openai.APIStatusError, match="415"):
        client.post("/v1/traces", cast_to=str, body={})


def _recorded(telemetry: Telemetry) -> None:
    """Two nested spans with every kind of signal in and out of them."""
    tracer = telemetry.tracer_provider.get_tracer("outer")
    with tracer.start_as_current_span("application"):
        _record(telemetry.tracer_provider, telemetry.meter_provider, telemetry.logger_provider)
        failing = tracer.start_span("failing", attributes={"gen_ai.response.time_to_first_chunk": 0.25})
        failing.set_status(trace.StatusCode.ERROR, "why")
        failing.add_event("exception", {"exception.type": "E", "exception.stacktrace": _stacktrace()})
        failing.end()
    _emit(telemetry.logger_provider, event_name="outside", severity_number=SeverityNumber.WARN)


def _stacktrace() -> str:
    """The text of a real one."""
    try:
        raise LookupError("planted")
    except LookupError:
        return traceback.format_exc()


def test_a_snapshot_shows_everything_but_what_is_volatile(telemetry: Telemetry) -> None:
    """The whole of it, as it would be written in a test."""
    _recorded(telemetry)

    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "chat",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {"bool": True, "float": 1.0, "int": 1, "list": ["a"], "server.port": "<port>"},
                    "events": [],
                    "parent": "application",
                    "scope": "loopback.tests",
                },
                {
                    "name": "failing",
                    "kind": "INTERNAL",
                    "status": {"code": "ERROR", "description": "why"},
                    "attributes": {"gen_ai.response.time_to_first_chunk": "<seconds>"},
                    "events": [
                        {
                            "name": "exception",
                            "attributes": {"exception.stacktrace": "<stacktrace>", "exception.type": "E"},
                        }
                    ],
                    "parent": "application",
                    "scope": "outer",
                },
                {
                    "name": "application",
                    "kind": "INTERNAL",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {},
                    "events": [],
                    "parent": None,
                    "scope": "outer",
                },
            ],
            "metrics": {
                "calls": {
                    "unit": "{call}",
                    "description": "",
                    "bounds": [],
                    "points": [{"attributes": {}, "exemplars": ["chat"], "value": 2}],
                },
                "duration": {
                    "unit": "s",
                    "description": "Seconds.",
                    "bounds": [
                        0.0,
                        5.0,
                        10.0,
                        25.0,
                        50.0,
                        75.0,
                        100.0,
                        250.0,
                        500.0,
                        750.0,
                        1000.0,
                        2500.0,
                        5000.0,
                        7500.0,
                        10000.0,
                    ],
                    "points": [{"attributes": {}, "exemplars": ["chat"], "count": 1, "sum": "<seconds>"}],
                },
                "tokens": {
                    "unit": "{token}",
                    "description": "Tokens.",
                    "bounds": [
                        0.0,
                        5.0,
                        10.0,
                        25.0,
                        50.0,
                        75.0,
                        100.0,
                        250.0,
                        500.0,
                        750.0,
                        1000.0,
                        2500.0,
                        5000.0,
                        7500.0,
                        10000.0,
                    ],
                    "points": [{"attributes": {"type": "input"}, "exemplars": ["chat"], "count": 1, "sum": 3}],
                },
            },
            "events": [
                {
                    "event_name": "done",
                    "severity_number": 5,
                    "body": None,
                    "attributes": {"messages": [{"role": "user", "n": 1}], "word": "planted"},
                    "span": "chat",
                    "timestamp": True,
                },
                {
                    "event_name": "outside",
                    "severity_number": 13,
                    "body": None,
                    "attributes": {},
                    "span": None,
                    "timestamp": False,
                },
            ],
        }
    )


def test_snapshots_of_two_runs_are_equal(telemetry: Telemetry) -> None:
    """Clearing leaves nothing of the first run, and the second looks the same."""
    _recorded(telemetry)
    first = telemetry.snapshot()
    telemetry.clear()
    assert {"spans": [], "metrics": {}, "events": []} == telemetry.snapshot()
    assert {} == telemetry.metrics
    _recorded(telemetry)

    assert first == telemetry.snapshot()


def test_reading_changes_nothing(telemetry: Telemetry) -> None:
    """What was read is still there and adds up with what comes later, exemplars included."""
    counter = telemetry.meter_provider.get_meter("loopback.tests").create_counter("calls")
    histogram = telemetry.meter_provider.get_meter("loopback.tests").create_histogram("tokens")
    for amount in (1, 2):
        with telemetry.tracer_provider.get_tracer("loopback.tests").start_as_current_span("chat"):
            counter.add(amount, {"a": "b"})
            histogram.record(amount)
        assert telemetry.snapshot() == telemetry.snapshot()

    calls, tokens = telemetry.metrics["calls"][0], telemetry.metrics["tokens"][0]
    assert ({"a": "b"}, 3) == (calls.attributes, calls.value)
    assert (2, 3, 2, 2) == (tokens.count, tokens.sum, sum(tokens.buckets), len(tokens.exemplars))
    assert {span.context.span_id for span in telemetry.spans} == {sample.span_id for sample in tokens.exemplars}


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (1.0, True), (0, False), ("1", 1), (None, 0)])
def test_a_snapshot_tells_types_apart(one: object, other: object, telemetry: Telemetry) -> None:
    """At every depth, and on both sides of the comparison."""
    with telemetry.tracer_provider.get_tracer("loopback.tests").start_as_current_span("chat") as span:
        span.set_attribute("value", [1.0])
    snap = telemetry.snapshot()

    assert not same({"a": [one]}, {"a": [other]})
    assert same({"a": [one]}, {"a": [one]})
    assert snap["spans"][0]["attributes"] == {"value": [1.0]}
    assert snap["spans"][0]["attributes"] == {"value": [IsFloat()]}
    assert snap["spans"][0]["attributes"] != {"value": [1]}
    assert {"value": [1]} != snap["spans"][0]["attributes"]
    assert [True] != snap["spans"][0]["attributes"]["value"]


def test_a_wrong_type_is_not_normalised_away(telemetry: Telemetry) -> None:
    """A port that is text, or a time that is an int, fails the snapshot."""
    tracer = telemetry.tracer_provider.get_tracer("loopback.tests")
    for attributes in ({"server.port": "443"}, {"gen_ai.response.time_to_first_chunk": 1}):
        tracer.start_span("chat", attributes=attributes).end()
        with pytest.raises(AssertionError, match="not a"):
            telemetry.snapshot()
        telemetry.clear()


def test_one_span_is_one_span(telemetry: Telemetry) -> None:
    """None, or two, are a clear failure."""
    tracer = telemetry.tracer_provider.get_tracer("loopback.tests")
    with pytest.raises(AssertionError, match=r"expected one finished span, not \[\]"):
        _ = telemetry.span
    tracer.start_span("chat").end()
    assert "chat" == telemetry.span.name
    tracer.start_span("embeddings").end()
    with pytest.raises(AssertionError, match=r"not \['chat', 'embeddings'\]"):
        _ = telemetry.span


def test_metrics_do_not_depend_on_sampling() -> None:
    """A telemetry that samples nothing has metrics and no span."""
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    _recorded(telemetry)

    assert [] == telemetry.spans
    assert {"calls", "duration", "tokens"} == set(telemetry.metrics)
    telemetry.shutdown()


def _is_cut(error: BaseException) -> bool:
    """Whether it comes from the HTTP library's error: newer SDKs wrap that in one of their own."""
    return "RemoteProtocolError" in {type(link).__name__ for link in _chain(error)}


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error and everything it came from."""
    return [] if error is None else [error, *_chain(error.__cause__ or error.__context__)]
