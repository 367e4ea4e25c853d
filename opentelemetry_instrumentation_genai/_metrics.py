"""The metrics of a call.

Boundaries are the conventions' advice to the SDK; a View of the user wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._attributes import (
    ERROR_TYPE,
    METRIC_DURATION,
    METRIC_SERVER_DURATION,
    METRIC_SERVER_TIME_PER_OUTPUT_TOKEN,
    METRIC_SERVER_TIME_TO_FIRST_TOKEN,
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
    from ._timings import Timings

_SECONDS = [0.01 * 2**n for n in range(14)]
_FIRST_TOKEN = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
_OUTPUT_TOKEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5]
_TOKENS = [4**n for n in range(14)]
_TOKEN_TYPES = (("input", USAGE_INPUT_TOKENS), ("output", USAGE_OUTPUT_TOKENS))


class Metrics:
    """The instruments of one meter, all of them histograms."""

    def __init__(self, meter: Meter) -> None:
        def seconds(name: str, description: str, boundaries: list[float] = _SECONDS) -> Histogram:
            return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=boundaries)

        self._duration = seconds(METRIC_DURATION, "GenAI operation duration.")
        self._first = seconds(METRIC_TIME_TO_FIRST_CHUNK, "Time to receive the first chunk.")
        self.per_chunk = seconds(METRIC_TIME_PER_OUTPUT_CHUNK, "Time per output chunk after the first one.")
        self._tokens = meter.create_histogram(
            METRIC_TOKEN_USAGE,
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
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

    def record_server(
        self, timings: Timings, error: Attribute | None, point: dict[str, Attribute], context: Context
    ) -> None:
        """Record what the server measured; the times of tokens are those of successful responses only.

        Args:
            timings: what it says.
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
