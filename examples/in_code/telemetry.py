"""OpenTelemetry as this application wants it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from opentelemetry_instrumentation_genai import instrument, uninstrument

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCE = Resource.create(
    {"service.name": "in-code", "service.version": "1.4.0", "deployment.environment.name": "staging"}
)
# The service level is 2 seconds: what matters is on which side of it a call is.
DURATION = View(
    instrument_name="gen_ai.client.operation.duration",
    aggregation=ExplicitBucketHistogramAggregation((0.5, 1, 2, 4, 8)),
)


@contextmanager
def telemetry() -> Iterator[None]:
    """Export traces and metrics, of the calls of models as well, until the block ends: then all of it is exported."""
    traces = TracerProvider(resource=RESOURCE)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(traces)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    measures = MeterProvider(resource=RESOURCE, metric_readers=[reader], views=[DURATION])
    metrics.set_meter_provider(measures)
    instrument(capture_message_content="span_only", redact="email,phone")
    try:
        yield
    finally:
        uninstrument()
        traces.shutdown()
        measures.shutdown()
