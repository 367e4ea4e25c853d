"""The real OpenTelemetry SDK with everything it records kept in memory, from SDK 1.36 to today's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import opentelemetry.sdk._logs.export as logs_export
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, Gauge, InMemoryMetricReader, Metric
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from loopback.snapshot import Snapshot, snapshot_of

# Renamed between SDK 1.36 and today's; the old name still exists, and warns.
_InMemoryLogExporter: Any = (
    vars(logs_export).get("InMemoryLogRecordExporter") or vars(logs_export)["InMemoryLogExporter"]
)

# What is read is kept by `Telemetry` itself, so that it can be cleared, and read twice without losing exemplars.
_DELTA: dict[type, AggregationTemporality] = dict.fromkeys(
    (Counter, Histogram, ObservableCounter, ObservableGauge, ObservableUpDownCounter, UpDownCounter),
    AggregationTemporality.DELTA,
)


@dataclass(frozen=True)
class Point:
    """All that was recorded under one set of attributes; ``value`` for counters, the rest for histograms."""

    attributes: Mapping[str, Any]
    count: int | None = None
    sum: int | float | None = None
    value: int | float | None = None
    bounds: tuple[float, ...] = ()
    buckets: tuple[int, ...] = ()
    exemplars: tuple[Any, ...] = ()

    @classmethod
    def of(cls, point: Any) -> Point:
        """A data point of the SDK, whichever kind it is."""
        return cls(
            dict(point.attributes or {}),
            getattr(point, "count", None),
            getattr(point, "sum", None),
            getattr(point, "value", None),
            tuple(getattr(point, "explicit_bounds", ())),
            tuple(getattr(point, "bucket_counts", ())),
            tuple(point.exemplars),
        )

    def __add__(self, later: Point) -> Point:
        """Both recordings together."""
        return replace(
            self,
            count=_sum(self.count, later.count),
            sum=_sum(self.sum, later.sum),
            value=_sum(self.value, later.value),
            buckets=tuple(map(sum, zip(self.buckets, later.buckets, strict=True))),
            exemplars=self.exemplars + later.exemplars,
        )


@dataclass
class Series:
    """One metric: what it says about itself, what recorded it, and its points by their attributes."""

    unit: str
    description: str
    instrument: str = ""
    points: dict[str, Point] = field(default_factory=dict)

    def add(self, point: Point, *, last: bool = False) -> None:
        """A point with known attributes adds to what was recorded before, or is the last one; empty ones are left out."""
        if point.count == 0:
            return
        key = repr(sorted(point.attributes.items()))
        self.points[key] = self.points[key] + point if key in self.points and not last else point


class Telemetry:
    """Three providers to hand to ``instrument()``, and what was recorded through them."""

    def __init__(self, sampler: Sampler = ALWAYS_ON, views: Sequence[View] = ()) -> None:
        """Sets nothing global, and needs no shutdown to be collected."""
        resource = Resource({"service.name": "loopback"})
        self._span_exporter = InMemorySpanExporter()
        self._log_exporter = _InMemoryLogExporter()
        self._metric_reader = InMemoryMetricReader(preferred_temporality=_DELTA)
        self._series: dict[str, Series] = {}
        self.tracer_provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._span_exporter))
        self.meter_provider = MeterProvider([self._metric_reader], resource, shutdown_on_exit=False, views=views)
        self.logger_provider = LoggerProvider(resource, shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(logs_export.SimpleLogRecordProcessor(self._log_exporter))

    @property
    def providers(self) -> dict[str, Any]:
        """The three as keywords: ``instrument(**telemetry.providers)``."""
        return {
            "tracer_provider": self.tracer_provider,
            "meter_provider": self.meter_provider,
            "logger_provider": self.logger_provider,
        }

    @property
    def spans(self) -> list[ReadableSpan]:
        """The finished spans, in the order in which they ended."""
        settle()
        return list(self._span_exporter.get_finished_spans())

    @property
    def span(self) -> ReadableSpan:
        """The one finished span; AssertionError with the names of all if there is none or another."""
        spans = self.spans
        assert len(spans) == 1, f"expected one finished span, not {[span.name for span in spans]}"
        return spans[0]

    @property
    def metrics(self) -> dict[str, list[Point]]:
        """Every metric with a recorded point, by name."""
        return {name: [*series.points.values()] for name, series in self._collected().items() if series.points}

    @property
    def series(self) -> dict[str, Series]:
        """The same, with what each metric says about itself."""
        return {name: series for name, series in self._collected().items() if series.points}

    @property
    def logs(self) -> list[Any]:
        """Every log record, in order."""
        settle()
        return [data.log_record for data in self._log_exporter.get_finished_logs()]

    @property
    def events(self) -> list[Any]:
        """The log records that have an event name."""
        return [record for record in self.logs if record.event_name]

    def clear(self) -> None:
        """Forgets what was recorded; instruments made before stay in use."""
        self._collected()
        self._series.clear()
        self._span_exporter.clear()
        self._log_exporter.clear()

    def snapshot(self) -> Snapshot:
        """All of it, comparable with another run's: see `loopback.snapshot`."""
        return snapshot_of(self.spans, self._collected(), self.events)

    def shutdown(self) -> None:
        """Shuts the three providers down; what was recorded can still be read."""
        self._collected()
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()
        self.logger_provider.shutdown()

    def _collected(self) -> dict[str, Series]:
        """What the reader has not handed out yet, added to what it has."""
        settle()
        for metric in self._read():
            first = Series(metric.unit or "", metric.description or "", _instrument(metric.data))
            series = self._series.setdefault(metric.name, first)
            for point in metric.data.data_points:
                series.add(Point.of(point), last=isinstance(metric.data, Gauge))
        return self._series

    def _read(self) -> list[Metric]:
        """The SDK's metrics since the last reading."""
        data = self._metric_reader.get_metrics_data()
        groups = data.resource_metrics if data else ()
        return [metric for group in groups for part in group.scope_metrics for metric in part.metrics]


def settle() -> None:
    """Waits until the calls have ended that a finalizer has found."""
    lifetime = sys.modules.get("opentelemetry_instrumentation_genai._runtime.lifetime")
    if lifetime is not None:
        lifetime.finish_pending()


def _instrument(data: Any) -> str:
    """The conventions' word for what recorded it."""
    if hasattr(data, "is_monotonic"):
        return "counter" if data.is_monotonic else "updowncounter"
    return type(data).__name__.lower()


def _sum(one: float | None, other: float | None) -> Any:
    """Ints stay ints; None where neither has a value."""
    return one if other is None else other if one is None else one + other
