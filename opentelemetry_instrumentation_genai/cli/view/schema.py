"""The tables of the store, and how a file of it is opened."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_APPLICATION: Final = 0x67656E41  # marks a file as one of ours
_VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE traces (
  id INTEGER PRIMARY KEY, trace TEXT NOT NULL UNIQUE, start INTEGER NOT NULL, end INTEGER NOT NULL,
  rooted INTEGER NOT NULL, named_start INTEGER NOT NULL, name TEXT NOT NULL, service TEXT NOT NULL,
  conversation TEXT NOT NULL, spans INTEGER NOT NULL, logs INTEGER NOT NULL, calls INTEGER NOT NULL,
  errors INTEGER NOT NULL, input_tokens INTEGER, output_tokens INTEGER, cost REAL,
  models TEXT NOT NULL, providers TEXT NOT NULL, message TEXT NOT NULL, message_start INTEGER NOT NULL,
  bytes INTEGER NOT NULL, updated INTEGER NOT NULL
);
CREATE INDEX traces_by_start ON traces (start DESC, id DESC) WHERE spans > 0;
CREATE INDEX traces_with_calls ON traces (start DESC, id DESC) WHERE calls > 0;
CREATE INDEX traces_failed ON traces (start DESC, id DESC) WHERE calls > 0 AND errors > 0;
CREATE INDEX traces_by_conversation ON traces (conversation, start) WHERE conversation <> '';
CREATE INDEX traces_by_update ON traces (updated);

CREATE TABLE spans (
  id INTEGER PRIMARY KEY, trace INTEGER NOT NULL, span TEXT NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL,
  kind TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, failed INTEGER NOT NULL, status TEXT NOT NULL,
  scope TEXT NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, written_tokens INTEGER, reasoning_tokens INTEGER,
  cost REAL, first_chunk REAL, finish_reasons TEXT NOT NULL, error TEXT NOT NULL, conversation TEXT NOT NULL,
  attributes TEXT NOT NULL, resource TEXT NOT NULL, events TEXT NOT NULL, links TEXT NOT NULL,
  UNIQUE (trace, span)
);
-- Spans below which another one reports what they would count once more: the tokens of an agent are those of its calls.
CREATE TABLE counted_below (
  trace INTEGER NOT NULL, span TEXT NOT NULL, amount TEXT NOT NULL, PRIMARY KEY (trace, span, amount)
) WITHOUT ROWID;
CREATE TABLE logs (
  id INTEGER PRIMARY KEY, trace INTEGER NOT NULL, span TEXT NOT NULL, time INTEGER NOT NULL, event TEXT NOT NULL,
  severity TEXT NOT NULL, body TEXT NOT NULL, scope TEXT NOT NULL, attributes TEXT NOT NULL
);
CREATE INDEX logs_by_span ON logs (trace, span);
CREATE TABLE contents (
  id INTEGER PRIMARY KEY, trace INTEGER NOT NULL, span TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  UNIQUE (trace, span, name)
);
CREATE TABLE keys (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE tags (
  key INTEGER NOT NULL, value TEXT NOT NULL, trace INTEGER NOT NULL, PRIMARY KEY (key, value, trace)
) WITHOUT ROWID;
CREATE TABLE documents (id INTEGER PRIMARY KEY, trace INTEGER NOT NULL);
CREATE INDEX documents_by_trace ON documents (trace);
CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2');
"""
# Of an order of the list: what is not known comes last. An older file gets them when it is opened.
ORDERS: Final = {
    "start": "traces.start",
    "duration": "traces.end - traces.start",
    "tokens": "ifnull(traces.input_tokens, 0) + ifnull(traces.output_tokens, 0)",
    "cost": "ifnull(traces.cost, -1)",
}
_INDEXES: Final = "".join(
    f"CREATE INDEX IF NOT EXISTS traces_by_{name} ON traces (({value.replace('traces.', '')}) DESC, id DESC) WHERE spans > 0;\n"
    for name, value in ORDERS.items()
    if name != "start"
)


class NoStoreError(Exception):
    """The file is none of the store's; the message is one sentence for a user."""


def writer(path: Path, *, lasting: bool) -> sqlite3.Connection:
    """Open a file for writing, and make its tables if it is new.

    Args:
        path: of the file, which is made for its owner alone.
        lasting: whether it has to survive a crash of the machine.

    Raises:
        NoStoreError: it is another program's file, or one of another version, or cannot be opened.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = _opened(path)
        try:
            _prepare(connection, path)
            connection.executescript(_INDEXES)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if lasting else 'OFF'}")
            connection.execute("PRAGMA cache_size = -16384")
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise NoStoreError(f"{path} cannot be used: {error}. Name another file with --db.") from error
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """Open a file for reading, beside its writer."""
    connection = _opened(path)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -16384")
    return connection


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables == 0:
        connection.executescript(
            f"BEGIN; {_TABLES} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION}; COMMIT;"
        )
    elif application != _APPLICATION:
        raise NoStoreError(f"{path} is a database of another program. Name another file with --db.")
    elif version != _VERSION:
        raise NoStoreError(f"{path} was made by another version of this command. Name another file with --db.")
