"""Histograms and counters with a shortcut: from the second value of an attribute set on, values go to the SDK's aggregations.

The metrics SDK copies, cleans, sorts and hashes the attributes of each value that is recorded. That took most of the time
of a call, and nearly all that we add to a chunk, though calls of one model have the same attributes every time. A bound
instrument records the first value of an attribute set through the API, finds the aggregations that the SDK has made for
the set, and passes later values to those directly. Values still go through the API where the shortcut may not be safe: with
another SDK or an untested version, if somebody has replaced a method of the SDK, if the SDK would refuse the value, or after
readers were added or removed.
"""

from __future__ import annotations

from time import time_ns
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.context import Context
    from opentelemetry.metrics import Counter, Histogram

    from .recording import AttributeSet

    Instrument = TypeVar("Instrument", Histogram, Counter)

# Releases of the SDK for which tests/signals/test_bound_instruments.py compares what the API and the shortcut export: patch
# releases have changed what this depends on.
_TESTED = frozenset(("1.45.0", "1.45.1", "1.45.2"))
_SDK = "opentelemetry.sdk.metrics._internal."
_SETS = 512  # attribute sets of one instrument; further ones go through the API
_PLAIN = frozenset((str, int, float, bool))
_LARGEST = 2.0**63


def bound(instrument: Instrument) -> Instrument:
    """Return an instrument that records as this one does, and faster from the second value of an attribute set on.

    Args:
        instrument: a histogram or counter of a meter.
    """
    return cast("Instrument", _BoundInstrument(instrument)) if _is_tested() else instrument


def _is_tested() -> bool:
    try:
        from opentelemetry.sdk.version import __version__
    except ImportError:
        return False
    return __version__ in _TESTED


class _BoundInstrument:
    """A histogram, with `record`, or a counter, with `add`.

    Args:
        instrument: the instrument that the meter returned.
    """

    __slots__ = ("_instrument", "_is_refused", "_targets")

    def __init__(self, instrument: Any) -> None:
        self._instrument = instrument
        self._targets: dict[object, _Target] = {}
        self._is_refused = False  # the aggregations could not be looked up: the SDK differs from what is expected

    def record(self, amount: float, attributes: AttributeSet, context: Context) -> None:
        """Record a value of a histogram."""
        self._measure(amount, attributes, context, self._instrument.record)

    def add(self, amount: float, attributes: AttributeSet, context: Context) -> None:
        """Add to a counter."""
        self._measure(amount, attributes, context, self._instrument.add)

    def _measure(
        self, amount: float, attributes: AttributeSet, context: Context, through_api: Callable[..., None]
    ) -> None:
        types = tuple(map(type, attributes.values()))
        # With the types: 1, 1.0 and True are equal as keys, but different series.
        key = (tuple(attributes.items()), types) if _PLAIN.issuperset(types) else None
        target = None if key is None else self._targets.get(key)
        # Left to the API: an empty context, which it reads as the current one, and a value that it may refuse, with a warning.
        if target is not None and context and 0 <= amount < _LARGEST and target.is_current():
            target.take(amount, context)
            return
        through_api(amount, attributes, context)
        if key is not None and target is None:
            self._keep(key, attributes)
        elif target is not None and not target.is_current():
            self._targets.pop(key, None)

    def _keep(self, key: object, attributes: AttributeSet) -> None:
        """Keep the aggregations of a set, which the SDK has made when the first value was recorded."""
        instrument = getattr(self._instrument, "_real_instrument", self._instrument)
        if self._is_refused or len(self._targets) >= _SETS or not _is_of_sdk(instrument):
            return
        found = _targets_of(instrument, attributes)
        self._is_refused = found is None
        for target in found or ():
            self._targets[key] = target


def _is_of_sdk(instrument: Any) -> bool:
    """Return whether this is an instrument of OpenTelemetry's SDK. A proxy is none until a meter provider is set."""
    kind = type(instrument)
    return kind.__module__ == f"{_SDK}instrument" and kind.__name__ in ("_Histogram", "_Counter")


@guarded
def _targets_of(instrument: Any, attributes: AttributeSet) -> list[_Target]:
    """Return a list with the target of a set; an empty one if the shortcut cannot be used for the set now; None if this fails."""
    from opentelemetry.sdk.metrics._internal.measurement import Measurement

    consumer = instrument._measurement_consumer
    readers: dict[Any, Any] = consumer._reader_storages
    if not instrument._is_enabled() or not all(_are_original(instrument, consumer, *readers.values())):
        return []
    measurement: Any = Measurement(0, 0, instrument, {}, attributes)  # type: ignore[arg-type]
    cleaned = measurement.attributes
    matches = [match for reader in readers.values() for match in reader._get_or_init_view_instrument_match(instrument)]
    aggregates = [_aggregate_of(match, cleaned) for match in matches if all(_are_original(match))]
    if None in aggregates or len(aggregates) < len(matches):
        return []
    return [_Target(instrument, cleaned, readers, cast("list[Aggregate]", aggregates))]


