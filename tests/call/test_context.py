"""What is current while a call runs, and after it; and the calls that are not ours to report."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk._logs import LoggingHandler
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

from loopback import Json, Sse, Telemetry
from loopback.openai_bodies import CHAT, MODEL, chunks, completion, error
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

NAME = f"chat {MODEL}"
OWNER = "opentelemetry.genai.client.inference.context"
DURATION = "gen_ai.client.operation.duration"


@pytest.fixture
def tracer(telemetry) -> trace.Tracer:
    """The application's own."""
    return telemetry.tracer_provider.get_tracer("application")


@pytest.fixture
def instrumented(telemetry) -> None:
    """With the defaults."""
    OpenAIInstrumentor().instrument(**telemetry.providers)


@pytest.fixture
def inside(server, openai_client) -> Callable[..., Any]:
    """Makes a call and returns what a function gives that runs in the middle of the SDK's work, before the request."""

    def call(look: Callable[[], Any], **more: Any) -> Any:
        server.reply(Sse(chunks("Hello")) if more.get("stream") else Json(completion()))
        client = openai_client()
        seen: list[Any] = []
        client._client.event_hooks = {"request": [lambda _request: seen.append(look())]}
        answer = client.chat.completions.create(**CHAT, **more)
        if more.get("stream"):
            list(answer)
        (only,) = seen
        return only

    return call


def span_id(span: Any) -> int:
    """The id of a span, live or finished."""
    return (span.get_span_context() if hasattr(span, "get_span_context") else span.context).span_id


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("stream", [False, True])
def test_the_span_is_current_inside(inside, telemetry, stream):
    """While the SDK works, the call's span is the current one; before and after, it is not."""
    before = context.get_current()

    seen = inside(trace.get_current_span, stream=stream)

    assert span_id(telemetry.span) == span_id(seen)
    assert before is context.get_current()


@pytest.mark.usefixtures("instrumented")
async def test_the_span_is_current_inside_asynchronously(server, telemetry, async_openai_client):
    """The same for an asynchronous client."""
    server.reply(Json(completion()))
    client, seen = async_openai_client(), []

    async def look(_request: Any) -> None:
        await asyncio.sleep(0)
        seen.append(span_id(trace.get_current_span()))

    client._client.event_hooks = {"request": [look]}
    before = context.get_current()
    await client.chat.completions.create(**CHAT)

    assert [span_id(telemetry.span)] == seen
    assert before is context.get_current()


@pytest.mark.usefixtures("instrumented")
def test_the_caller_s_span_is_the_parent(inside, telemetry, tracer):
    """And it is current again after the call, whether that went well or not."""
    with tracer.start_as_current_span("caller") as caller:
        inside(lambda: None)
        assert caller is trace.get_current_span()

    called, _ = telemetry.spans
    assert (NAME, span_id(caller)) == (called.name, called.parent.span_id)


@pytest.mark.usefixtures("instrumented")
def test_the_caller_s_span_after_a_failure(server, openai_client, tracer):
    """An exception passes without leaving ours behind."""
    server.reply(Json(error("no"), 400))
    with tracer.start_as_current_span("caller") as caller:
        with pytest.raises(openai.BadRequestError):
            openai_client().chat.completions.create(**CHAT)
        assert caller is trace.get_current_span()


@pytest.mark.usefixtures("instrumented")
def test_the_caller_s_span_between_chunks(server, telemetry, openai_client, tracer):
    """The span of a stream is never current in the loop that reads it."""
    server.reply(Sse(chunks("Hel", "lo")))
    with tracer.start_as_current_span("caller") as caller:
        with openai_client().chat.completions.create(**CHAT, stream=True) as stream:
            current = [trace.get_current_span() for _ in stream]
        assert caller is trace.get_current_span()

    assert [caller] * 3 == current
    assert span_id(caller) == telemetry.spans[0].parent.span_id


@pytest.mark.usefixtures("instrumented")
def test_a_span_of_the_transport_nests_below(inside, telemetry, tracer):
    """What instruments HTTP makes a child of the call's span."""

    def http() -> None:
        tracer.start_span("POST").end()

    inside(http)

    post, call = telemetry.spans
    assert ("POST", span_id(call)) == (post.name, post.parent.span_id)
    assert call.parent is None


@pytest.mark.usefixtures("instrumented")
def test_log_lines_carry_the_span(inside, telemetry):
    """A line that is logged while the SDK works has the ids of the call's span."""
    logger = logging.getLogger("application.transport")
    with warnings.catch_warnings():
        # It is moving to another package, which may not be there.
        warnings.simplefilter("ignore", DeprecationWarning)
        logging_handler = LoggingHandler(logger_provider=telemetry.logger_provider)
    logger.addHandler(logging_handler)
    try:
        inside(lambda: logger.error("sending"))
    finally:
        logger.removeHandler(logging_handler)

    (record,) = telemetry.logs
    span = telemetry.span
    assert ("sending", span.context.trace_id, span.context.span_id) == (record.body, record.trace_id, record.span_id)


