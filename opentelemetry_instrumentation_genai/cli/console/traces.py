"""The spans of traces that are not complete: a span ends, and is exported, before the one around it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .record import Record

PATIENCE = 30.0
"""Seconds without a new span after which a trace is shown without its root, which may be open for hours, or may never be exported."""

_MOST = 1_000  # spans that are held
_MOST_SHOWN = 1_000  # traces of which it is remembered that they were shown

STILL_OPEN = "what is around it has not ended"
LATER = "ended after its trace was shown"
ELSEWHERE = "called from another process"


class Conversation(NamedTuple):
    """Spans of one trace to be shown together.

    Attributes:
        records: the spans.
        remark: why they are not the whole trace; empty if they are.
    """

    records: list[Record]
    remark: str


@dataclass
class _Held:
    last: float
    records: list[Record] = field(default_factory=list)


class Traces:
    """Holds spans until the root of their trace has ended.

    The root is a span with nothing around it in this process. What has no root is shown after `PATIENCE`, at the end, or when
    1,000 spans are held.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._shown: OrderedDict[str, bool] = OrderedDict()  # and whether with a root that is the only one
        self._count = 0

    def add(self, records: Iterable[Record], now: float) -> Iterator[Conversation]:
        """Hold spans, and return those of the traces that are complete with them.

        Args:
            records: spans that were exported together.
            now: the time, in seconds of any clock.
        """
        complete: dict[str, str] = {}
        for record in records:
            held = self._held.setdefault(record.trace, _Held(now))
            held.last = now
            held.records.append(record)
            self._held.move_to_end(record.trace)
            self._count += 1
            if not record.parent or record.remote:
                complete[record.trace] = ELSEWHERE if record.remote else ""
            elif self._shown.get(record.trace):
                complete.setdefault(record.trace, LATER)
        for trace, remark in complete.items():
            yield self._take(trace, remark)
        while self._count > _MOST:
            yield self._take(next(iter(self._held)), STILL_OPEN)

    def overdue(self, now: float) -> Iterator[Conversation]:
        """Return what has waited for `PATIENCE`."""
        for trace in [trace for trace, held in self._held.items() if now - held.last >= PATIENCE]:
            yield self._take(trace, STILL_OPEN)

    def rest(self) -> Iterator[Conversation]:
        """Return all that is held."""
        for trace in [*self._held]:
            yield self._take(trace, STILL_OPEN)

    def waits_until(self) -> float | None:
        """Return when something will be overdue; None if nothing is held."""
        return next((held.last + PATIENCE for held in self._held.values()), None)

    def _take(self, trace: str, remark: str) -> Conversation:
        records = self._held.pop(trace).records
        self._count -= len(records)
        self._shown[trace] = remark in {"", LATER}
        if len(self._shown) > _MOST_SHOWN:
            self._shown.popitem(last=False)
        return Conversation(records, remark)
