"""Everything that a process would export, sent to a receiver as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from loopback.otlp import OtlpReceiver


class Exported:
    """Three providers to hand to ``instrument()``, and what the receiver got of them."""

    def __init__(self, receiver: OtlpReceiver) -> None:
        """Spans and log records go out one by one, metrics when somebody looks."""
        self.receiver = receiver
        metrics = PeriodicExportingMetricReader(OTLPMetricExporter(f"{receiver.http_url}/v1/metrics"), float("inf"))
        self.providers: dict[str, Any] = {
            "tracer_provider": TracerProvider(shutdown_on_exit=False),
            "meter_provider": MeterProvider([metrics], shutdown_on_exit=False),
            "logger_provider": LoggerProvider(shutdown_on_exit=False),
        }
        spans = SimpleSpanProcessor(OTLPSpanExporter(f"{receiver.http_url}/v1/traces"))
        self.providers["tracer_provider"].add_span_processor(spans)
        logs = SimpleLogRecordProcessor(OTLPLogExporter(f"{receiver.http_url}/v1/logs"))
        self.providers["logger_provider"].add_log_record_processor(logs)

    @property
    def bytes(self) -> bytes:
        """All that was received, of spans and metrics at least something."""
        self.providers["meter_provider"].force_flush()
        assert self.receiver.spans
        assert self.receiver.metrics
        return self.receiver.raw

    def found(self, planted: Mapping[str, str], signal: str | None = None) -> set[str]:
        """Which of the planted texts are in the bytes, or in the records of a signal."""
        everything = self.bytes
        exported = everything if signal is None else repr(getattr(self.receiver, signal)).encode()
        return {name for name, text in planted.items() if text.encode() in exported}

    def shutdown(self) -> None:
        """Ends the three."""
        for provider in self.providers.values():
            provider.shutdown()
