"""OpenTelemetry providers that do all that a real one does, and then drop it."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider


def providers() -> dict[str, Any]:
    """The three as keywords of `instrument()`."""
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    tracer_provider.add_span_processor(SpanProcessor())
    return {
        "tracer_provider": tracer_provider,
        "meter_provider": MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False),
        "logger_provider": LoggerProvider(shutdown_on_exit=False),
    }
