"""Results of evaluations: an event by the conventions, and a histogram of the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._application.metric_attributes import BoundedValues
from .._conventions.names import (
    ERROR_TYPE,
    EVALUATION_EXPLANATION,
    EVALUATION_NAME,
    EVALUATION_SCORE_LABEL,
    EVALUATION_SCORE_VALUE,
    METRIC_EVALUATION_SCORE,
    RESPONSE_ID,
)
from .recording import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from .._adapter.fields import Attribute
    from .events import Events
    from .recording import AttributeSet

# Scores are shares, marks from 1 to 5 or 10, and percentages.
_SCORES = [
    0.1,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.9,
    1.0,
    2.0,
    3.0,
    4.0,
    5.0,
    7.0,
    10.0,
    25.0,
    50.0,
    75.0,
    90.0,
    100.0,
]


class Evaluations:
    """Records results of evaluations.

    Args:
        events: emits the event.
        meter: makes the histogram.
        limit: how many names, and how many labels, metric points have.
        setting: the variable of the setting that raises the limit.
        redacted: an explanation -> what is recorded of it; None if nothing is.
    """

    def __init__(
        self, events: Events, meter: Meter, limit: int, setting: str, redacted: Callable[[str], str | None]
    ) -> None:
        self._events = events
        self._scores = meter.create_histogram(
            METRIC_EVALUATION_SCORE,
            "1",
            "Scores of evaluations of GenAI output.",
            explicit_bucket_boundaries_advisory=_SCORES,
        )
        self._names = BoundedValues("The name of evaluations", limit, setting)
        self._labels = BoundedValues("The label of evaluations", limit, setting)
        self._redacted = redacted

    def record(
        self,
        name: str,
        context: Context,
        *,
        score: float | None,
        label: str | None,
        explanation: str | None,
        response_id: str | None,
        error_type: str | None,
    ) -> None:
        """Record one result.

        Args:
            name: of what was evaluated, such as `relevance`.
            context: with the span of the operation that was evaluated.
            score: the result as a number.
            label: the result as a word.
            explanation: why.
            response_id: the id of the response that was evaluated.
            error_type: how the evaluation failed, if it did.
        """
        given: dict[str, Attribute | None] = {
            EVALUATION_NAME: name,
            EVALUATION_SCORE_VALUE: score,
            EVALUATION_SCORE_LABEL: label,
            EVALUATION_EXPLANATION: None if explanation is None else self._redacted(explanation),
            RESPONSE_ID: response_id,
            ERROR_TYPE: error_type,
        }
        self._events.evaluation({key: value for key, value in given.items() if value is not None}, context)
        if score is not None:
            point: AttributeSet = {EVALUATION_NAME: self._names.of(name)}
            if label is not None:
                point[EVALUATION_SCORE_LABEL] = self._labels.of(label)
            record(self._scores, score, point, context)
