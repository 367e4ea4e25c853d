"""The metrics of the conventions, and the cost of calls beside them.

Boundaries are the conventions' advice to the SDK; a View of the user wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._call.observer import Observer
from .._conventions.names import (
    ERROR_TYPE,
    METRIC_AGENT_DURATION,
    METRIC_COST,
    METRIC_INVOKE_WORKFLOW_DURATION,
    METRIC_MCP_OPERATION_DURATION,
    METRIC_SERVER_DURATION,
    METRIC_SERVER_TIME_PER_OUTPUT_TOKEN,
    METRIC_SERVER_TIME_TO_FIRST_TOKEN,
    METRIC_WORKFLOW_DURATION,
    TOKEN_MODALITY,
    TOKEN_TYPE,
    USAGE_COST,
)
from .bound_instruments import bound
from .recording import add, plus, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from .._adapter.fields import Attribute
    from .._call.outcome import Outcome
    from .._call.state import CallState
    from .._conventions.generations import Measures, Usage
    from .recording import AttributeSet, Histogram, Points

_SECONDS = [0.01 * 2**n for n in range(14)]
_FIRST_TOKEN = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_OUTPUT_TOKEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5]
_TOKENS = [4**n for n in range(14)]
_AGENT_SECONDS = [0.1 * 2**n for n in range(13)]
_WORKFLOW_SECONDS = [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0]
MCP_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""The boundaries of both durations of MCP."""
_BOUNDARIES = {
    METRIC_MCP_OPERATION_DURATION: [*MCP_SECONDS],
    METRIC_AGENT_DURATION: _AGENT_SECONDS,
    METRIC_WORKFLOW_DURATION: _WORKFLOW_SECONDS,
    METRIC_INVOKE_WORKFLOW_DURATION: _WORKFLOW_SECONDS,
}
_DESCRIPTIONS = {METRIC_MCP_OPERATION_DURATION: "Duration of a request to an MCP server, as its client sees it."}
_DOLLARS = [step * 10.0**n for n in range(-6, 1) for step in (1, 3)] + [10.0]


class _Histograms:
    """A histogram that records into several others, or into none."""

    def __init__(self, histograms: Sequence[Histogram]) -> None:
        self._histograms = histograms

    def record(self, amount: float, attributes: AttributeSet, context: Context, /) -> None:
        for histogram in self._histograms:
            histogram.record(amount, attributes, context)


class Instruments:
    """The instruments of one meter for one kind of operation.

    Args:
        meter: creates the instruments, or returns those that it has created before.
        measures: their names.
        priced: whether the cost of calls is among them.
    """

    def __init__(self, meter: Meter, measures: Measures, *, priced: bool = False) -> None:
        def seconds(name: str, description: str, boundaries: list[float] = _SECONDS) -> Histogram:
            return bound(meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=boundaries))

        def each(names: Sequence[str], description: str) -> Histogram:
            made = [
                seconds(name, _DESCRIPTIONS.get(name, description), _BOUNDARIES.get(name, _SECONDS)) for name in names
            ]
            return made[0] if len(made) == 1 else _Histograms(made)

        def tokens(name: str, description: str) -> Histogram:
            return bound(
                meter.create_histogram(name, "{token}", description, explicit_bucket_boundaries_advisory=_TOKENS)
            )

        self.duration = each(measures.duration, "GenAI operation duration.")
        self.first_chunk = each(measures.first_chunk, "Time to receive the first chunk.")
        self.per_chunk = each(measures.per_chunk, "Time per output chunk after the first one.")
        self.tokens = [(row, tokens(row.metric, row.description)) for row in measures.tokens]
        self.usage = [
            (usage, bound(meter.create_counter(usage.metric, "{token}", usage.description))) for usage in measures.usage
        ]
        self.cost: Histogram | None = None
        if priced:
            self.cost = bound(
                meter.create_histogram(
                    METRIC_COST, "{USD}", "What GenAI operations cost.", explicit_bucket_boundaries_advisory=_DOLLARS
                )
            )
        self.server_duration = seconds(METRIC_SERVER_DURATION, "Time that the server took, by its own clock.")
        self.server_first = seconds(
            METRIC_SERVER_TIME_TO_FIRST_TOKEN, "Time that the server took to the first token.", _FIRST_TOKEN
        )
        self.server_per_token = seconds(
            METRIC_SERVER_TIME_PER_OUTPUT_TOKEN,
            "Time that the server took per token after the first one.",
            _OUTPUT_TOKEN,
        )

    def record_tokens(
        self, found: Mapping[str, Attribute], point: AttributeSet, refined: AttributeSet, context: Context
    ) -> None:
        """Record the tokens of one inference.

        Args:
            found: the attributes with their counts.
            point: the attributes of the points.
            refined: the same, with those that the page of the provider adds.
            context: the call's.
        """
        for row, histogram in self.tokens:
            tokens = found.get(row.attribute)
            if isinstance(tokens, int):
                attributes = refined if row.refined else point
                record(
                    histogram,
                    tokens,
                    plus(attributes, TOKEN_TYPE, row.token_type) if row.token_type else attributes,
                    context,
                )
        for usage, counter in self.usage:
            for modality, used in _by_modality(usage, found):
                add(counter, used, plus(point, TOKEN_MODALITY, modality), context)


