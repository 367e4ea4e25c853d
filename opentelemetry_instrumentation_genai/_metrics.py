"""The metrics of a call.

Boundaries are the conventions' advice to the SDK; a View of the user wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._attributes import (
    ERROR_TYPE,
    METRIC_DURATION,
    METRIC_TIME_PER_OUTPUT_CHUNK,
    METRIC_TIME_TO_FIRST_CHUNK,
    METRIC_TOKEN_USAGE,
    TOKEN_TYPE,
    USAGE_INPUT_TOKENS,
    USAGE_OUTPUT_TOKENS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Histogram, Meter

    from ._fields import Attribute

_SECONDS = [0.01 * 2**n for n in range(14)]
_TOKENS = [4**n for n in range(14)]
_TOKEN_TYPES = (("input", USAGE_INPUT_TOKENS), ("output", USAGE_OUTPUT_TOKENS))


class Metrics:
    """The instruments of one meter, all of them histograms."""

    def __init__(self, meter: Meter) -> None:
        def seconds(name: str, description: str) -> Histogram:
            return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=_SECONDS)

        self._duration = seconds(METRIC_DURATION, "GenAI operation duration.")
        self._first = seconds(METRIC_TIME_TO_FIRST_CHUNK, "Time to receive the first chunk.")
        self.per_chunk = seconds(METRIC_TIME_PER_OUTPUT_CHUNK, "Time per output chunk after the first one.")
        self._tokens = meter.create_histogram(
            METRIC_TOKEN_USAGE,
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )

    def record(
        self,
        seconds: float,
        first: float | None,
        found: Mapping[str, Attribute],
        point: dict[str, Attribute],
        context: Context,
    ) -> None:
        """Record a finished call.

        Args:
            seconds: how long the call took, with all its retries and the reading of its stream.
            first: seconds to the first chunk of a stream that had one.
            found: what the response said, token counts and `error.type` among it.
            point: attributes of the points.
            context: the call's context, which exemplars link to.
        """
        error = found.get(ERROR_TYPE)
        self._duration.record(seconds, {**point, ERROR_TYPE: error} if error else point, context)
        for token_type, name in _TOKEN_TYPES:
            tokens = found.get(name)
            if isinstance(tokens, int):
                self._tokens.record(tokens, {**point, TOKEN_TYPE: token_type}, context)
        if first is not None:
            self._first.record(first, point, context)
