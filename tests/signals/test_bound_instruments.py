"""A bound instrument exports what the instrument of the API would have exported."""

from __future__ import annotations

import importlib.metadata
import math
import random
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import metrics as api, trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import (
    AlwaysOffExemplarFilter,
    AlwaysOnExemplarFilter,
    Counter,
    Histogram,
    MeterProvider,
    TraceBasedExemplarFilter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import (
    DropAggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)

from opentelemetry_instrumentation_genai._signals import bound_instruments
from opentelemetry_instrumentation_genai._signals.bound_instruments import bound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DELTA = {Histogram: AggregationTemporality.DELTA, Counter: AggregationTemporality.DELTA}
_SETS: list[dict[str, Any]] = [
    {},
    {"model": "gpt-4o", "port": 443},
    {"port": 443, "model": "gpt-4o"},
    {"model": "gpt-4o", "port": True},
    {"model": "gpt-4o", "port": 1},
    {"model": "gpt-4o", "port": 1.0},
    {"model": "gpt-4o", "tags": ["a", "b"]},
    {"model": "gpt-4o", "tags": (1, 2)},
    {"model": "gpt-4o", "tags": (True, 2)},
    {"": "dropped", "model": "gpt-4o"},
    {"model": "other"},
]
_AMOUNTS: list[float] = [0, 1, 0.5, 3, 1e9, -1, math.nan, math.inf, 2**70, 7]
_FILTERS = {"on": AlwaysOnExemplarFilter, "off": AlwaysOffExemplarFilter, "traced": TraceBasedExemplarFilter}


def _is_tested() -> bool:
    return (1, 45, 2) <= _version() < (1, 46)


def _version() -> tuple[int, ...]:
    return tuple(map(int, importlib.metadata.version("opentelemetry-sdk").split(".")))


_bound_only = pytest.mark.skipif(not _is_tested(), reason="this version of the SDK is used by its API alone")


def _contexts() -> list[Context]:
    # With fixed ids, so that the exemplars of both sides are equal.
    sampled = trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(1))
    dropped = trace.SpanContext(1, 3, is_remote=False, trace_flags=trace.TraceFlags(0))
    return [
        trace.set_span_in_context(trace.NonRecordingSpan(sampled)),
        trace.set_span_in_context(trace.NonRecordingSpan(dropped)),
        Context(),
    ]


def _exported(readers: Sequence[InMemoryMetricReader]) -> list[Any]:
    """Return all points of all readers, without their times."""
    points: list[Any] = []
    for reader in readers:
        data = reader.get_metrics_data()
        metrics = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        for metric in metrics:
            points.extend((metric.name, _without_times(point)) for point in metric.data.data_points)
    return points


def _without_times(point: Any) -> dict[str, Any]:
    found = {name: getattr(point, name) for name in point.__dataclass_fields__ if "time" not in name}
    found["attributes"] = {name: (type(value), value) for name, value in point.attributes.items()}
    found["exemplars"] = [
        (dict(one.filtered_attributes or {}), one.value, one.span_id, one.trace_id) for one in point.exemplars
    ]
    return found


class _Side:
    """A provider with a histogram and a counter, which are bound or not."""

    def __init__(self, wrap: Callable[[Any], Any], temporalities: Sequence[dict[Any, Any]], **options: Any) -> None:
        self.readers = [InMemoryMetricReader(preferred_temporality=one) for one in temporalities]
        self.provider = MeterProvider(self.readers, shutdown_on_exit=False, **options)
        meter = self.provider.get_meter("test")
        self.histogram = wrap(meter.create_histogram("duration", "s", explicit_bucket_boundaries_advisory=[1, 2, 5]))
        self.counter = wrap(meter.create_counter("tokens"))

    def measure(self, sets: Sequence[dict[str, Any]] = _SETS) -> None:
        """Record each amount with each set in each context, twice."""
        random.seed(7)  # which values of a counter become exemplars is left to chance
        for _ in range(2):
            for context in _contexts():
                for attributes in sets:
                    for amount in _AMOUNTS:
                        self.histogram.record(amount, attributes, context)
                        if math.isfinite(amount) or not isinstance(amount, float):
                            self.counter.add(amount, attributes, context)


