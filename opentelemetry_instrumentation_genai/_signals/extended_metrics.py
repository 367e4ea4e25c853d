"""The extended metrics of calls: how many there are, at once and in all, and how fast.

Names, units and the attributes `model`, `stream` and `error.type` are those of llm-otel-kit, so that its dashboards can read
them; the attributes that all metrics of a call have are there as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from .._adapter.fields import Attribute

_PER_SECOND = [1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0, 2500.0]
_MESSAGES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0]


class Traffic:
    """The instruments of one meter."""

    def __init__(self, meter: Meter) -> None:
        def unit(name: str) -> str:
            return OWN_METRICS[name][1]

        self.requests = meter.create_counter(METRIC_REQUESTS, unit(METRIC_REQUESTS), "Requests to models.")
        self.errors = meter.create_counter(METRIC_REQUEST_ERRORS, unit(METRIC_REQUEST_ERRORS), "Failed requests.")
        self.active = meter.create_up_down_counter(
            METRIC_REQUESTS_ACTIVE, unit(METRIC_REQUESTS_ACTIVE), "Requests that are under way."
        )
        self.chunks = meter.create_counter(METRIC_STREAM_CHUNKS, unit(METRIC_STREAM_CHUNKS), "Chunks of streams.")
        self.throughput = meter.create_histogram(
            METRIC_TOKEN_THROUGHPUT,
            unit(METRIC_TOKEN_THROUGHPUT),
            "Tokens of output for each second of the call.",
            explicit_bucket_boundaries_advisory=_PER_SECOND,
        )
        self.messages = meter.create_histogram(
            METRIC_REQUEST_MESSAGES,
            unit(METRIC_REQUEST_MESSAGES),
            "Messages in a request.",
            explicit_bucket_boundaries_advisory=_MESSAGES,
        )


class Run:
    """One call under way. It counts as active from here on, until `over`.

    Args:
        traffic: where it is recorded.
        identity: the attributes of the call, as far as they are known at the start.
        messages: the messages of the request: a list, or a text, which counts as one message.
        stream: whether a stream was requested.
        context: the call's context, which exemplars link to.
    """

    __slots__ = ("_active", "_attributes", "_chunks", "_context", "_traffic")

    def __init__(
        self, traffic: Traffic, identity: Mapping[str, Attribute], messages: Any, *, stream: bool, context: Context
    ) -> None:
        self._traffic = traffic
        self._context = context
        self._chunks = 0
        model = identity.get(REQUEST_MODEL)
        # Start and end of a call record the same attributes, even if a response identifies the provider in between.
        self._attributes = dict(identity) if model is None else {**identity, KIT_MODEL: model}
        traffic.active.add(1, self._attributes, context)
        self._active = True
        traffic.requests.add(1, {**self._attributes, KIT_STREAM: str(stream)}, context)
        count = 1 if isinstance(messages, str) else len(messages) if isinstance(messages, (list, tuple)) else None
        if count is not None:
            traffic.messages.record(count, self._attributes, context)

    def counting(self, add: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return a function that passes a chunk to `add`, and counts it."""
        self._chunks = 0

        def counted(chunk: Any) -> None:
            self._chunks += 1
            add(chunk)

        return counted

    def over(self) -> None:
        """Record that the call has finished, and is not active any more. Further calls do nothing."""
        if self._active:
            self._traffic.active.add(-1, self._attributes, self._context)
            self._active = False

    def record(self, seconds: float, found: Mapping[str, Attribute], point: Mapping[str, Attribute]) -> None:
        """Record the metrics of the finished call.

        Args:
            seconds: how long it took.
            found: the attributes of the response, `error.type` among it.
            point: the attributes of the call's metrics.
        """
        model = self._attributes.get(KIT_MODEL)
        attributes = dict(point) if model is None else {**point, KIT_MODEL: model}
        if self._chunks:
            self._traffic.chunks.add(self._chunks, attributes, self._context)
        error = found.get(ERROR_TYPE)
        if error is not None:
            self._traffic.errors.add(1, {**attributes, ERROR_TYPE: error}, self._context)
            return
        tokens = found.get(USAGE_OUTPUT_TOKENS)
        if isinstance(tokens, int) and tokens > 0 and seconds > 0:
            self._traffic.throughput.record(tokens / seconds, attributes, self._context)