@pytest.mark.usefixtures("instrumented")
def test_what_the_caller_put_into_context_stays(inside):
    """Baggage and other values are there while the SDK works."""
    token = context.attach(baggage.set_baggage("tenant", "a"))
    try:
        assert "a" == inside(lambda: baggage.get_baggage("tenant"))
        assert "a" == baggage.get_baggage("tenant")
    finally:
        context.detach(token)


@pytest.mark.usefixtures("instrumented")
def test_a_call_in_another_thread(server, telemetry, openai_client, tracer):
    """A thread that was given the caller's context has the caller's span for parent; one that was not has none."""
    server.reply_always(Json(completion()))
    client = openai_client()
    with tracer.start_as_current_span("caller") as caller:
        given = contextvars.copy_context()
        for target in (
            lambda: given.run(client.chat.completions.create, **CHAT),
            lambda: client.chat.completions.create(**CHAT),
        ):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()

    first, second, _ = telemetry.spans
    assert (span_id(caller), None) == (first.parent.span_id, second.parent)


@pytest.mark.usefixtures("instrumented")
async def test_many_calls_at_once(server, telemetry, async_openai_client, tracer):
    """Each of 20 concurrent calls has the span of its own task for parent, plain or streamed."""
    server.reply_always(Sse(chunks("Hello")))
    client = async_openai_client()

    async def ask(number: int) -> None:
        with tracer.start_as_current_span(f"task {number}") as task:
            async for _ in await client.chat.completions.create(**CHAT, stream=True, seed=number):
                assert task is trace.get_current_span()
                await asyncio.sleep(0)
            assert task is trace.get_current_span()

    await asyncio.gather(*map(ask, range(20)))

    names = {span_id(span): span.name for span in telemetry.spans}
    calls = [span for span in telemetry.spans if span.name == NAME]
    parents = {span.attributes["gen_ai.request.seed"]: names[span.parent.span_id] for span in calls}
    assert {number: f"task {number}" for number in range(20)} == parents
    assert 20 == len({span.context.trace_id for span in calls})


@pytest.mark.usefixtures("instrumented")
def test_exemplars_link_to_the_span(server, telemetry, openai_client):
    """Every metric of a streamed call has exemplars with the ids of its span."""
    usage = chunks("Hel", "lo")
    usage[-1]["usage"] = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    server.reply(Sse(usage))

    list(openai_client().chat.completions.create(**CHAT, stream=True))

    linked = {
        name: {(exemplar.trace_id, exemplar.span_id) for point in points for exemplar in point.exemplars}
        for name, points in telemetry.metrics.items()
    }
    span = telemetry.span
    assert 4 == len(linked)
    assert [{(span.context.trace_id, span.context.span_id)}] * 4 == list(linked.values())


@pytest.fixture
def unsampled() -> Iterator[Telemetry]:
    """Telemetry of which no span is recorded."""
    recorded = Telemetry(sampler=ALWAYS_OFF)
    yield recorded
    OpenAIInstrumentor().uninstrument()
    recorded.shutdown()


def test_metrics_of_what_is_not_sampled(server, telemetry, unsampled, openai_client):
    """Without a span the metrics are the same, and the caller's call is as well."""
    seen = []
    for recorded in (telemetry, unsampled):
        server.reply(Json(completion()))
        OpenAIInstrumentor().instrument(**recorded.providers)
        openai_client().chat.completions.create(**CHAT)
        OpenAIInstrumentor().uninstrument()
        seen.append(
            {
                name: [(point.count, dict(point.attributes)) for point in points]
                for name, points in recorded.metrics.items()
            }
        )

    assert (1, 0) == (len(telemetry.spans), len(unsampled.spans))
    assert seen[0] == seen[1]


class Watched(list[Any]):
    """A list that counts how often somebody walks it."""

    walks = 0

    def __iter__(self) -> Iterator[Any]:
        self.walks += 1
        return super().__iter__()


@pytest.mark.parametrize(("mode", "walked"), [("no_content", False), ("span_only", False), ("event_only", True)])
def test_content_is_built_only_for_somebody(server, unsampled, openai_client, mode, walked):
    """Of a call that is not sampled no content is put together, unless an event carries it."""
    server.reply_always(Json(completion()))
    client = openai_client()

    def walks() -> int:
        messages = Watched(CHAT["messages"])
        client.post("/chat/completions", body={"model": MODEL, "messages": messages}, cast_to=object)
        return messages.walks

    bare = walks()
    OpenAIInstrumentor().instrument(**unsampled.providers, capture_message_content=mode)

    assert walked == (walks() > bare)
    assert [] == unsampled.spans


