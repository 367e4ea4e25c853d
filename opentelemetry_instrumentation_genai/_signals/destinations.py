"""Checks whether telemetry is certainly not exported. Providers may be set at any time, so these run within a call, not at the start.

A provider that is not known, such as a third-party one, counts as exporting.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry import _logs, metrics, trace

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_EMPTY = ("ProxyTracerProvider", "NoOpTracerProvider", "_ProxyMeterProvider", "NoOpMeterProvider")
_EMPTY_LOGS = ("ProxyLoggerProvider", "NoOpLoggerProvider")


def logs_go_nowhere(given: LoggerProvider | None) -> bool:
    """Return whether there is no logger provider, or one of the SDK without a processor.

    Args:
        given: the provider that the application gave; None for the global one.
    """
    if is_disabled():
        return False
    provider = given or _logs.get_logger_provider()
    if type(provider).__name__ in _EMPTY_LOGS:
        return True
    processor = getattr(provider, "_multi_log_record_processor", None)
    return getattr(processor, "_log_record_processors", None) == ()


def only_metrics(tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None) -> bool:
    """Return whether there is a meter provider, and no tracer provider.

    Args:
        tracer_provider: the one that the application gave; None for the global one.
        meter_provider: the one that the application gave; None for the global one.
    """
    if is_disabled():
        return False
    spans, points = tracer_provider or trace.get_tracer_provider(), meter_provider or metrics.get_meter_provider()
    return is_empty(spans) and not is_empty(points)


def is_empty(provider: object) -> bool:
    """Return whether a tracer or meter provider is one of OpenTelemetry's API, which exports nothing."""
    return type(provider).__name__ in _EMPTY


def is_disabled() -> bool:
    """Return whether the user has disabled the OpenTelemetry SDK."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
