"""The metrics of a call.

Boundaries are the conventions' advice to the SDK; a View of the user wins.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from .._conventions.names import (
    ERROR_TYPE,
    METRIC_COST,
    METRIC_SERVER_DURATION,
    METRIC_SERVER_TIME_PER_OUTPUT_TOKEN,
    METRIC_SERVER_TIME_TO_FIRST_TOKEN,
    TOKEN_MODALITY,
    USAGE_COST,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from .._adapter.fields import Attribute
    from .._adapter.server_timings import Timings
    from .._conventions.generations import Measures, Usage

_SECONDS = [0.01 * 2**n for n in range(14)]
_FIRST_TOKEN = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_OUTPUT_TOKEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5]
_TOKENS = [4**n for n in range(14)]
_DOLLARS = [step * 10.0**n for n in range(-6, 1) for step in (1, 3)] + [10.0]


class Histogram(Protocol):
    """What values are recorded into."""

    def record(self, amount: float, attributes: dict[str, Attribute], context: Context, /) -> None:
        """Record a value."""


class _Histograms:
    """Several histograms, or none, in the place of one."""

    def __init__(self, histograms: Sequence[Histogram]) -> None:
        self._histograms = histograms

    def record(self, amount: float, attributes: dict[str, Attribute], context: Context, /) -> None:
        for histogram in self._histograms:
            histogram.record(amount, attributes, context)


class Metrics:
    """The instruments of one meter for one kind of operation.

    Args:
        meter: makes the instruments; one that it has made before, it gives again.
        measures: their names.
        priced: whether the cost of calls is among them.
    """

    def __init__(self, meter: Meter, measures: Measures, *, priced: bool = False) -> None:
        def seconds(name: str, description: str, boundaries: list[float] = _SECONDS) -> Histogram:
            return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=boundaries)

        def each(names: Sequence[str], description: str) -> Histogram:
            made = [seconds(name, description) for name in names]
            return made[0] if len(made) == 1 else _Histograms(made)

        def tokens(name: str, description: str) -> Histogram:
            return meter.create_histogram(name, "{token}", description, explicit_bucket_boundaries_advisory=_TOKENS)

        self._duration = each(measures.duration, "GenAI operation duration.")
        self._first = each(measures.first_chunk, "Time to receive the first chunk.")
        self.per_chunk = each(measures.per_chunk, "Time per output chunk after the first one.")
        self._tokens: list[tuple[str, Histogram, dict[str, Attribute], bool]] = [
            (row.attribute, tokens(row.metric, row.description), {**row.more}, row.refined) for row in measures.tokens
        ]
        self._usage = [
            (usage, meter.create_counter(usage.metric, "{token}", usage.description)) for usage in measures.usage
        ]
        self._cost: Histogram | None = None
        if priced:
            self._cost = meter.create_histogram(
                METRIC_COST, "{USD}", "What GenAI operations cost.", explicit_bucket_boundaries_advisory=_DOLLARS
            )
        self._server_duration = seconds(METRIC_SERVER_DURATION, "Time that the server took, by its own clock.")
        self._server_first = seconds(
            METRIC_SERVER_TIME_TO_FIRST_TOKEN, "Time that the server took to the first token.", _FIRST_TOKEN
        )
        self._server_per_token = seconds(
            METRIC_SERVER_TIME_PER_OUTPUT_TOKEN,
            "Time that the server took per token after the first one.",
            _OUTPUT_TOKEN,
        )

    def record(
        self,
        seconds: float,
        first: float | None,
        found: Mapping[str, Attribute],
        point: dict[str, Attribute],
        context: Context,
        *,
        refined: Mapping[str, Attribute] = MappingProxyType({}),
    ) -> None:
        """Record a finished call.

        Args:
            seconds: how long the call took, with all its retries and the reading of its stream.
            first: seconds to the first chunk of a stream that had one.
            found: the attributes of the response, token counts and `error.type` among them.
            point: attributes of the points.
            context: the call's context, which exemplars link to.
            refined: the provider's own attributes of the points of duration and token usage.
        """
        error = found.get(ERROR_TYPE)
        own = {**point, **refined} if refined else point
        self._duration.record(seconds, {**own, ERROR_TYPE: error} if error else own, context)
        for name, histogram, more, takes_refined in self._tokens:
            tokens = found.get(name)
            if isinstance(tokens, int):
                histogram.record(tokens, (own if takes_refined else point) | more, context)
        for usage, counter in self._usage:
            for modality, used in _by_modality(usage, found):
                counter.add(used, {**point, TOKEN_MODALITY: modality}, context)
        if self._cost is not None and isinstance(cost := found.get(USAGE_COST), float):
            self._cost.record(cost, point, context)
        if first is not None:
            self._first.record(first, point, context)

    def record_server(
        self, timings: Timings, error: Attribute | None, point: dict[str, Attribute], context: Context
    ) -> None:
        """Record what the server measured; the times of tokens are those of successful responses only.

        Args:
            timings: the times that it reports.
            error: `error.type` of a failed call.
            point: attributes of the points.
            context: the call's context, which exemplars link to.
        """
        if timings.request is not None:
            self._server_duration.record(timings.request, {**point, ERROR_TYPE: error} if error else point, context)
        if timings.first_token is not None and not error:
            self._server_first.record(timings.first_token, point, context)
        if timings.per_token is not None and not error:
            self._server_per_token.record(timings.per_token, point, context)


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
