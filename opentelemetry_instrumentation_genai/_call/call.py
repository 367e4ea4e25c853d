"""The life of one call: one instrumented operation, with all its retries and the reading of its stream.

A call is made without any effect, starts with its span, and finishes exactly once: by `succeed`, `stop` or `fail`, whichever
comes first, in whatever thread. Each step of finishing is guarded by itself, and an interrupt that strikes within them still
ends the span. The child of a `fork` never finishes a call of its parent.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from threading import Lock
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import ref

from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode, get_current_span, set_span_in_context

from .._adapter.failure import Failure, raised
from .._adapter.fields import read
from .._adapter.json_text import read_json
from .._adapter.request_bodies import reading
from .._application.attribution import FIRST
from .._content.pipeline import NOTHING
from .._conventions.capture_modes import NO_CONTENT
from .._conventions.names import (
    CONTENT_ORIGINAL_BYTES,
    ERROR_TYPE,
    PROMPT_NAME,
    PROMPT_VERSION,
    PROVIDER_NAME,
    REQUEST_MODEL,
    REQUEST_STREAM,
    RESPONSE_FINISH_REASONS,
    RESPONSE_MODEL,
    RESPONSE_TIME_TO_FIRST_CHUNK,
    USAGE_COST,
)
from .._guard import guarded, guarded_step, say_once
from .._lifetime.lifetime import forks
from .context import run_within, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from .._adapter.failure import Words
    from .._adapter.fields import Attribute, Table
    from .._adapter.operation import Accumulator, Content, Request, StreamUsage
    from .._adapter.unknown_servers import UnknownServer
    from .._application.hooks import GenAIRequest
    from .._content.pipeline import RenderedContent
    from .._content.redaction import Redacting
    from .._cost.costs import Costs
    from .._signals.extended_metrics import Run, Traffic
    from .._signals.signals import Signals


_raised = guarded(raised)
current_call = cast("Callable[[], Call | None]", running)
"""Return the call that the SDK code running here belongs to, or None."""
_USAGE = "gen_ai.usage."  # how the names of all that is used begin


@guarded
def _read(rows: Table, body: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return the attributes of a request."""
    return reading(partial(read, rows), body)


class Reading(Protocol):
    """A reading of the response by the application."""

    def forget(self) -> None:
        """Stop reporting: another reading has begun."""


