"""Recorded telemetry as plain values that are equal from run to run, and with a comparison that sees types.

What differs from run to run is checked and then replaced: times by ``<seconds>``, ports by ``<port>``, stack traces by
``<stacktrace>``, ids by the name of the span they belong to. Sequences become lists, whatever the SDK makes of them.
In a snapshot and all its parts 1, 1.0 and True are three values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from opentelemetry.sdk.trace import ReadableSpan


class Strict(dict[str, Any]):  # noqa: PLW1641 - as little hashable as any dict
    """A dict that is equal only to one with values of the same types."""

    def __eq__(self, other: object) -> bool:
        """Also against a plain dict, on either side."""
        return same(dict(self), dict(other)) if isinstance(other, dict) else NotImplemented

    def __ne__(self, other: object) -> bool:
        """`dict` has one of its own."""
        return not self == other

    def __repr__(self) -> str:
        """As it would be written in a test."""
        return repr(dict(self))


class StrictList(list[Any]):  # noqa: PLW1641 - as little hashable as any list
    """A list that is equal only to one with values of the same types."""

    def __eq__(self, other: object) -> bool:
        """Also against a plain list, on either side."""
        return same(list(self), list(other)) if isinstance(other, list) else NotImplemented

    def __ne__(self, other: object) -> bool:
        """`list` has one of its own."""
        return not self == other

    def __repr__(self) -> str:
        """As it would be written in a test."""
        return repr(list(self))


class Snapshot(Strict):
    """``spans``, ``metrics`` and ``events``."""


class _Series(Protocol):
    """What a snapshot needs to know of a metric."""

    unit: str
    description: str
    points: dict[str, Any]


_SCALARS = (bool, int, float, str, bytes, type(None))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in type and value all the way down.

    Anything that is not plain data, such as a matcher of dirty-equals, decides by its own ``==``.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) in _SCALARS and type(other) in _SCALARS:
        return type(one) is type(other) and bool(one == other)
    return bool(one == other)


def snapshot_of(spans: Sequence[ReadableSpan], metrics: Mapping[str, _Series], events: Sequence[Any]) -> Snapshot:
    """Spans in the order of their end, metrics by name, events in order."""
    names = {span.context.span_id: span.name for span in spans if span.context}
    return Snapshot(
        spans=StrictList(_span(span, names) for span in spans),
        metrics=Strict((name, _metric(metrics[name], names)) for name in sorted(metrics) if metrics[name].points),
        events=StrictList(_event(event, names) for event in events),
    )


def _span(span: ReadableSpan, names: Mapping[int, str]) -> Strict:
    """``parent`` is None for a root and ``<unfinished>`` for a parent that has not ended."""
    first = (span.attributes or {}).get("gen_ai.response.time_to_first_chunk", 0)
    assert isinstance(first, (int, float))
    assert first <= ((span.end_time or 0) - (span.start_time or 0)) / 1e9 + 1, (
        f"a first chunk after the end: {first!r} s"
    )
    return Strict(
        name=span.name,
        kind=span.kind.name,
        status=Strict(code=span.status.status_code.name, description=span.status.description),
        attributes=_attributes(span.attributes),
        events=StrictList(Strict(name=event.name, attributes=_attributes(event.attributes)) for event in span.events),
        parent=_span_name(span.parent.span_id if span.parent else None, names),
        scope=span.instrumentation_scope.name if span.instrumentation_scope else None,
    )


def _metric(series: _Series, names: Mapping[int, str]) -> Strict:
    """The points by their attributes, so that the order of recording does not matter; ``bounds`` of histograms."""
    points = [series.points[key] for key in sorted(series.points)]
    return Strict(
        unit=series.unit,
        description=series.description,
        bounds=StrictList(points[0].bounds),
        points=StrictList(_point(point, series.unit, names) for point in points),
    )


def _point(point: Any, unit: str, names: Mapping[int, str]) -> Strict:
    """A histogram's point or a counter's; ``exemplars`` are the spans that samples link to, each once."""
    linked = {_span_name(exemplar.span_id, names) or "<none>" for exemplar in point.exemplars}
    known = {"attributes": _attributes(point.attributes), "exemplars": StrictList(sorted(linked))}
    if point.count is None:
        return Strict(known, value=_measured(point.value, unit))
    return Strict(known, count=point.count, sum=_measured(point.sum, unit))


def _event(event: Any, names: Mapping[int, str]) -> Strict:
    """``span`` is None for an event outside of any span."""
    return Strict(
        event_name=event.event_name,
        severity_number=event.severity_number.value if event.severity_number else None,
        body=_plain(event.body),
        attributes=_attributes(event.attributes),
        span=_span_name(event.span_id, names),
        timestamp=bool(event.timestamp),
    )


def _span_name(span_id: int | None, names: Mapping[int, str]) -> str | None:
    """The name of the finished span with that id."""
    return names.get(span_id, "<unfinished>") if span_id else None


def _attributes(attributes: Mapping[str, Any] | None) -> Strict:
    """Sorted by name, with what is volatile replaced."""
    return Strict((name, _attribute(name, value)) for name, value in sorted((attributes or {}).items()))


def _attribute(name: str, value: Any) -> Any:
    """The value, or what stands for it in every run."""
    replaced = _VOLATILE.get(name)
    return _plain(value) if replaced is None else replaced(value)


def _plain(value: Any) -> Any:
    """Dicts and lists all the way down; nested dicts keep the order they have."""
    if isinstance(value, Mapping):
        return Strict((name, _plain(item)) for name, item in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return StrictList(map(_plain, value))
    return value


def _measured(value: Any, unit: str) -> Any:
    """Seconds, and what was divided by them, are checked and replaced; everything else is exact."""
    return _seconds(value) if unit == "s" else "<per second>" if unit.endswith("/s") and value > 0 else value


def _seconds(value: Any) -> str:
    """A float that is not negative."""
    assert type(value) is float, f"not a duration: {value!r}"
    assert value >= 0, f"a negative duration: {value!r}"
    return "<seconds>"


def _port(value: Any) -> str:
    """An int in the range of ports."""
    assert type(value) is int, f"not a port: {value!r}"
    assert 0 < value < 65536, f"not a port: {value!r}"
    return "<port>"


def _stacktrace(value: Any) -> str:
    """Text that is not empty."""
    assert type(value) is str, f"not a stack trace: {value!r}"
    assert value.strip(), "an empty stack trace"
    return "<stacktrace>"


_VOLATILE: Mapping[str, Callable[[Any], str]] = {
    "server.port": _port,
    "gen_ai.response.time_to_first_chunk": _seconds,
    "exception.stacktrace": _stacktrace,
}