class CallMetrics(Observer):
    """The metrics of one call.

    Args:
        call: the call.
        instruments: those of its kind of operation.
        points: its attribute sets.
    """

    __slots__ = ("_call", "_chunk_attributes", "_instruments", "_points")

    def __init__(self, call: CallState, instruments: Instruments, points: Points) -> None:
        self._call = call
        self._instruments = instruments
        self._points = points
        self._chunk_attributes: AttributeSet | None = None  # of chunks

    def ended(self, outcome: Outcome) -> None:
        """Record the call: duration, tokens, cost, and what the server measured."""
        context, instruments, found = self._call.context, self._instruments, outcome.attributes
        point = self._points.of(found)
        refined = self._refined(point, found)
        error = None if outcome.failure is None else outcome.failure.measured
        record(instruments.duration, outcome.seconds, plus(refined, ERROR_TYPE, error) if error else refined, context)
        instruments.record_tokens(found, point, refined, context)
        if instruments.cost is not None and isinstance(cost := found.get(USAGE_COST), float):
            record(instruments.cost, cost, point, context)
        if outcome.first_chunk is not None:
            record(instruments.first_chunk, outcome.first_chunk, point, context)
        if outcome.response is not None:
            self._record_server(outcome, point, error)

    def _refined(self, point: AttributeSet, found: Mapping[str, Attribute]) -> AttributeSet:
        """Return the attributes with those that the page of the provider adds to duration and token usage."""
        for name, known in self._call.endpoint.measured_values.items():
            value = found.get(name)
            if value in known:
                point = plus(point, name, value)
        return point

    def _record_server(self, outcome: Outcome, point: AttributeSet, error: str | None) -> None:
        """Record what the server measured; the times of tokens are those of successful responses only."""
        timings = self._call.endpoint.timings(outcome.response, outcome.attributes)
        if timings is None:
            return
        instruments, context = self._instruments, self._call.context
        if timings.request is not None:
            attributes = plus(point, ERROR_TYPE, error) if error else point
            record(instruments.server_duration, timings.request, attributes, context)
        if timings.first_token is not None and not error:
            record(instruments.server_first, timings.first_token, point, context)
        if timings.per_token is not None and not error:
            record(instruments.server_per_token, timings.per_token, point, context)


class ChunkTimes(CallMetrics):
    """The metrics of one call, the time of each chunk of its stream among them."""

    __slots__ = ()

    def opened(self) -> None:
        """Read the response's model again, at the second chunk."""
        self._chunk_attributes = None

    def chunk(self, seconds: float | None) -> None:
        """Record the time since the chunk before."""
        if seconds is not None:
            record(
                self._instruments.per_chunk, seconds, self._chunk_attributes or self._read_point(), self._call.context
            )

    def _read_point(self) -> AttributeSet:
        """Return the attributes of all chunks, with the response's model as it is known at the second one."""
        call = self._call
        response = None if call.chunks is None else call.chunks.response()
        call.identify_by_response(response)
        self._chunk_attributes = self._points.of(call.endpoint.measured.read(response))
        return self._chunk_attributes


def _by_modality(usage: Usage, found: Mapping[str, Attribute]) -> Iterator[tuple[str, int]]:
    """Yield the tokens of each modality, which add up to the total; those without a reported modality are `unknown`."""
    total = found.get(usage.attribute)
    if not isinstance(total, int):
        return
    parts = [(modality, part) for modality, name in usage.parts if isinstance(part := found.get(name), int) and part]
    rest = total - sum(part for _, part in parts)
    if rest < 0:  # they are not parts of this total
        parts, rest = [], total
    yield from parts
    if rest:
        yield "unknown", rest
