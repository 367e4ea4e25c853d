"""The number of characters to which the OpenTelemetry SDK truncates an attribute's value, JSON included.

Tracers and loggers of the SDK have limits, from its variables or from what the application gave to its providers. Where they
have no such member, the variables count.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry._logs import Logger
    from opentelemetry.trace import Tracer

# The name of the limit, and the variables of it, the first that is set.
_SPAN = ("max_span_attribute_length", ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"))
_RECORD = (
    "max_log_record_attribute_length",
    ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
)


def value_limit(tracer: Tracer, logger: Logger | None) -> int | None:
    """Return the smaller of the two limits, in characters; None where there is none.

    The providers may be set after the instrumentation has started, so this is read for each call that has content.

    Args:
        tracer: makes the spans; of the SDK, or one that waits for the SDK's.
        logger: emits the events; None if there is none.
    """
    limits = (
        _limit(getattr(getattr(tracer, "_tracer", tracer), "_span_limits", None), *_SPAN),
        _limit(getattr(getattr(logger, "_logger", logger), "_log_record_limits", None), *_RECORD),
    )
    return min((limit for limit in limits if limit is not None), default=None)


def _limit(limits: object, name: str, variables: tuple[str, ...]) -> int | None:
    if hasattr(limits, name):
        limit: int | None = getattr(limits, name)
        return limit
    given = next((text for variable in variables if (text := os.environ.get(variable))), "")
    return int(given) if given.isdecimal() else None
