"""What was counted of all calls: in bounded memory, and so that the counts of several processes add up."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._conventions import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .record import Record

_MOST = 50  # rows, and types of errors; more have one row together
_OTHERS = "others"
_TRACES = 1_000  # of which it is remembered that they have calls of models
_STEP = math.log(1.01)  # durations are known to one percent
_SHORTEST = 1e-6


@dataclass
class Row:
    """The spans of one name.

    Attributes:
        calls: how many there are.
        failed: how many of them failed.
        is_model_call: whether they are requests to a model's server.
        given: their input tokens; None where none was reported.
        made: their output tokens.
        cost: their cost in US dollars; None where none is known.
        durations: how many took so long, by the logarithm of their seconds.
    """

    calls: int = 0
    failed: int = 0
    is_model_call: bool = False
    given: float | None = None
    made: float | None = None
    cost: float | None = None
    durations: Counter[int] = field(default_factory=Counter)

    def add(self, other: Row) -> None:
        """Add what another row counted."""
        self.calls += other.calls
        self.failed += other.failed
        self.given, self.made = _sum(self.given, other.given), _sum(self.made, other.made)
        self.cost = _sum(self.cost, other.cost)
        self.durations += other.durations

    def quantile(self, share: float) -> float:
        """Return the seconds within which so large a share of the spans ended, to one percent."""
        wanted, passed = math.ceil(share * sum(self.durations.values())), 0
        for step in sorted(self.durations):
            passed += self.durations[step]
            if passed >= wanted:
                return math.exp((step + 0.5) * _STEP) * _SHORTEST
        return 0.0


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other


class Tally:
    """The counts of all spans that are calls.

    Attributes:
        rows: by the name of the span.
        total: the calls of models together, and the usage that agents report of calls that were made elsewhere.
        errors: how many failed, by type.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.total: Row = Row()
        self.errors: Counter[str] = Counter()
        self._traces: OrderedDict[str, None] = OrderedDict()

    def add(self, record: Record) -> None:
        """Count a span, if it is a call."""
        if not record.is_call:
            return
        row = Row(
            calls=1,
            failed=int(record.failed),
            is_model_call=record.is_model_call,
            given=record.number(names.USAGE_INPUT_TOKENS),
            made=record.number(names.USAGE_OUTPUT_TOKENS),
            cost=record.number(names.USAGE_COST),
            durations=Counter({_step_of(record.seconds): 1}),
        )
        self._row(record.name, is_model_call=row.is_model_call).add(row)
        if row.is_model_call:
            self.total.add(row)
            self._traces[record.trace] = None
            if len(self._traces) > _TRACES:
                self._traces.popitem(last=False)
        elif record.trace not in self._traces:
            # An agent may report what its calls used, where they are made elsewhere.
            self.total.add(Row(given=row.given, made=row.made, cost=row.cost))
        if record.failed:
            self._count_error(record.text("error.type") or "error", 1)

    def merge(self, other: Tally) -> None:
        """Add what was counted elsewhere."""
        for name, row in other.rows.items():
            self._row(name, is_model_call=row.is_model_call).add(row)
        self.total.add(other.total)
        for kind, count in other.errors.items():
            self._count_error(kind, count)

    def _row(self, name: str, *, is_model_call: bool) -> Row:
        if name not in self.rows and len(self.rows) >= _MOST:
            name = _OTHERS
        return self.rows.setdefault(name, Row(is_model_call=is_model_call))

    def _count_error(self, kind: str, count: int) -> None:
        self.errors[kind if kind in self.errors or len(self.errors) < _MOST else _OTHERS] += count

    def dump(self) -> str:
        """Write the counts as JSON."""
        rows = {name: _plain(row) for name, row in self.rows.items()}
        return json.dumps({"rows": rows, "total": _plain(self.total), "errors": self.errors})

    @classmethod
    def load(cls, text: str) -> Tally:
        """Read what `dump` wrote.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is something else.
        """
        read, tally = json.loads(text), cls()
        tally.rows = {name: _row(row) for name, row in read["rows"].items()}
        tally.total = _row(read["total"])
        tally.errors = Counter(read["errors"])
        return tally


def _plain(row: Row) -> dict[str, Any]:
    return {**vars(row), "durations": [*row.durations.items()]}


def _row(read: dict[str, Any]) -> Row:
    numbers = {name: value for name, value in read.items() if name != "durations"}
    return Row(**numbers, durations=Counter(dict(read["durations"])))


def _step_of(seconds: float) -> int:
    return math.floor(math.log(max(seconds, _SHORTEST) / _SHORTEST) / _STEP)


def quantiles(row: Row) -> Iterator[float]:
    """Return the median and the 95th percentile, in seconds."""
    yield from map(row.quantile, (0.5, 0.95))