def _are_original(*owners: Any) -> Iterator[bool]:
    """Yield, for each method that the shortcut bypasses, whether it is the SDK's original: nobody has replaced it."""
    for owner in owners:
        for name in ("record", "add", "consume_measurement"):
            if (method := getattr(owner, name, None)) is not None:
                function = method.__func__ if type(method) is MethodType else None
                yield type(function) is FunctionType and function.__globals__["__name__"].startswith(_SDK)


class _Measurement:
    """Stands in for the SDK's `Measurement`, which cleans the attributes each time."""

    __slots__ = ("attributes", "context", "instrument", "time_unix_nano", "value")

    def __init__(self, value: float, time: int, instrument: object, context: Context, attributes: AttributeSet) -> None:
        self.value = value
        self.time_unix_nano = time
        self.instrument = instrument
        self.context = context
        self.attributes = attributes


if TYPE_CHECKING:
    Aggregate = Callable[[_Measurement, bool], None]
    """Takes a measurement, and whether it may become an exemplar."""


class _Target:
    """Where the values of one instrument with one attribute set go.

    Args:
        instrument: the SDK's instrument.
        attributes: as the SDK has cleaned them.
        readers: the consumer's mapping of readers, at the time when this is made.
        aggregates: one for each reader and view.
    """

    __slots__ = ("_aggregates", "_attributes", "_consumer", "_filter", "_instrument", "_readers")

    def __init__(self, instrument: Any, attributes: AttributeSet, readers: object, aggregates: list[Aggregate]) -> None:
        self._instrument = instrument
        self._attributes = attributes
        self._readers = readers
        self._aggregates = aggregates
        self._consumer: Any = instrument._measurement_consumer
        self._filter: Any = self._consumer._sdk_config.exemplar_filter

    def is_current(self) -> bool:
        """Return whether the readers are those that this was made for, and the meter is not switched off."""
        # The SDK replaces the mapping when a reader is added or removed.
        return self._consumer._reader_storages is self._readers and bool(self._instrument._is_enabled())

    def take(self, amount: float, context: Context) -> None:
        """Give a value to the aggregations."""
        now, attributes = time_ns(), self._attributes
        exemplar = self._filter.should_sample(amount, now, attributes, context)
        measurement = _Measurement(amount, now, self._instrument, context, attributes)
        for aggregate in self._aggregates:
            aggregate(measurement, exemplar)


def _aggregate_of(match: Any, attributes: AttributeSet) -> Aggregate | None:
    """Return the function that takes the values of a set for one reader and view; None if the set has no aggregation there."""
    from opentelemetry.sdk.metrics._internal._view_instrument_match import _hash_attributes

    names = match._view._attribute_keys
    kept = attributes if names is None else {name: value for name, value in attributes.items() if name in names}
    key = _hash_attributes(kept)
    if getattr(match, "_reset_on_collect", False):  # from 1.45.2 on
        return _Delta(match, key, kept).aggregate
    found = match._attributes_aggregation.get(key)
    if found is None and len(match._attributes_aggregation) >= getattr(match, "_cardinality_limit", _LARGEST):
        return cast(
            "Aggregate", match.consume_measurement
        )  # over the limit: the SDK adds the value to its one overflow series
    return None if found is None else cast("Aggregate", found.aggregate)


class _Delta:
    """Finds the aggregation of a set for a reader with delta temporality: since 1.45.2 it is another one after each export.

    Args:
        match: the SDK's record of an instrument and a view.
        key: the key under which the SDK keeps the aggregation of the set.
        attributes: those that the view keeps.
    """

    __slots__ = ("_attributes", "_key", "_match")

    def __init__(self, match: Any, key: object, attributes: AttributeSet) -> None:
        self._match = match
        self._key = key
        self._attributes = attributes

    def aggregate(self, measurement: _Measurement, exemplar: bool) -> None:
        """Give a value to the current aggregation, while holding the lock that an export takes as well."""
        match = self._match
        with match._lock:
            found = match._attributes_aggregation.get(self._key)
            if found is None:  # with a copy: the aggregation keeps the attributes, and an exporter may change them
                found = match._get_or_create_aggregation(self._key, dict(self._attributes))
            found.aggregate(measurement, exemplar)
