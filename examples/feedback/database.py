"""The answers that users can vote on, with what OpenTelemetry knows them by."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from opentelemetry_instrumentation_genai import CallReference


class Answers:
    """A database of answers.

    Args:
        path: of its file, which is made if it is not there.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._do("CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, text TEXT, trace_id TEXT, span_id TEXT)")

    def keep(self, text: str, call: CallReference | None) -> None:
        """Keep an answer, and the reference of the operation that gave it."""
        ids = (call.trace_id, call.span_id) if call else (None, None)
        self._do("INSERT INTO answers (text, trace_id, span_id) VALUES (?, ?, ?)", text, *ids)

    def last(self) -> tuple[str, CallReference | None]:
        """Return the last answer, and the reference of the operation that gave it."""
        ((text, trace_id, span_id),) = self._do(
            "SELECT text, trace_id, span_id FROM answers ORDER BY id DESC LIMIT 1",
        )
        return text, CallReference(trace_id, span_id) if trace_id else None

    def _do(self, statement: str, *values: str | None) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            return connection.execute(statement, values).fetchall()
