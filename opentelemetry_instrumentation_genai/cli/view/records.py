"""Spans and log records of OTLP as plain values, whatever a sender puts into them."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from binascii import unhexlify
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf.json_format import ParseDict, ParseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.message import Message
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Attributes = dict[str, Any]

_KINDS: Final = ("", "internal", "server", "client", "producer", "consumer")
_ERROR: Final = 2
_MOST: Final = 2**63 - 1  # of an integer in SQLite
_IDS: Final = frozenset({"traceId", "spanId", "parentSpanId"})


class Span(NamedTuple):
    """A span that has ended. Ids are hexadecimal, times are nanoseconds since 1970; `parent` is empty at a root."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    start: int
    end: int
    failed: bool
    status: str
    scope: str
    service: str
    resource: Attributes
    attributes: Attributes
    events: list[dict[str, Any]]
    links: list[dict[str, Any]]


class Log(NamedTuple):
    """A log record of a span; `event` is the name of an event, or empty."""

    trace: str
    span: str
    time: int
    event: str
    severity: str
    body: Any
    scope: str
    attributes: Attributes


def spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """Return the spans of an export; one without ids, which nothing can show, is left out."""
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        service = clean(str(resource.get("service.name", "")))
        for scope_spans in resource_spans.scope_spans:
            scope = _named(scope_spans.scope)
            for span in scope_spans.spans:
                if span.trace_id and span.span_id:
                    yield Span(
                        trace=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        name=clean(span.name),
                        kind=_KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else "",
                        start=_time(span.start_time_unix_nano),
                        end=_time(max(span.end_time_unix_nano, span.start_time_unix_nano)),
                        failed=span.status.code == _ERROR,
                        status=clean(span.status.message),
                        scope=scope,
                        service=service,
                        resource=resource,
                        attributes=_attributes(span.attributes),
                        events=[_event(event) for event in span.events],
                        links=[_link(link) for link in span.links],
                    )


def logs(request: ExportLogsServiceRequest) -> Iterator[Log]:
    """Return the log records of an export that belong to a trace."""
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            scope = _named(scope_logs.scope)
            for record in scope_logs.log_records:
                if record.trace_id:
                    attributes = _attributes(record.attributes)
                    yield Log(
                        trace=record.trace_id.hex(),
                        span=record.span_id.hex(),
                        time=_time(record.time_unix_nano or record.observed_time_unix_nano),
                        # Exporters before there was a field for it have it as an attribute.
                        event=clean(getattr(record, "event_name", "") or str(attributes.pop("event.name", ""))),
                        severity=clean(record.severity_text),
                        body=_value(record.body),
                        scope=scope,
                        attributes=attributes,
                    )


def from_json(text: bytes, message: Message) -> None:
    """Read OTLP's JSON into a message; it differs from that of protobuf in ids, which are hexadecimal.

    Raises:
        ValueError: it is no JSON, or none of OTLP.
        RecursionError: it is nested too deep.
    """
    decoded = _with_base64_ids(json.loads(text))
    try:
        ParseDict(decoded, message, ignore_unknown_fields=True)
    except (ParseError, TypeError, AttributeError) as error:  # what it says of a list in place of an object
        raise ValueError("no OTLP") from error


def clean(text: str) -> str:
    """Return a text that can be stored: half a surrogate pair is replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _with_base64_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: b64encode(unhexlify(item)).decode() if name in _IDS and isinstance(item, str) else _with_base64_ids(item)
        for name, item in value.items()
    }


def _named(scope: Any) -> str:
    return clean(f"{scope.name} {scope.version}".strip())


def _time(nanoseconds: int) -> int:
    return min(nanoseconds, _MOST)


def _event(event: Any) -> dict[str, Any]:
    return {
        "name": clean(event.name),
        "time": _time(event.time_unix_nano),
        "attributes": _attributes(event.attributes),
    }


def _link(link: Any) -> dict[str, Any]:
    return {"trace": link.trace_id.hex(), "span": link.span_id.hex(), "attributes": _attributes(link.attributes)}


def _attributes(pairs: Any) -> Attributes:
    found: list[KeyValue] = list(pairs)
    return {clean(pair.key): _value(pair.value) for pair in found}


def _value(value: AnyValue) -> Any:
    """Return a value that JSON has: a number that is none as a text, bytes by their length."""
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "string_value":
            return clean(value.string_value)
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else str(value.double_value)
        case "bytes_value":
            return f"({len(value.bytes_value)} bytes)"
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case _:
            return getattr(value, kind)


def text_of(value: Any) -> str:
    """Return a value as a text: a text unchanged, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return "(nested too deep)"


def number(attributes: Mapping[str, Any], *names: str) -> int | float | None:
    """Return the first of these attributes that is a number."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
    return None