def _sides(temporalities: Sequence[dict[Any, Any]] = ({},), **options: Any) -> tuple[_Side, _Side]:
    return _Side(bound, temporalities, **options), _Side(lambda instrument: instrument, temporalities, **options)


@_bound_only
@pytest.mark.parametrize("exemplars", _FILTERS)
@pytest.mark.parametrize("temporalities", [({},), (_DELTA,), ({}, _DELTA)], ids=["cumulative", "delta", "both"])
def test_both_ways_export_the_same(temporalities: Sequence[dict[Any, Any]], exemplars: str) -> None:
    """Whatever the temporality and the exemplars, in each of three exports."""
    ours, plain = _sides(temporalities, exemplar_filter=_FILTERS[exemplars]())
    for _ in range(3):
        ours.measure()
        plain.measure()
        exported = _exported(plain.readers)
        assert exported
        assert _exported(ours.readers) == exported


@_bound_only
@pytest.mark.parametrize(
    "view",
    [
        View(instrument_name="duration", attribute_keys={"model"}),
        View(instrument_name="*", attribute_keys=set()),
        View(
            instrument_name="duration",
            name="renamed",
            aggregation=ExplicitBucketHistogramAggregation([10.0], record_min_max=False),
        ),
        View(instrument_name="duration", aggregation=ExponentialBucketHistogramAggregation()),
        View(instrument_name="duration", aggregation=DropAggregation()),
    ],
    ids=["one attribute", "no attribute", "buckets", "exponential", "dropped"],
)
@pytest.mark.parametrize("temporality", [{}, _DELTA], ids=["cumulative", "delta"])
def test_views_count(view: View, temporality: dict[Any, Any]) -> None:
    """A view of the user takes attributes away, changes buckets and drops metrics as it does without us."""
    ours, plain = _sides([temporality], views=[view])
    for _ in range(2):
        ours.measure()
        plain.measure()
        assert _exported(ours.readers) == _exported(plain.readers)


@_bound_only
@pytest.mark.parametrize("temporality", [{}, _DELTA], ids=["cumulative", "delta"])
def test_the_limit_of_series_counts(temporality: dict[Any, Any]) -> None:
    """More attribute sets than the SDK has series for, and than are kept: those over the limit have one series."""
    ours, plain = _sides([temporality])
    context = _contexts()[0]
    for _ in range(2):
        for side in (ours, plain):
            random.seed(7)
            for number in range(2100):
                side.histogram.record(1, {"number": number}, context)
                side.counter.add(1, {"number": number}, context)
        exported = _exported(plain.readers)
        assert any("otel.metric.overflow" in point["attributes"] for _, point in exported)
        assert _exported(ours.readers) == exported
    targets = getattr(ours.histogram, "_targets", {})
    assert len(targets) == bound_instruments._SETS


@_bound_only
def test_readers_come_and_go() -> None:
    """A reader that is added gets the next values; one that is removed gets no more."""
    sides = _sides()
    for side in sides:
        side.measure()
        added = InMemoryMetricReader()
        side.provider.add_metric_reader(added)
        side.readers.append(added)
        side.measure()
    assert _exported(sides[0].readers) == _exported(sides[1].readers)
    for side in sides:
        side.provider.remove_metric_reader(side.readers.pop(0))
        side.measure()
    exported = _exported(sides[1].readers)
    assert exported
    assert _exported(sides[0].readers) == exported


@_bound_only
def test_a_meter_that_is_switched_off_gets_nothing() -> None:
    """Values are dropped while the provider has the meter switched off, also those of sets that were recorded before."""
    from opentelemetry.sdk.metrics._internal import _disable_meter_configurator

    sides = _sides()
    for side in sides:
        side.measure()
        side.provider._set_meter_configurator(meter_configurator=_disable_meter_configurator)
        side.measure()
    exported = _exported(sides[1].readers)
    assert exported
    assert _exported(sides[0].readers) == exported


def test_a_provider_that_comes_later_gets_the_values() -> None:
    """An instrument of the API that waits for its provider is bound once the provider is there."""
    from opentelemetry.metrics._internal import _ProxyMeter

    meter = _ProxyMeter("test")
    histogram = bound(meter.create_histogram("duration", "s"))
    context = _contexts()[0]
    histogram.record(1, {"model": "a"}, context)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    meter.on_set_meter_provider(provider)
    for _ in range(3):
        histogram.record(2, {"model": "a"}, context)
    ((_, point),) = _exported([reader])
    assert (point["count"], point["sum"]) == (3, 6)
    assert bool(getattr(histogram, "_targets", {})) is _is_tested()


