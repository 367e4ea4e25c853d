"""Spans and log records in SQLite: added in batches, bounded, the traces that were updated longest ago dropped first."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from . import schema
from .messages import CONTENT, first_user_text, texts
from .records import text_of
from .summary import Summary, summary
from .tags import Tags, pairs
from .traces import Trace, Traces

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from pathlib import Path

    from .records import Log, Span

_AMOUNTS: Final = {"tokens": ("input_tokens", "output_tokens"), "cost": ("cost",)}
_SPAN: Final = f"INSERT OR IGNORE INTO spans VALUES (NULL, {', '.join('?' * 28)})"  # noqa: S608
_DROPPED_AT_ONCE: Final = 20


class Store:
    """What was received; safe to be used by several threads.

    Attributes:
        version: changes with each batch that is added.
        dropped: how many spans and log records were not kept, because their trace alone is as large as the store may be.
    """

    def __init__(self, path: Path, *, keep: int, keep_bytes: int, lasting: bool = False) -> None:
        """Open the file; see `schema.writer` for the arguments and errors.

        Args:
            path: of the file.
            keep: how many spans and log records are kept at most.
            keep_bytes: how many bytes of attributes and content are kept at most.
            lasting: whether the file has to survive a crash of the machine.
        """
        self.path = path
        self.dropped: int = 0
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        self._connection = schema.writer(path, lasting=lasting)
        self._tags = Tags(self._connection)
        row = self._connection.execute("SELECT sum(spans + logs), sum(bytes), max(updated) FROM traces").fetchone()
        self._items, self._bytes, self.version = (value or 0 for value in row)

    def add_spans(self, spans: Iterable[Span]) -> None:
        """Add spans; one that is there already, because an export was repeated, changes nothing."""
        with self._batch() as traces:
            for span in spans:
                if self._has_room(trace := traces[span.trace]):
                    self._add_span(trace, span)

    def add_logs(self, logs: Iterable[Log]) -> None:
        """Add log records. Where an event has content that its span does not have, it is shown as the span's."""
        with self._batch() as traces:
            for log in logs:
                if self._has_room(trace := traces[log.trace]):
                    self._add_log(trace, log)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _batch(self) -> Generator[Traces, None, None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            items, size = self._items, self._bytes
            try:
                traces = Traces(self._connection)
                yield traces
                traces.save(self.version + 1)
                self._drop_oldest()
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                self._items, self._bytes = items, size
                self._tags.forget()
                raise
            self.version += 1

    def _has_room(self, trace: Trace) -> bool:
        if trace.items < self._keep and trace.bytes < self._keep_bytes:
            return True
        self.dropped += 1
        return False

    def _add_span(self, trace: Trace, span: Span) -> None:
        short = summary(span)
        content = {name: span.attributes[name] for name in CONTENT if name in span.attributes}
        attributes = {name: value for name, value in span.attributes.items() if name not in content}
        stored = [text_of(value) for value in (attributes, span.resource, span.events, span.links)]
        row = (
            trace.id, span.id, span.parent, span.name, span.kind, span.start, span.end, span.failed,
            span.status, span.scope, span.service, *short, *stored,
        )  # fmt: skip
        if self._connection.execute(_SPAN, row).rowcount == 0:
            return
        trace.add(span, short)
        self._grow(trace, sum(map(len, stored)))
        self._tags.add(trace.id, pairs(attributes, span.resource, short))
        self._count(trace, span, short)
        self._index(trace, [span.name, span.status])
        self._add_content(trace, span.id, span.start, content)

    def _add_log(self, trace: Trace, log: Log) -> None:
        content = {name: log.attributes[name] for name in CONTENT if name in log.attributes}
        attributes = {name: value for name, value in log.attributes.items() if name not in content}
        stored = (text_of(log.body), text_of(attributes))
        self._connection.execute(
            "INSERT INTO logs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            (trace.id, log.span, log.time, log.event, log.severity, stored[0], log.scope, stored[1]),
        )
        trace.logs += 1
        self._grow(trace, sum(map(len, stored)))
        self._add_content(trace, log.span, log.time, content)

    def _grow(self, trace: Trace, size: int) -> None:
        self._items += 1
        trace.bytes += size
        self._bytes += size

    def _add_content(self, trace: Trace, span: str, start: int, content: Mapping[str, Any]) -> None:
        new = {name: value for name, value in content.items() if self._is_new(trace, span, name, value)}
        if new:
            trace.add_message(first_user_text(new), start)
            self._index(trace, texts(new))

    def _is_new(self, trace: Trace, span: str, name: str, value: Any) -> bool:
        text = text_of(value)
        row = (trace.id, span, name, text)
        if self._connection.execute("INSERT OR IGNORE INTO contents VALUES (NULL, ?, ?, ?, ?)", row).rowcount == 0:
            return False
        trace.bytes += len(text)
        self._bytes += len(text)
        return True

    def _index(self, trace: Trace, found: Iterable[str]) -> None:
        text = "\n".join(part for part in found if part)
        if text:
            made = self._connection.execute("INSERT INTO documents VALUES (NULL, ?)", (trace.id,)).lastrowid
            self._connection.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (made, text))

    def _count(self, trace: Trace, span: Span, short: Summary) -> None:
        """Add tokens and cost of a span, unless a span below it has reported them already."""
        for amount, columns in _AMOUNTS.items():
            found = {name: getattr(short, name) for name in columns}
            is_counted = any(value is not None for value in found.values())
            has_below = self._is_counted_below(trace, span.id, amount)
            if is_counted and not has_below:
                trace.count(found, 1)
            if span.parent and (is_counted or has_below):
                self._count_below(trace, span.parent, amount)

    def _is_counted_below(self, trace: Trace, span: str, amount: str) -> bool:
        row = (trace.id, span, amount)
        found = self._connection.execute(
            "SELECT 1 FROM counted_below WHERE trace = ? AND span = ? AND amount = ?", row
        ).fetchone()
        return found is not None

    def _count_below(self, trace: Trace, span: str, amount: str) -> None:
        """Mark a span and all above it; what those that are here already have counted is taken away. A cycle ends it."""
        columns = _AMOUNTS[amount]
        while span:
            row = (trace.id, span, amount)
            if self._connection.execute("INSERT OR IGNORE INTO counted_below VALUES (?, ?, ?)", row).rowcount == 0:
                return
            above = self._connection.execute(
                f"SELECT parent, {', '.join(columns)} FROM spans WHERE trace = ? AND span = ?",  # noqa: S608
                row[:2],
            ).fetchone()
            if above is None:
                return
            trace.count({name: above[name] for name in columns}, -1)
            span = above["parent"]

    def _drop_oldest(self) -> None:
        """Drop traces until what is left is within the bounds; those of this batch stay."""
        while self._items > self._keep or self._bytes > self._keep_bytes:
            rows = self._connection.execute(
                "SELECT id, spans + logs AS items, bytes FROM traces WHERE updated <= ? ORDER BY updated LIMIT ?",
                (self.version, _DROPPED_AT_ONCE),
            ).fetchall()
            if not rows:
                return
            for row in rows:
                self._drop(row["id"])
                self._items -= row["items"]
                self._bytes -= row["bytes"]
                if self._items <= self._keep and self._bytes <= self._keep_bytes:
                    return

    def _drop(self, trace: int) -> None:
        for row in self._connection.execute("SELECT * FROM spans WHERE trace = ?", (trace,)).fetchall():
            short = Summary(*(row[name] for name in Summary._fields))
            self._tags.remove(trace, pairs(json.loads(row["attributes"]), json.loads(row["resource"]), short))
        documents = [
            (row["id"],) for row in self._connection.execute("SELECT id FROM documents WHERE trace = ?", (trace,))
        ]
        self._connection.executemany("DELETE FROM texts WHERE rowid = ?", documents)
        for table in ("documents", "contents", "logs", "spans", "counted_below"):
            self._connection.execute(f"DELETE FROM {table} WHERE trace = ?", (trace,))  # noqa: S608
        self._connection.execute("DELETE FROM traces WHERE id = ?", (trace,))


def is_searchable() -> bool:
    """Return whether this Python's SQLite can search in texts, which a store needs."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE texts USING fts5 (text)")
        except sqlite3.OperationalError:
            return False
    return True