def test_events_of_what_is_not_sampled(server, unsampled, openai_client):
    """An event is no part of the trace's sampling: it is emitted, with the ids of the span that nobody records."""
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(**unsampled.providers, capture_message_content="event_only")

    openai_client().chat.completions.create(**CHAT)

    (event,) = unsampled.events
    assert event.trace_id
    assert not event.trace_flags.sampled
    assert "gen_ai.output.messages" in event.attributes


def test_the_sampler_sees_what_is_known(inside):
    """At the start of a span every attribute of the request is there for a sampler to decide by."""
    seen: list[dict[str, Any]] = []

    class UsageInjection(TraceIdRatioBased):
        def should_sample(self, parent_context: Any, trace_id: int, name: str, *args: Any, **kwargs: Any) -> Any:
            seen.append(dict(kwargs.get("attributes") or args[1] or {}))
            return super().should_sample(parent_context, trace_id, name, *args, **kwargs)

    recorded = Telemetry(sampler=ParentBased(UsageInjection(1.0)))
    OpenAIInstrumentor().instrument(**recorded.providers)
    inside(lambda: None, temperature=0.5, max_tokens=7)

    (attributes,) = seen
    assert attributes.items() <= dict(recorded.span.attributes).items()
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 7,
        "openai.api.type": "chat_completions",
        "server.address": "127.0.0.1",
    }.items() <= attributes.items()
    OpenAIInstrumentor().uninstrument()
    recorded.shutdown()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("stream", [False, True])
def test_suppressed_instrumentation(inside, telemetry, stream):
    """Under `suppress_instrumentation` a call is made and not recorded; afterwards calls are recorded again."""
    with suppress_instrumentation():
        assert not inside(trace.get_current_span, stream=stream).get_span_context().is_valid
    assert ([], {}, []) == (telemetry.spans, telemetry.metrics, telemetry.logs)

    inside(lambda: None)
    assert NAME == telemetry.span.name


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(("value", "reported"), [(object(), False), ("a framework", False), (0, False), (None, True)])
def test_somebody_above_reports_it(inside, telemetry, value, reported):
    """Any value but None under the ecosystem's key says that the call is reported above, and we hand on."""
    token = context.attach(context.set_value(OWNER, value))
    try:
        seen = inside(lambda: (trace.get_current_span().get_span_context().is_valid, context.get_value(OWNER)))
    finally:
        context.detach(token)

    assert reported == bool(telemetry.spans) == bool(telemetry.metrics)
    assert reported == seen[0]
    assert reported or value is seen[1]


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_somebody_above_reports(server, telemetry, openai_client):
    """A stream of a call that somebody else reports is not recorded when it is read, though the key is gone by then."""
    server.reply(Sse(chunks("Hello")))
    token = context.attach(context.set_value(OWNER, object()))
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    context.detach(token)

    list(stream)

    assert ([], {}) == (telemetry.spans, telemetry.metrics)


@pytest.mark.usefixtures("instrumented")
def test_those_below_see_that_we_report_it(inside):
    """While a call runs, the key has a value; before and after, it has none."""
    assert context.get_value(OWNER) is None

    assert inside(lambda: context.get_value(OWNER)) is not None

    assert context.get_value(OWNER) is None


@pytest.mark.usefixtures("instrumented")
def test_a_call_inside_of_a_call(server, telemetry, openai_client):
    """A second client that works for the first, as a gateway in a transport does, is not recorded a second time."""
    server.reply_always(Json(completion()))
    outer, inner = openai_client(), openai_client()
    outer._client.event_hooks = {"request": [lambda _request: inner.chat.completions.create(**CHAT)]}

    outer.chat.completions.create(**CHAT)

    assert 2 == len(server.requests)
    assert (NAME, 1) == (telemetry.span.name, telemetry.metrics[DURATION][0].count)
    assert 200 == telemetry.span.attributes["http.response.status_code"]


@pytest.mark.usefixtures("instrumented")
def test_an_inner_stream_is_not_taken_for_the_outer_call(server, telemetry, openai_client):
    """What an inner client streams does not end up in the outer call."""
    outer, inner = openai_client(), openai_client()
    server.reply(Sse(chunks("inner")), Json(completion()))
    outer._client.event_hooks = {"request": [lambda _request: list(inner.chat.completions.create(**CHAT, stream=True))]}

    outer.chat.completions.create(**CHAT)

    attributes = telemetry.span.attributes
    assert 8 == attributes["gen_ai.usage.input_tokens"]
    assert "gen_ai.response.time_to_first_chunk" not in attributes


@pytest.mark.usefixtures("instrumented")
def test_other_endpoints_of_the_same_client(server, telemetry, openai_client):
    """What is no operation of a model leaves nothing, also inside of a call."""
    server.reply(Json({"object": "list", "data": []}), Json({"object": "list", "data": []}), Json(completion()))
    client = openai_client()
    client.models.list()
    other = openai_client()
    client._client.event_hooks = {"request": [lambda _request: other.models.list()]}

    client.chat.completions.create(**CHAT)

    assert 3 == len(server.requests)
    assert NAME == telemetry.span.name
