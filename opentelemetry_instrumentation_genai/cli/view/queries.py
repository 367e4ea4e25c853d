"""What a page asks of the store."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from . import schema
from .messages import conversation, decoded, indented, tools
from .tags import MODEL, OPERATION, PROVIDER
from .tree import in_order

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_MOST_SPANS: Final = 2000  # of a trace that a page shows
_MOST_LOGS: Final = 100  # of a span
_MOST_FOUND: Final = 5000  # texts of a search, the newest
_MOST_CHOICES: Final = 100  # of a filter
_FEW: Final = 500  # rather looked up first than tried one after another

_LIST: Final = """SELECT trace AS id, start / 1000 AS start, (end - start) / 1000 AS duration, name, service, conversation, spans,
 calls, errors, input_tokens, output_tokens, cost, models, providers, message, traces.id AS number{} FROM traces"""
_SPANS: Final = """SELECT span AS id, parent, name, kind, start / 1000 AS start, (end - start) / 1000 AS duration, failed, operation,
 provider, model, service, input_tokens, output_tokens, cost, first_chunk, error FROM spans WHERE trace = ? ORDER BY start, id LIMIT ?"""


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; what is empty does not narrow it.

    Attributes:
        everything: traces without an operation of GenAI as well.
        errors: only those in which a span failed.
        model, provider, operation: of one of its spans.
        conversation: the id of the conversation.
        tags: pairs of an attribute's name and its value.
        text: words that all stand in one of its messages, or names; of longer words the last letters may be missing. Or the id of a trace.
    """

    everything: bool = False
    errors: bool = False
    model: str = ""
    provider: str = ""
    operation: str = ""
    conversation: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    text: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Those that look for a value of an attribute."""
        named = ((MODEL, self.model), (PROVIDER, self.provider), (OPERATION, self.operation))
        return [*((name, value) for name, value in named if value), *self.tags]


class Queries:
    """Reads the file of a store; safe to be used by several threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, which a store has made."""
        self._connection = schema.reader(path)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def traces(
        self, filters: Filters, *, order: str = "start", before: tuple[float, int] | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """Return `traces`, those with the most of `order` first, and `next`, which is the `before` of those that follow, or None.

        Args:
            filters: what the list is narrowed to.
            order: one of `schema.ORDERS`; by `start`, the newest come first.
            before: the place at which an earlier answer ended.
            limit: how many traces are returned at most.
        """
        where, values = self._where(filters)
        by = schema.ORDERS[order]
        if order != "start":
            where.append("spans > 0")  # which its index has
        if before is not None:
            where.append(f"({by}, traces.id) < (?, ?)")
            values += before
        columns = _LIST.format(f", {by} AS place")
        sql = f"{columns} WHERE {' AND '.join(where)} ORDER BY {by} DESC, traces.id DESC LIMIT ?"
        rows = self._all(sql, *values, limit + 1)
        found = [_listed(row) for row in rows[:limit]]
        last = rows[limit - 1] if len(rows) > limit else None
        return {"traces": found, "next": None if last is None else f"{last['place']}.{last['number']}"}

    def choices(self) -> dict[str, list[str]]:
        """Return the values that the filters can have: `models`, `providers`, `operations`, and the names of attributes, `keys`."""
        names = self._all(
            "SELECT name FROM keys WHERE name NOT LIKE char(0) || '%' ORDER BY name LIMIT ?", _MOST_CHOICES * 5
        )
        return {
            "models": self._values(MODEL),
            "providers": self._values(PROVIDER),
            "operations": self._values(OPERATION),
            "keys": [row["name"] for row in names if not row["name"].startswith("\0")],
        }

    def counts(self) -> dict[str, int]:
        """Return how much there is: `traces`, those `with_calls` of models, agents or tools, and `spans`."""
        row = self._one(
            "SELECT count(*) AS traces, sum(calls > 0) AS with_calls, sum(spans) AS spans FROM traces WHERE spans > 0"
        )
        return {name: row[name] or 0 for name in ("traces", "with_calls", "spans")} if row else {}

    def trace(self, trace: str) -> dict[str, Any] | None:
        """Return one trace, its `tree` of spans from the top down, and its `turns`: the traces of its conversation."""
        row = self._one(f"{_LIST.format('')} WHERE trace = ?", trace)
        if row is None:
            return None
        spans = [dict(span) for span in self._all(_SPANS, row["number"], _MOST_SPANS)]
        turns = []
        if row["conversation"]:
            sql = f"{_LIST.format('')} WHERE conversation = ? AND conversation <> '' ORDER BY traces.start LIMIT 200"
            turns = [_listed(turn) for turn in self._all(sql, row["conversation"])]
        return {**_listed(row), "tree": in_order(spans), "turns": turns}

    def span(self, trace: str, span: str) -> dict[str, Any] | None:
        """Return one span with its messages, tools, attributes and events."""
        sql = "SELECT spans.* FROM spans JOIN traces ON traces.id = spans.trace WHERE traces.trace = ? AND span = ?"
        row = self._one(sql, trace, span)
        if row is None:
            return None
        sql = "SELECT name, value FROM contents WHERE trace = ? AND span = ?"
        content = {found["name"]: found["value"] for found in self._all(sql, row["trace"], span)}
        return _detailed(row, content, self._logs(row["trace"], span))

    def _logs(self, trace: int, span: str) -> list[dict[str, Any]]:
        sql = "SELECT * FROM logs WHERE trace = ? AND span = ? ORDER BY time, id LIMIT ?"
        return [
            {
                "name": row["event"] or row["severity"] or "log",
                "time": row["time"] // 1000,
                "body": "" if row["body"] == "null" else row["body"],
                "attributes": _shown(json.loads(row["attributes"])),
            }
            for row in self._all(sql, trace, span, _MOST_LOGS)
        ]

    def _where(self, filters: Filters) -> tuple[list[str], list[Any]]:
        where = ["spans > 0" if filters.everything else "calls > 0"]
        values: list[Any] = []
        if filters.errors:
            where.append("errors > 0")
        if filters.conversation:
            where.append("conversation = ? AND conversation <> ''")
            values.append(filters.conversation)
        for name, value in filters.pairs:
            where.append(self._having(name, value))
            values += (name, value)
        if filters.text:
            self._add_search(filters.text, where, values)
        return where, values

    def _having(self, name: str, value: str) -> str:
        """Return the condition for a value of an attribute: few traces are looked up by it, many are not collected first."""
        found = self._all(f"SELECT 1 FROM {_TAGGED} LIMIT ?", name, value, _FEW)  # noqa: S608
        if len(found) < _FEW:
            return f"traces.id IN (SELECT trace FROM {_TAGGED})"  # noqa: S608
        return f"EXISTS (SELECT 1 FROM {_TAGGED} AND tags.trace = +traces.id)"  # noqa: S608

    def _add_search(self, text: str, where: list[str], values: list[Any]) -> None:
        identifier = text.strip().lower()
        if re.fullmatch("[0-9a-f]{32}", identifier):
            where.append("trace = ?")
            values.append(identifier)
            return
        where.append(
            "traces.id IN (SELECT trace FROM documents WHERE id IN"
            " (SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid DESC LIMIT ?))"
        )
        values += (words_of(text), _MOST_FOUND)

    def _values(self, name: str) -> list[str]:
        """Return the values of an attribute, by steps from one to the next: there are few, in many traces."""
        found: list[str] = []
        sql = "SELECT min(value) AS value FROM tags WHERE key = (SELECT id FROM keys WHERE name = ?) AND value > ?"
        while len(found) < _MOST_CHOICES:
            row = self._one(sql, name, found[-1] if found else "")
            if row is None or row["value"] is None:
                break
            found.append(row["value"])
        return found

    def _all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        found = self._all(sql, *values)
        return found[0] if found else None


_TAGGED: Final = "tags WHERE key = (SELECT id FROM keys WHERE name = ?) AND value = ?"


def words_of(text: str) -> str:
    """Return a search as SQLite has it: all words, or phrases in quotes; each of four letters or more may be the beginning of what is found."""
    found = re.findall(r'"([^"]*)"?|([^\s"]+)', text)
    words = [phrase or word for phrase, word in found if re.search(r"\w", phrase or word)]
    return " AND ".join(f'"{word}"{_continued(word)}' for word in words) or '""'


def _continued(word: str) -> str:
    """Return the mark of a beginning; short words of letters are whole ones, because almost all texts have some that begin so.

    A script without spaces has no words that SQLite knows: there any beginning will do.
    """
    return "" if len(word) < 4 and word.isascii() else "*"


def _listed(row: sqlite3.Row) -> dict[str, Any]:
    known = {name: row[name] for name in row.keys() if name not in ("number", "place")}  # noqa: SIM118
    return {**known, "models": json.loads(row["models"]), "providers": json.loads(row["providers"])}


def _detailed(row: sqlite3.Row, content: dict[str, str], logs: list[dict[str, Any]]) -> dict[str, Any]:
    known = {name: row[name] for name in row.keys() if name not in _DECODED}  # noqa: SIM118
    return {
        **known,
        "id": row["span"],
        "start": row["start"] // 1000,
        "duration": (row["end"] - row["start"]) // 1000,
        "messages": conversation(content),
        "tools": tools(content),
        "content": [{"name": name, "text": indented(content[name])} for name in _OTHER_CONTENT if name in content],
        "attributes": _shown(json.loads(row["attributes"])),
        "resource": _shown(json.loads(row["resource"])),
        "events": [
            {
                "name": event["name"],
                "time": event["time"] // 1000,
                "body": "",
                "attributes": _shown(event["attributes"]),
            }
            for event in json.loads(row["events"])
        ]
        + logs,
        "links": [{"trace": link["trace"], "span": link["span"]} for link in json.loads(row["links"])],
    }


_DECODED: Final = frozenset({"trace", "span", "attributes", "resource", "events", "links", "start", "end", "id"})
_OTHER_CONTENT: Final = (
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents",
)


def _shown(attributes: dict[str, Any]) -> list[list[str]]:
    """Return attributes in the order of their names, as texts: a script's numbers are too small for some."""
    return [[name, _text(attributes[name])] for name in sorted(attributes)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return indented(decoded(value)) if isinstance(value, (list, dict)) else json.dumps(value)
