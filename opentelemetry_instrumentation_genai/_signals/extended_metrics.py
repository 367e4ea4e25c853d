"""The extended metrics of calls: how many there are, at once and in all, and how fast.

Names, units and the attributes `model`, `stream` and `error.type` are those of llm-otel-kit, so that its dashboards can read
them; the attributes that all metrics of a call have are there as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._call.observer import Observer
from .._conventions.names import (
    ERROR_TYPE,
    KIT_MODEL,
    KIT_STREAM,
    METRIC_REQUEST_ERRORS,
    METRIC_REQUEST_MESSAGES,
    METRIC_REQUESTS,
    METRIC_REQUESTS_ACTIVE,
    METRIC_STREAM_CHUNKS,
    METRIC_TOKEN_THROUGHPUT,
    OWN_METRICS,
    REQUEST_MODEL,
    USAGE_OUTPUT_TOKENS,
)
from .bound_instruments import bound
from .recording import add, plus, record

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from .._call.outcome import Outcome
    from .._call.request import Request
    from .._call.state import CallState
    from .recording import AttributeSet, Points

_PER_SECOND = [1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0, 2500.0]
_MESSAGES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0]


class ExtendedInstruments:
    """The instruments of one meter."""

    def __init__(self, meter: Meter) -> None:
        def unit(name: str) -> str:
            return OWN_METRICS[name][1]

        self.requests = bound(meter.create_counter(METRIC_REQUESTS, unit(METRIC_REQUESTS), "Requests to models."))
        self.errors = meter.create_counter(METRIC_REQUEST_ERRORS, unit(METRIC_REQUEST_ERRORS), "Failed requests.")
        self.active = meter.create_up_down_counter(
            METRIC_REQUESTS_ACTIVE, unit(METRIC_REQUESTS_ACTIVE), "Requests that are under way."
        )
        self.chunks = bound(
            meter.create_counter(METRIC_STREAM_CHUNKS, unit(METRIC_STREAM_CHUNKS), "Chunks of streams.")
        )
        self.throughput = bound(
            meter.create_histogram(
                METRIC_TOKEN_THROUGHPUT,
                unit(METRIC_TOKEN_THROUGHPUT),
                "Tokens of output for each second of the call.",
                explicit_bucket_boundaries_advisory=_PER_SECOND,
            )
        )
        self.messages = bound(
            meter.create_histogram(
                METRIC_REQUEST_MESSAGES,
                unit(METRIC_REQUEST_MESSAGES),
                "Messages in a request.",
                explicit_bucket_boundaries_advisory=_MESSAGES,
            )
        )


class ExtendedMetrics(Observer):
    """The extended metrics of one call, which counts as active from its start to its end.

    Args:
        call: the call.
        instruments: where they are recorded.
        points: the attribute sets of the call.
    """

    __slots__ = ("_attributes", "_call", "_chunks", "_instruments", "_points")

    def __init__(self, call: CallState, instruments: ExtendedInstruments, points: Points) -> None:
        self._call = call
        self._instruments = instruments
        self._points = points
        self._chunks = 0
        self._attributes: AttributeSet | None = None  # while the call is active

    def started(self, request: Request) -> None:
        """Count the call as active, and its messages: a list of them, or a text, which is one."""
        instruments, context = self._instruments, self._call.context
        # Start and end of a call record the same attributes, even if a response identifies the provider in between.
        attributes = self._with_model(self._call.identity)
        add(instruments.active, 1, attributes, context)
        self._attributes = attributes
        add(instruments.requests, 1, plus(attributes, KIT_STREAM, str(request.stream)), context)
        messages = request.body.get(request.endpoint.messages)
        count = 1 if isinstance(messages, str) else len(messages) if isinstance(messages, (list, tuple)) else None
        if count is not None:
            record(instruments.messages, count, attributes, context)

    def opened(self) -> None:
        """Count the chunks of the response."""
        self._chunks = 0

    def chunk(self, seconds: float | None) -> None:
        """Count a chunk."""
        self._chunks += 1

    def ended(self, outcome: Outcome) -> None:
        """Record chunks, errors, and how fast the tokens of the output came."""
        self.closed()
        instruments, context = self._instruments, self._call.context
        attributes = self._with_model(self._points.of(outcome.attributes))
        if self._chunks:
            add(instruments.chunks, self._chunks, attributes, context)
        if outcome.failure is not None:
            add(instruments.errors, 1, plus(attributes, ERROR_TYPE, outcome.failure.measured), context)
            return
        tokens = outcome.attributes.get(USAGE_OUTPUT_TOKENS)
        if isinstance(tokens, int) and tokens > 0 and outcome.seconds > 0:
            record(instruments.throughput, tokens / outcome.seconds, attributes, context)

    def closed(self) -> None:
        """Record that the call is not active any more."""
        attributes, self._attributes = self._attributes, None
        if attributes is not None:
            add(self._instruments.active, -1, attributes, self._call.context)

    def _with_model(self, attributes: AttributeSet) -> AttributeSet:
        model = self._call.identity.get(REQUEST_MODEL)
        return attributes if model is None else plus(attributes, KIT_MODEL, model)
