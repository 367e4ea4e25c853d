"""Providers of OpenTelemetry's SDK that export to a viewer by its real exporters."""

from __future__ import annotations

from typing import Any

import opentelemetry.sdk._logs.export as logs_export
from opentelemetry.exporter.otlp.proto.grpc import (
    _log_exporter as grpc_logs,
    metric_exporter as grpc_metrics,
    trace_exporter as grpc_traces,
)
from opentelemetry.exporter.otlp.proto.http import (
    Compression,
    _log_exporter as http_logs,
    metric_exporter as http_metrics,
    trace_exporter as http_traces,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from viewed.running import Viewing


class Exporting:
    """All three signals, by one protocol."""

    def __init__(
        self, viewing: Viewing, protocol: str = "http", service: str = "shop", compressed: bool = False
    ) -> None:
        """Sets nothing global."""
        spans, logs, metrics = _exporters(viewing, protocol, compressed)
        resource = Resource({"service.name": service})
        self._reader = PeriodicExportingMetricReader(metrics, export_interval_millis=3_600_000)
        self.tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=3_600_000))
        self.meter_provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        self.logger_provider = LoggerProvider(resource, shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(logs_export.BatchLogRecordProcessor(logs))

    @property
    def providers(self) -> dict[str, Any]:
        """The three as keywords of `instrument()`."""
        return {
            "tracer_provider": self.tracer_provider,
            "meter_provider": self.meter_provider,
            "logger_provider": self.logger_provider,
        }

    def flush(self) -> bool:
        """Whether all that was recorded has been accepted."""
        flushed = (
            self.tracer_provider.force_flush(),
            self.logger_provider.force_flush(),
            self.meter_provider.force_flush(),
        )
        return all(flushed)

    def close(self) -> None:
        """Exports what is left, and ends the threads."""
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()
        self.meter_provider.shutdown()


def _exporters(viewing: Viewing, protocol: str, compressed: bool) -> tuple[Any, Any, Any]:
    if protocol == "grpc":
        settings: dict[str, Any] = {"endpoint": viewing.grpc, "insecure": True}
        return (
            grpc_traces.OTLPSpanExporter(**settings),
            grpc_logs.OTLPLogExporter(**settings),
            grpc_metrics.OTLPMetricExporter(**settings),
        )
    compression = Compression.Gzip if compressed else Compression.NoCompression
    return (
        http_traces.OTLPSpanExporter(f"{viewing.http}/v1/traces", compression=compression),
        http_logs.OTLPLogExporter(f"{viewing.http}/v1/logs", compression=compression),
        http_metrics.OTLPMetricExporter(f"{viewing.http}/v1/metrics", compression=compression),
    )
