"""An OTLP receiver over HTTP: takes what the exporters send and keeps it as plain records."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from ..console.messages import messages_of
from ..console.record import Record, kept, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, NumberDataPoint
    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from starlette.requests import Request

Attributes = dict[str, Any]


@dataclass
class Point:
    """One series of a metric: what it adds up to so far."""

    metric: str
    unit: str
    attributes: Attributes
    count: int = 0
    total: float = 0.0
    exemplars: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Event:
    """One log record that has an event name."""

    name: str
    span: str


@dataclass
class Telemetry:
    """Everything that has arrived."""

    spans: list[Record] = field(default_factory=list)
    points: dict[tuple[str, str, int], Point] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def add_spans(self, body: bytes) -> None:
        """Keep the spans of one export."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = str(plain_attributes(resource.resource.attributes).get("service.name", ""))
            for scope in resource.scope_spans:
                self.spans += [record_of(span, service) for span in scope.spans]

    def add_metrics(self, body: bytes) -> None:
        """Keep the newest state of each series: exports are cumulative, but their exemplars are not."""
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for data in metric.histogram.data_points:
                        point = self.point(metric.name, metric.unit, data)
                        point.count, point.total = data.count, data.sum
                        point.exemplars.update(exemplar.trace_id.hex() for exemplar in data.exemplars)
                    for number in metric.sum.data_points:
                        point = self.point(metric.name, metric.unit, number)
                        point.total = number.as_int or number.as_double
                        point.exemplars.update(exemplar.trace_id.hex() for exemplar in number.exemplars)

    def point(self, metric: str, unit: str, data: HistogramDataPoint | NumberDataPoint) -> Point:
        """Find the series of a process, which is known by when it began, or begin it."""
        found = plain_attributes(data.attributes)
        key = (metric, repr(sorted(found.items())), data.start_time_unix_nano)
        return self.points.setdefault(key, Point(metric, unit, found))

    def series(self) -> list[Point]:
        """Return the series of all processes together."""
        joined: dict[tuple[str, str], Point] = {}
        for (metric, attributes, _), point in self.points.items():
            one = joined.setdefault((metric, attributes), Point(metric, point.unit, point.attributes))
            one.count, one.total = one.count + point.count, one.total + point.total
            one.exemplars |= point.exemplars
        return [*joined.values()]

    def add_events(self, body: bytes) -> None:
        """Keep the events of one export, and drop ordinary log lines."""
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            for scope in resource.scope_logs:
                self.events += [
                    Event(record.event_name, record.span_id.hex()) for record in scope.log_records if record.event_name
                ]


def record_of(span: Span, service: str) -> Record:
    """Return the record of a span that was received."""
    attributes = plain_attributes(span.attributes)
    return Record(
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        remote=False,  # all processes send their spans here
        name=shortened(span.name),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        description=shortened(span.status.message),
        service=shortened(service),
        attributes=kept(attributes),
        messages=messages_of(attributes),
    )


def plain_attributes(attributes: Iterable[KeyValue]) -> Attributes:
    """Turn protobuf's attributes into a dict."""
    return {attribute.key: plain(attribute.value) for attribute in attributes}


def plain(value: AnyValue) -> Any:
    """Turn protobuf's value into Python's."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return plain_attributes(value.kvlist_value.values)
    return getattr(value, kind)


def receiver(telemetry: Telemetry) -> Starlette:
    """Make the receiver; what arrives goes into `telemetry`."""

    def accept(path: str, keep: Callable[[bytes], None]) -> Route:
        async def export(request: Request) -> Response:
            body = await request.body()
            keep(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)
            return Response(b"", media_type="application/x-protobuf")

        return Route(path, export, methods=["POST"])

    return Starlette(
        routes=[
            accept("/v1/traces", telemetry.add_spans),
            accept("/v1/metrics", telemetry.add_metrics),
            accept("/v1/logs", telemetry.add_events),
        ]
    )
