"""Histograms and counters that know where the points of an attribute set are kept.

The metrics SDK copies, cleans, sorts and hashes the attributes of each value that is recorded, which took most of the
time of a call and nearly all of that of a chunk, though calls to one model have the same attributes every time. A bound
instrument records the first value of an attribute set by the API. It keeps the SDK's aggregations for that set, and
gives them the next values itself. Anything that it does not know for certain goes by the API as before: another SDK,
another version, a value that the SDK would refuse, readers that were added or removed since.
"""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.metrics import Counter, Histogram

    from .recording import AttributeSet

    Instrument = TypeVar("Instrument", Histogram, Counter)

# Minor releases of the SDK whose aggregations work as `_Place` expects: tests/signals/test_bound_instruments.py compares
# what both ways export.
_PROVEN = ("1.45.",)
_SDK = "opentelemetry.sdk.metrics._internal.instrument"
_LIMIT = 2000  # attribute sets of one instrument; the SDK's own limit of series
_INFINITY = float("inf")


def bound(instrument: Instrument) -> Instrument:
    """Return an instrument that records as this one does, and faster from the second value of an attribute set on.

    Args:
        instrument: a histogram or counter of a meter.
    """
    return cast("Instrument", _BoundInstrument(instrument)) if _is_proven() else instrument


def _is_proven() -> bool:
    try:
        from opentelemetry.sdk.version import __version__
    except ImportError:
        return False
    return __version__.startswith(_PROVEN)


class _BoundInstrument:
    """A histogram or counter.

    Args:
        instrument: that of the API.
    """

    __slots__ = ("_instrument", "_places")

    def __init__(self, instrument: Any) -> None:
        self._instrument = instrument
        self._places: dict[object, _Place] = {}

    def record(self, amount: float, attributes: AttributeSet, context: Context) -> None:
        """Record a value of a histogram."""
        self._measure(amount, attributes, context, self._instrument.record)

    def add(self, amount: float, attributes: AttributeSet, context: Context) -> None:
        """Add to a counter."""
        self._measure(amount, attributes, context, self._instrument.add)

    def _measure(self, amount: float, attributes: AttributeSet, context: Context, by_api: Callable[..., None]) -> None:
        # With the types, since 1, 1.0 and True are equal, and different series.
        key = (tuple(attributes.items()), tuple(map(type, attributes.values())))
        try:
            place = self._places.get(key)
        except TypeError:  # a list among the values
            by_api(amount, attributes, context)
            return
        if place is None or not place.is_current():
            by_api(amount, attributes, context)
            self._keep(key, attributes)
        elif context and 0 <= amount < _INFINITY:
            place.take(amount, context)
        else:  # the present context, or a value that the SDK refuses, and says so
            by_api(amount, attributes, context)

    def _keep(self, key: object, attributes: AttributeSet) -> None:
        """Find the aggregations of a set, which the SDK has made when the first value was recorded."""
        place = _find_place(getattr(self._instrument, "_real_instrument", self._instrument), attributes)
        if place is not None:
            if len(self._places) >= _LIMIT:
                self._places.clear()
            self._places[key] = place


class _Measurement:
    """A value, with what aggregations read of the SDK's own class of this name."""

    __slots__ = ("attributes", "context", "instrument", "time_unix_nano", "value")

    def __init__(self, value: float, time: int, instrument: object, context: Context, attributes: AttributeSet) -> None:
        self.value = value
        self.time_unix_nano = time
        self.instrument = instrument
        self.context = context
        self.attributes = attributes


class _Place:
    """Where the values of one instrument with one attribute set go.

    Args:
        instrument: the SDK's.
        attributes: as the SDK has cleaned them.
        aggregations: one for each reader and view; takes a measurement, and whether an exemplar may be made of it.
    """

    __slots__ = ("_aggregations", "_attributes", "_consumer", "_filter", "_instrument", "_readers")

    def __init__(
        self, instrument: Any, attributes: AttributeSet, aggregations: tuple[Callable[[Any, bool], None], ...]
    ) -> None:
        self._instrument = instrument
        self._attributes = attributes
        self._aggregations = aggregations
        self._consumer: Any = instrument._measurement_consumer
        self._filter: Any = self._consumer._sdk_config.exemplar_filter
        self._readers: object = self._consumer._reader_storages

    def is_current(self) -> bool:
        """Whether the same readers are there, and the meter is not disabled."""
        return self._consumer._reader_storages is self._readers and bool(self._instrument._is_enabled())

    def take(self, amount: float, context: Context) -> None:
        """Give a value to the aggregations."""
        now, attributes = time_ns(), self._attributes
        exemplar = self._filter.should_sample(amount, now, attributes, context)
        measurement = _Measurement(amount, now, self._instrument, context, attributes)
        for aggregate in self._aggregations:
            aggregate(measurement, exemplar)


def _find_place(instrument: Any, attributes: AttributeSet) -> _Place | None:
    """Return where the values of a set go, or None where this is not certain."""
    if type(instrument).__module__ != _SDK or type(instrument).__name__ not in ("_Histogram", "_Counter"):
        return None
    from opentelemetry.sdk.metrics._internal.measurement import Measurement

    cleaned: Any = Measurement(0, 0, instrument, {}, attributes).attributes  # type: ignore[arg-type]
    readers: Any = instrument._measurement_consumer._reader_storages
    matches = [match for reader in readers.values() for match in reader._get_or_init_view_instrument_match(instrument)]
    return _Place(instrument, cleaned, tuple(_aggregation(match, cleaned) for match in matches))


def _aggregation(match: Any, attributes: AttributeSet) -> Callable[[Any, bool], None]:
    """Return what takes the values of a set for one reader and view."""
    from opentelemetry.sdk.metrics._internal._view_instrument_match import _hash_attributes

    names = match._view._attribute_keys
    kept = attributes if names is None else {name: value for name, value in attributes.items() if name in names}
    key = _hash_attributes(kept)
    if match._reset_on_collect:
        return _Delta(match, key, kept).aggregate
    found = match._attributes_aggregation.get(key)
    # Over the limit of series the value went to the series of all others.
    return cast("Callable[[Any, bool], None]", match.consume_measurement if found is None else found.aggregate)


class _Delta:
    """The aggregation of a set for a reader with delta temporality: a new one after each export.

    Args:
        match: the SDK's record of an instrument and a view.
        key: the set's.
        attributes: those that the view keeps.
    """

    __slots__ = ("_attributes", "_key", "_match")

    def __init__(self, match: Any, key: object, attributes: AttributeSet) -> None:
        self._match = match
        self._key = key
        self._attributes = attributes

    def aggregate(self, measurement: _Measurement, exemplar: bool) -> None:
        """Give a value to the present aggregation, with the lock that an export takes."""
        match = self._match
        with match._lock:
            match._get_or_create_aggregation(self._key, self._attributes).aggregate(measurement, exemplar)
