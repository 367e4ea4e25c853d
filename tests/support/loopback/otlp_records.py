"""OTLP messages as plain records: ids in hex, attribute values with the types they had, resource and scope in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar, Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Record = dict[str, Any]


def spans(request: ExportTraceServiceRequest) -> list[Record]:
    """The spans of one export."""
    return [
        _span(span) | _origin(group.resource, part)
        for group in request.resource_spans
        for part in group.scope_spans
        for span in part.spans
    ]


def metrics(request: ExportMetricsServiceRequest) -> list[Record]:
    """The metrics of one export."""
    return [
        _metric(metric) | _origin(group.resource, part)
        for group in request.resource_metrics
        for part in group.scope_metrics
        for metric in part.metrics
    ]


def logs(request: ExportLogsServiceRequest) -> list[Record]:
    """The log records of one export."""
    return [
        _log(log) | _origin(group.resource, part)
        for group in request.resource_logs
        for part in group.scope_logs
        for log in part.log_records
    ]


def _origin(resource: Any, part: Any) -> Record:
    """Who recorded it, and where."""
    return {
        "resource": _attributes(resource.attributes),
        "scope": {"name": part.scope.name, "version": part.scope.version, "schema_url": part.schema_url},
    }


def _span(span: Span) -> Record:
    """``parent_span_id`` is empty for a root."""
    return {
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex(),
        "start_time_unix_nano": span.start_time_unix_nano,
        "end_time_unix_nano": span.end_time_unix_nano,
        "attributes": _attributes(span.attributes),
        "events": [{"name": event.name, "attributes": _attributes(event.attributes)} for event in span.events],
        "links": [{"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex()} for link in span.links],
        "status": {
            "code": Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
            "description": span.status.message,
        },
    }


def _metric(metric: Metric) -> Record:
    """``type`` is the word OTLP has for it: histogram, sum, gauge, …."""
    kind = metric.WhichOneof("data")
    points = getattr(metric, kind).data_points if kind else ()
    return {
        "name": metric.name,
        "description": metric.description,
        "unit": metric.unit,
        "type": kind,
        "points": [_point(point) for point in points],
    }


def _point(point: Any) -> Record:
    """A histogram's point has count and sum, and bounds and buckets if it is not an exponential one; others a value."""
    known: Record = {
        "attributes": _attributes(point.attributes),
        "exemplars": [_exemplar(exemplar) for exemplar in point.exemplars],
    }
    if not hasattr(point, "count"):
        return {**known, "value": _number(point)}
    counted = {**known, "count": point.count, "sum": point.sum}
    if not hasattr(point, "explicit_bounds"):
        return counted
    return {**counted, "bounds": list(point.explicit_bounds), "buckets": list(point.bucket_counts)}


def _exemplar(exemplar: Exemplar) -> Record:
    """A sample and the span it was taken in."""
    return {"value": _number(exemplar), "trace_id": exemplar.trace_id.hex(), "span_id": exemplar.span_id.hex()}


def _number(point: Any) -> int | float | None:
    """An int stays one."""
    kind = point.WhichOneof("value")
    number: int | float | None = getattr(point, kind) if kind else None
    return number


def _log(log: LogRecord) -> Record:
    """The ids are empty where a log record belongs to no span."""
    return {
        "event_name": log.event_name,
        "severity_number": log.severity_number,
        "severity_text": log.severity_text,
        "body": _value(log.body),
        "attributes": _attributes(log.attributes),
        "trace_id": log.trace_id.hex(),
        "span_id": log.span_id.hex(),
        "time_unix_nano": log.time_unix_nano,
        "observed_time_unix_nano": log.observed_time_unix_nano,
    }


def _attributes(pairs: Iterable[KeyValue]) -> Record:
    """The pairs as a mapping; a name given twice is an error of the sender."""
    return dict(_unique((pair.key, _value(pair.value)) for pair in pairs))


def _unique(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The pairs, unless a name comes twice: AssertionError."""
    seen: set[str] = set()
    for name, value in pairs:
        assert name not in seen, f"attribute {name!r} was exported twice"
        seen.add(name)
        yield name, value


def _value(value: AnyValue) -> Any:
    """The Python value of the type that was sent; None for no value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None
