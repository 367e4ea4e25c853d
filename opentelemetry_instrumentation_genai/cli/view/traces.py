"""What the list has of a trace, added up span by span."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

    from .records import Span
    from .summary import Summary

_MOST_NAMES: Final = 8  # of models and of providers that a row of the list has
_LATEST: Final = 2**63 - 1


@dataclass
class Trace:
    """A row of the table `traces`; the fields are its columns."""

    trace: str
    id: int = 0
    start: int = _LATEST
    end: int = 0
    rooted: bool = False
    named_start: int = _LATEST
    name: str = ""
    service: str = ""
    conversation: str = ""
    spans: int = 0
    logs: int = 0
    calls: int = 0
    errors: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    models: list[str] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    message: str = ""
    message_start: int = _LATEST
    bytes: int = 0
    updated: int = 0

    @property
    def items(self) -> int:
        """How many spans and log records it has."""
        return self.spans + self.logs

    def add(self, span: Span, summary: Summary) -> None:
        """Add a span, but for its tokens and cost."""
        self.start = min(self.start, span.start)
        self.end = max(self.end, span.end)
        self.spans += 1
        self.calls += summary.is_genai
        self.errors += span.failed
        self.conversation = self.conversation or summary.conversation
        _add_name(self.models, summary.model)
        _add_name(self.providers, summary.provider)
        # That of the root, and until it has arrived, of the span that began first.
        if (bool(span.parent), span.start) < (not self.rooted, self.named_start):
            self.rooted = not span.parent
            self.named_start = span.start
            self.name, self.service = span.name, span.service

    def add_message(self, text: str, start: int) -> None:
        """Take what a user says if nothing earlier is known."""
        if text and start < self.message_start:
            self.message, self.message_start = text, start

    def count(self, amounts: dict[str, int | float | None], sign: int) -> None:
        """Add tokens or cost by the names of their columns, or take them away again."""
        for name, amount in amounts.items():
            if amount is not None:
                setattr(self, name, (getattr(self, name) or 0) + sign * amount)


_COLUMNS: Final = tuple(column.name for column in fields(Trace) if column.name != "id")
_INSERT: Final = f"INSERT INTO traces ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_UPDATE: Final = f"UPDATE traces SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE id = ?"  # noqa: S608


class Traces:
    """The traces that a batch adds to, each read once and written once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read nothing yet."""
        self._connection = connection
        self._touched: dict[str, Trace] = {}

    def __getitem__(self, trace: str) -> Trace:
        """Return a trace by its id of OpenTelemetry; one that is unknown is made."""
        found = self._touched.get(trace)
        if found is None:
            found = self._touched[trace] = self._read(trace)
        return found

    def save(self, version: int) -> None:
        """Write all of them, as updated by the batch of this number."""
        for trace in self._touched.values():
            trace.updated = version
            self._connection.execute(_UPDATE, (*_values(trace), trace.id))

    def _read(self, trace: str) -> Trace:
        row = self._connection.execute("SELECT * FROM traces WHERE trace = ?", (trace,)).fetchone()
        if row is not None:
            known: dict[str, Any] = dict(row)
            return Trace(**{**known, "models": json.loads(row["models"]), "providers": json.loads(row["providers"])})
        made = Trace(trace)
        made.id = self._connection.execute(_INSERT, _values(made)).lastrowid or 0
        return made


def _values(trace: Trace) -> list[Any]:
    values = {**asdict(trace), "models": json.dumps(trace.models), "providers": json.dumps(trace.providers)}
    return [values[name] for name in _COLUMNS]


def _add_name(known: list[str], name: str) -> None:
    if name and name not in known and len(known) < _MOST_NAMES:
        known.append(name)