class Call:
    """One call. To make it has no effect: `start` starts its span.

    Args:
        signals: the writers of its telemetry.
        request: the request, as the seam describes it.
        context: the OpenTelemetry context in which it is made.
        client: the SDK's client that makes it.

    Attributes:
        client: the same, while the SDK's code runs.
        operation: its `gen_ai.operation.name`.
        span: its span.
        started: when the SDK's code was called, in seconds of `perf_counter`.
        stopped: when that returned, or the response was read that the application reads later; None until then.
        context: a context with that span, which metrics and events link to.
        detailed: whether more than metrics is reported: the span is sampled, or there is a details event or a completion hook.
        injected: the options that request the usage of the stream, while the request is sent with them.
        propagated: the headers that were added to its request, if any.
        unknown_server: the server, as long as its provider is not identified.
        open: whether its response is read by the application, later; then reading finishes the call.
        early: whether such a reading came to an end while the SDK's code still ran, as middleware can have it.
        sent: the HTTP request; its credentials are read if the call fails.
        received: the HTTP response of a plain call; its body is in memory while the SDK parses it.
    """

    __slots__ = (
        "_accumulator",
        "_add",
        "_adopted",
        "_attributes",
        "_attribution",
        "_capture",
        "_closed",
        "_completes",
        "_content",
        "_cost_in_headers",
        "_emits",
        "_ended",
        "_facts",
        "_first",
        "_forks",
        "_given",
        "_hooked",
        "_identity",
        "_keys",
        "_last",
        "_metrics",
        "_no_usage",
        "_once",
        "_operation",
        "_point",
        "_reading",
        "_recording",
        "_redacting",
        "_request",
        "_run",
        "_server",
        "_shown",
        "_signals",
        "_stream",
        "_timed",
        "_wanted",
        "client",
        "context",
        "detailed",
        "early",
        "injected",
        "open",
        "operation",
        "propagated",
        "received",
        "sent",
        "span",
        "started",
        "stopped",
        "unknown_server",
    )

    def __init__(self, signals: Signals, request: Request, context: Context, client: object = None) -> None:
        self._signals = signals
        self._operation = request.operation
        self.operation = request.operation.name
        self._metrics = signals.metrics_of(request.operation.name)
        self._stream = request.stream
        self._forks = forks()
        self._once = Lock()
        self._facts: dict[str, Attribute] = {}
        self._first: float | None = None
        self.started = self._last = 0.0
        self.stopped: float | None = None
        self._timed = True
        self._point: dict[str, Attribute] | None = None
        self._accumulator: Accumulator | None = None
        self._add: Callable[[Any], None] | None = None
        self.client: object = client
        self.open = self.early = self._ended = self._closed = False
        self._reading: ref[Reading] | None = None
        self.injected: Any = None
        self.propagated: Any = None
        self.received: Any = None
        self.sent: Any = None
        self.unknown_server: UnknownServer | None = None
        self._hooked: GenAIRequest | None = None
        self._attribution: Mapping[str, Attribute] | None = None
        self._keys: tuple[Any, ...] = ()
        self._cost_in_headers: float | None = None
        self._server = request.server
        self._identity = request.identity()
        self._attributes: dict[str, Attribute] = {}
        self._content: Content = {}
        self._given: Mapping[str, Any] | None = None
        self._redacting: Redacting | None = None
        self._capture = NO_CONTENT if signals.pipeline is None else request.capture or signals.capture
        self._request: Request | None = None
        self._run: Run | None = None
        self.span: Span = INVALID_SPAN
        self.context = context
        self._no_usage: bool | None = False
        self._adopted = self.detailed = self._recording = self._emits = self._completes = self._wanted = False

    @guarded
    def start(self, request: Request, adopts: bool) -> None:
        """Start its span, and have the application's hook called.

        Args:
            request: the request, as the seam describes it.
            adopts: whether its span is one that the SDK makes, and that comes with `adopt`.
        """
        self._attributes = self._start_attributes(request)
        if adopts:
            self._request = request
            self._choose(get_current_span(self.context))
            self._take(INVALID_SPAN)
        else:
            self.span = self._start_span() or INVALID_SPAN
            self.context = set_span_in_context(self.span, self.context)
            self._choose(self.span)
            self._take(self.span)
            self._take_input(request)
            if self._signals.hooks is not None:
                self._hook(self.span, request)
        if self._signals.costs is not None:
            self._signals.costs.begin()
            self._no_usage = self._stream and self._requests_no_usage(request)
        if request.attribution and not self.detailed:
            self._warn_of_lost_attribution()
        if self._signals.traffic is not None:
            self._run = self._under_way(self._signals.traffic, request)

    @guarded
    def _requests_no_usage(self, request: Request) -> bool:
        """Return whether its stream has no usage, because neither the application nor a setting requests it."""
        usage = self._operation.stream_usage
        if usage is None or self._signals.asks_for_usage or request.provider in usage.unasked:
            return False
        return reading(usage.asked, request.body) is not None

    @guarded
    def _warn_of_lost_attribution(self) -> None:
        if self._signals.only_metrics():
            say_once(
                "What genai_context and baggage say of calls is on spans and details events, and there are none: metrics do not "
                "have it. Set a tracer provider or OTEL_TRACES_EXPORTER."
            )

    @guarded
    def _under_way(self, traffic: Traffic, request: Request) -> Run:
        from .._signals.extended_metrics import Run

        messages = request.body.get(self._operation.messages)
        return Run(traffic, self._identity, messages, stream=self._stream, context=self.context)

    @guarded
    def _start_span(self) -> Span:
        """Start the span. Where a sampler or a span processor raises, the call is followed without one."""
        tracer = self._signals.tracer
        return tracer.start_span(self._name(), self.context, SpanKind.CLIENT, attributes=self._attributes)

    def _choose(self, span: Span) -> None:
        """Decide whether the call is in the sampled share for content capture."""
        if self._capture.share < 1 and not self._capture.chooses(span):
            self._capture = NO_CONTENT

    def _take(self, span: Span) -> None:
        operation, capture, emit = self._operation, self._capture, self._signals.emit_event
        completions = self._signals.completions
        self._completes = completes = (
            completions is not None and capture.hook and operation.details and completions.begin()
        )
        self.span, self._closed = span, False
        self._recording = recording = span.is_recording()
        self._emits = operation.details and (capture.event if emit is None else emit)
        self.detailed = recording or self._emits or completes
        self._wanted = completes or (
            operation.details and ((capture.event and emit is not False) or (capture.span and recording))
        )

    def _take_input(self, request: Request) -> None:
        """Take the content of the request; if only failed calls record content, keep the request's body, to make it from later.

        The caller may change a list after the call, such as the messages, so lists are copied; their entries are not.
        """
        if not self._wanted:
            return
        if self._capture.failed:
            self._given = {name: [*value] if type(value) is list else value for name, value in request.body.items()}
        else:
            self._content = self._input_content(request.body) or {}

    @guarded
    def adopt(self, span: Span, own: Span) -> None:
        """Take the span that the SDK has made for the call.

        Args:
            span: as we are to see it.
            own: as it is.
        """
        if self._request is None:
            return
        self._adopted = True
        self.context = set_span_in_context(span, self.context)
        self._take(span)
        span.set_attributes(self._attributes)
        self._take_input(self._request)
        if self._signals.hooks is not None:
            self._hook(own, self._request)
        self._request = None

    def _hook(self, span: Span, request: Request) -> None:
        """Have the application's hook called with the call's span, as its owner has it."""
        assert self._signals.hooks is not None
        self._shown = span
        self._hooked = self._signals.hooks.started(partial(run_within, self), span, request)

    def _name(self) -> str:
        model = self._identity.get(REQUEST_MODEL)
        return f"{self._operation.name} {model}" if model else self._operation.name

    def _start_attributes(self, request: Request) -> dict[str, Attribute]:
        found = _read(self._operation.request, request.body) or {}
        attributes = {**self._identity, **self._operation.constants, **found}
        if self._stream and self._operation.says_stream:
            attributes[REQUEST_STREAM] = True
        if self._signals.enrichers is not None:
            attributes.update(self._signals.enrichers.of(request) or {})
        return self._with_attribution(request.attribution, attributes) if request.attribution else attributes

    def _with_attribution(
        self, attribution: Mapping[str, Attribute], attributes: dict[str, Attribute]
    ) -> dict[str, Attribute]:
        """Return the attributes with the application's attribution: some of it overrides the request's, the rest does not."""
        self._attribution = first = {name: attribution[name] for name in FIRST if name in attribution}
        if PROMPT_NAME in first:
            attributes.pop(PROMPT_VERSION, None)  # that of the prompt that the request names
        return {**attribution, **attributes, **first}

    @guarded
    def _input_content(self, body: Mapping[str, Any]) -> Content:
        assert self._signals.pipeline is not None
        return self._signals.pipeline.make(reading, self._operation.input_content, body)

    @property
    def stream_usage(self) -> StreamUsage | None:
        """Return how the usage of its stream is requested."""
        return self._operation.stream_usage

    @property
    def unread(self) -> frozenset[str]:
        """Return the members of its response that nothing reads, not even the application's hook."""
        hooks = self._signals.hooks
        return frozenset() if hooks is not None and hooks.want_response else self._operation.unread

    @property
    def over(self) -> bool:
        """Return whether it has finished, or is about to; in the child of a fork, calls of the parent are over."""
        return self._once.locked() or self._forks != forks()

    @property
    def ended(self) -> bool:
        """Return whether all is done, the application's hooks included; in the child of a fork, calls of the parent have ended."""
        return self._ended or self._forks != forks()

    # While it runs.

    def tell(self, attributes: Mapping[str, Attribute]) -> None:
        """Add attributes of the request that are not read from its body."""
        if attributes:
            if self._attribution:
                attributes = {**attributes, **self._attribution}
            self._attributes.update(attributes)
            if self._recording:
                self.span.set_attributes(attributes)

    def keyed(self, *keys: Any) -> None:
        """Take keys of the client, which the message of a failure may quote."""
        self._keys = keys

    def answered_by(self, provider: str | None) -> None:
        """Set the provider that the response identifies, if it does: the span and all later metrics have it."""
        if provider is None:
            return
        self.unknown_server = None
        if provider != self._identity[PROVIDER_NAME]:
            self._identity = {**self._identity, PROVIDER_NAME: provider}  # a new one: recorded points hold the other
            self._attributes[PROVIDER_NAME] = provider
            self.span.set_attribute(PROVIDER_NAME, provider)

    def answered(self, facts: dict[str, Attribute]) -> None:
        """Take the attributes of the HTTP response."""
        self._facts = facts

    @guarded
    def read_headers(self, headers: Any) -> None:
        """Read the cost of the call and the rate limits from the headers of the HTTP response."""
        signals = self._signals
        if signals.costs is not None:
            cost = signals.costs.in_headers(headers)
            # A stream's headers were sent before it cost anything.
            self._cost_in_headers = None if self._stream and not cost else cost
        if signals.limits is not None:
            signals.limits.record(headers, self._identity, self.context)

    def opened(self, reading: Reading) -> None:
        """Set the reading of its response by the application, which follows. The last of several counts."""
        earlier = None if self._reading is None else self._reading()
        if earlier is not None:
            earlier.forget()
        self._reading = ref(reading)
        self.open, self.early, self._first = True, False, None
        self._last = perf_counter()
        make = self._operation.accumulator
        if make is not None:
            hooks, run = self._signals.hooks, self._run
            self._accumulator = make(self._wanted or (hooks is not None and hooks.want_response))
            self._add = self._accumulator.add if run is None else run.counting(self._accumulator.add)

    @guarded_step
    def chunk(self, chunk: Any) -> None:
        """Take a chunk of the stream."""
        if self._add is None:
            return
        self._add(chunk)
        now = perf_counter()
        if self._timed:
            self._time(now)
        self._last = now

    def give_up(self) -> None:
        """Record nothing of the response: parts of it are too large to be read, and without them the rest may be wrong."""
        self._accumulator = self._add = None

    def touch(self) -> None:
        """Record that something of the response was read that is no chunk."""
        if self._first is None:
            self._last = perf_counter()

    def _time(self, now: float) -> None:
        if self._first is None:
            self._first = now - self.started
            self._timed = self._signals.per_chunk and self._forks == forks()
        else:
            self._metrics.per_chunk.record(now - self._last, self._chunk_point(), self.context)

    def _chunk_point(self) -> dict[str, Attribute]:
        """Return the attributes of a chunk's time, with the response's model as it is known at the second chunk."""
        if self._point is None:
            response = self._received()
            self._look_at(response)
            self._point = self._metric_point(read(self._operation.measured, response))
        return self._point

    @guarded
    def _look_at(self, response: Any) -> None:
        if self.unknown_server is not None and response is not None:
            self.answered_by(self.unknown_server.by_response(response))

    @guarded
    def _received(self) -> Any:
        return None if self._accumulator is None else self._accumulator.result()

    @guarded
    def _unparsed(self) -> Any:
        """Return the JSON of a response that the SDK has not parsed; None if it is too large to be parsed again."""
        return read_json(self.received.content, self.unread)

    # How it ends.

    def succeed(self, response: Any) -> None:
        """Finish with the response of a plain call."""
        self._finish(response, None)

    def stop(self) -> None:
        """Finish with what was received of a stream, read to its end or left early."""
        self._finish(None, None)

    def collected(self) -> None:
        """Finish as `stop` does, as of the last chunk: it is unknown when the application left the stream."""
        if not self.over:
            self.stopped = self._last
        self._finish(None, None)

    def fail(self, error: BaseException) -> None:
        """Finish with the exception that the SDK raised, and what was received before it.

        A response that was received completely is read from its body: it is billed even if the SDK could not parse it.
        """
        self._finish(None, error)

    def settle(self) -> None:
        """End what a failed or interrupted step of ours has left open; do nothing if there is nothing."""
        self.client = None
        if self.open or self._closed:
            return
        if not self.over:
            self._finish(None, None)
        self._abandon()

    def _finish(self, response: Any, error: BaseException | None) -> None:
        if self._forks != forks():
            return
        if self.client is not None:
            self.early = True
            return
        ours = False
        try:
            ours = self._once.acquire(blocking=False)
            if ours:
                self._finish_once(response, error)
        finally:
            if ours:
                self._ended = True
                if not self._closed:
                    self._abandon()

    @guarded
    def _abandon(self) -> None:
        """End what is still open of the call, because the step that should have done so failed or was interrupted."""
        if self._forks != forks():
            return
        if self._run is not None:
            self._run.over()
        self._end_span()

    def _finish_once(self, response: Any, error: BaseException | None) -> None:
        self.stopped = stopped = self.stopped or perf_counter()
        if self._run is not None:
            self._over(self._run)
        if self._first is not None:
            response = self._received()
        elif error is not None and self.received is not None:
            response = self._unparsed()
        found = self._response_attributes(response) or {}
        if self._signals.costs is not None:
            in_headers = self._cost_in_headers if error is None or self.received is not None else None
            self._price(self._signals.costs, response, found, in_headers)
        failure = self._failure(response, error)
        if failure is not None:
            found[ERROR_TYPE] = failure.error_type
        elif self._capture.failed:
            self._wanted = False
            self._emits = self._emits and self._signals.emit_event is not None
        measured = found if failure is None else {**found, ERROR_TYPE: failure.measured}
        self._write_metrics(stopped - self.started, response, measured)
        try:  # even an application that is interrupted in code of its own gets its span
            self._write(response, found, failure)
        finally:
            self._end(response if error is None else error)
            self._content, self._given, self._accumulator, self._add = {}, None, None, None
            self.received = self.sent = None

    def _end(self, outcome: Any) -> None:
        """Have the application's hook called, and end the span."""
        try:
            if self._hooked is not None:
                self._unhook(outcome)
        finally:
            self._end_span()
        self._hooked = None

    @guarded
    def _over(self, run: Run) -> None:
        run.over()

    @guarded
    def _price(self, costs: Costs, response: Any, found: dict[str, Attribute], in_headers: float | None) -> None:
        billing = self._operation.billing(response)
        cost = costs.of(self._identity, self._server, response, found, billing, in_headers=in_headers)
        if cost is not None:
            found[USAGE_COST] = cost
        elif self._no_usage:
            self._warn_of_no_usage(found)

    def _warn_of_no_usage(self, found: dict[str, Attribute]) -> None:
        reasons: Any = found.get(RESPONSE_FINISH_REASONS)
        # A stream without finish reasons was not read to its end, and may have no usage for that reason.
        if reasons and "error" not in reasons and not any(name.startswith(_USAGE) for name in found):
            say_once(
                "A stream of %s had no usage, so that it has no %s. OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE=inject asks for it "
                "where the application does not.",
                self._identity[PROVIDER_NAME],
                USAGE_COST,
            )

    def _write(self, response: Any, found: dict[str, Attribute], failure: Failure | None) -> None:
        rendered = (self._read_content(response, found) if self._wanted else None) or NOTHING
        if self._completes and rendered.texts:
            self._hand_on(found, rendered)
        if self._recording:
            self._write_span(found, failure, rendered)
        if self._emits:
            self._write_details(found, rendered)
        if failure is not None:
            self._write_exception(failure)

    def _unhook(self, response: Any) -> None:
        assert self._signals.hooks is not None
        assert self._hooked is not None
        self._signals.hooks.ended(partial(run_within, self), self._shown, self._hooked, response)

    @guarded
    def _response_attributes(self, response: Any) -> dict[str, Attribute]:
        if self.unknown_server is not None:
            self._look_at(response)
        found = read(self._operation.response if self.detailed else self._operation.measured, response)
        counts = self._operation.counts_usage
        if counts is not None and response is not None and not counts(response, self._signals.counted.first):
            found = {name: value for name, value in found.items() if not name.startswith(_USAGE)}
        if not self.detailed:
            return found
        found.update(self._facts)
        if self._attribution:
            found.update(self._attribution)
        if self._first is not None:
            found[RESPONSE_TIME_TO_FIRST_CHUNK] = self._first
        reasons = self._operation.finish_reasons(response, self._stream) if response is not None else None
        if reasons:
            found[RESPONSE_FINISH_REASONS] = reasons
        return found

    @guarded
    def _failure(self, response: Any, error: BaseException | None) -> Failure | None:
        if response is None:
            reported = None
        elif error is None:  # nothing is lost with this step, and so it needs no guard of its own
            reported = self._operation.failure(response)
        else:
            reported = self._reported(response)
        if error is None and reported is None:
            return None
        secrets = self._secrets() or ()
        reported = None if reported is None else reported.keeping(secrets)
        if error is None:
            return reported
        kind = type(error).__qualname__
        failure = _raised(error, secrets) or Failure(kind, kind, kind)
        if reported is not None and failure.error_type == failure.exception_type:
            # The exception has no error code, so that of the response counts.
            failure = dataclasses.replace(failure, error_type=reported.error_type)
        return failure

    @guarded
    def _reported(self, response: Any) -> Failure | None:
        return self._operation.failure(response)

    @guarded
    def _secrets(self) -> tuple[str, ...]:
        """Return the credentials that the message of the failure may quote."""
        from .._masking.credentials import credentials_of

        return credentials_of(self.sent, *self._keys)

    @guarded
    def _read_content(self, response: Any, found: dict[str, Attribute]) -> RenderedContent:
        assert self._signals.pipeline is not None
        content = self._content
        if self._given is not None:
            content = self._input_content(self._given) or {}
        if response is not None:
            content.update(self._read_output(response, found) or {})
        rendered = self._signals.pipeline.render(content, self._redacted())
        if rendered.original_bytes is not None:
            found[CONTENT_ORIGINAL_BYTES] = rendered.original_bytes
        return rendered

    @guarded
    def _read_output(self, response: Any, found: dict[str, Attribute]) -> Content:
        assert self._signals.pipeline is not None
        reasons: Any = found.get(RESPONSE_FINISH_REASONS, ())
        return self._signals.pipeline.make(self._operation.output_content, response, reasons)

    @guarded
    def _hand_on(self, found: dict[str, Attribute], rendered: RenderedContent) -> None:
        """Pass the content to the completion hook, and add its references to the attributes of span and event."""
        assert self._signals.completions is not None
        attributes = {**self._attributes, **found}
        places = self._signals.completions.take(attributes, rendered.texts, get_current_span(self.context))
        found.update({name: place for name, place in places.items() if name not in attributes})

    @guarded
    def _write_span(self, found: dict[str, Attribute], failure: Failure | None, rendered: RenderedContent) -> None:
        self.span.set_attributes({**found, **rendered.texts} if self._capture.span else found)
        if failure is not None:
            self.span.set_status(Status(StatusCode.ERROR, failure.description(self._words(quoted=self._capture.span))))

    def _words(self, *, quoted: bool) -> Words | None:
        """Return the function that redacts messages of exceptions; None if they are not recorded."""
        pipeline = self._signals.pipeline
        return partial(pipeline.words, self._redacted()) if quoted and pipeline is not None else None

    def _redacted(self) -> Redacting | None:
        """Return the redaction of all content of the call, which has one time limit."""
        if self._redacting is None and self._signals.pipeline is not None:
            self._redacting = self._signals.pipeline.begin()
        return self._redacting

    @guarded
    def _end_span(self) -> None:
        """End the span at the time when the clock stopped. A span that has ended does not record."""
        if self.span.is_recording() or self._adopted:
            since = 0.0 if self.stopped is None else perf_counter() - self.stopped
            self.span.end(time_ns() - int(since * 1e9))
        self._closed = self._run is None  # nothing else is open then

    def _metric_point(self, found: dict[str, Attribute]) -> dict[str, Attribute]:
        model = found.get(RESPONSE_MODEL)
        return {**self._identity, RESPONSE_MODEL: model} if model else self._identity

    @guarded
    def _write_metrics(self, seconds: float, response: Any, found: dict[str, Attribute]) -> None:
        metrics, point = self._metrics, self._metric_point(found)
        values = self._operation.measured_values
        more = {name: found[name] for name, known in values.items() if found.get(name) in known}
        metrics.record(seconds, self._first, found, point, self.context, refined=more)
        if self._run is not None:
            self._run.record(seconds, found, point)
        timings = None if response is None else self._operation.timings(response, found)
        if timings is not None:
            metrics.record_server(timings, found.get(ERROR_TYPE), point, self.context)

    @guarded
    def _write_details(self, found: dict[str, Attribute], rendered: RenderedContent) -> None:
        content = rendered.carried() if self._capture.event else {}
        if content and not (self._capture.span or self._completes):
            self._signals.events.need()
        self._signals.events.details({**self._attributes, **found, **content}, self.context)

    @guarded
    def _write_exception(self, failure: Failure) -> None:
        quoted = self._capture.event and self._signals.emit_event is not False
        self._signals.events.exception(failure.attributes(self._words(quoted=quoted)), self.context)