def test_an_instrument_of_another_sdk_is_used_by_the_api() -> None:
    """An instrument whose class is not the SDK's gets each value by its own method."""
    taken: list[tuple[float, object]] = []

    class Own(api.NoOpHistogram):
        def record(self, amount: float, attributes: object = None, context: object = None) -> None:
            taken.append((amount, attributes))

    histogram = bound(Own("duration"))
    for amount in (1, 2, 3):
        histogram.record(amount, {"model": "a"}, _contexts()[0])
    assert taken == [(1, {"model": "a"}), (2, {"model": "a"}), (3, {"model": "a"})]


def test_the_newest_sdk_that_is_locked_is_tested() -> None:
    """The latest SDK of the lock has the shortcut, so that an upgrade of the lock asks for a look at this; older ones are not."""
    ours, _ = _sides()
    ours.histogram.record(1, {"model": "a"}, _contexts()[0])
    assert bool(getattr(ours.histogram, "_targets", {})) is (_version() >= (1, 45, 2))


@_bound_only
def test_a_second_value_does_not_hash_its_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second value of an attribute set on, the SDK does not see the set again."""
    from opentelemetry.sdk.metrics._internal import _view_instrument_match as matches

    hashed: list[object] = []
    hash_attributes = matches._hash_attributes
    monkeypatch.setattr(matches, "_hash_attributes", lambda value: hashed.append(value) or hash_attributes(value))
    for temporality in ({}, _DELTA):
        ours, _ = _sides([temporality])
        context = _contexts()[0]
        ours.histogram.record(1, {"model": "a"}, context)
        hashed.clear()
        ours.histogram.record(2, {"model": "a"}, context)
        assert hashed == []


@_bound_only
def test_a_consumer_that_somebody_has_replaced_gets_every_value() -> None:
    """Where a method that the shortcut passes over is not the SDK's own any more, every value goes through it."""
    for owner in ("_measurement_consumer", "instrument"):
        ours, _ = _sides()
        inner: Any = ours.histogram
        instrument = inner._instrument
        replaced = instrument if owner == "instrument" else instrument._measurement_consumer
        name = "record" if owner == "instrument" else "consume_measurement"
        method, seen = getattr(replaced, name), []
        setattr(replaced, name, lambda *args, method=method, seen=seen: seen.append(args) or method(*args))
        for _ in range(3):
            ours.histogram.record(1, {"model": "a"}, _contexts()[0])
        assert len(seen) == 3
        ((_, point),) = _exported(ours.readers)
        assert point["count"] == 3


@_bound_only
def test_an_exporter_may_change_what_it_is_given() -> None:
    """Attributes that an exporter takes out of an exported point are there in the next export."""
    ours, _ = _sides([_DELTA])
    for _ in range(3):
        for _ in range(2):
            ours.histogram.record(1, {"model": "a", "host": "b"}, _contexts()[0])
        data: Any = ours.readers[0].get_metrics_data()
        (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
        assert dict(point.attributes) == {"model": "a", "host": "b"}
        del point.attributes["host"]


@_bound_only
def test_an_sdk_that_is_not_as_expected_is_used_through_its_api(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No value is lost where the look into the SDK fails; one warning tells of it, and it is not tried again."""
    from opentelemetry.sdk.metrics._internal import measurement

    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard.strict", False)
    ours, _ = _sides()
    monkeypatch.delattr(measurement, "Measurement")
    for _ in range(3):
        ours.histogram.record(1, {"model": "a"}, _contexts()[0])
        ours.histogram.record(1, {"model": "b"}, _contexts()[0])
    assert [point["count"] for _, point in _exported(ours.readers)] == [3, 3]
    (record,) = caplog.records
    assert "ImportError in _targets_of" in record.getMessage()
    monkeypatch.undo()
    for _ in range(2):
        ours.histogram.record(1, {"model": "a"}, _contexts()[0])
    assert getattr(ours.histogram, "_targets", None) == {}
