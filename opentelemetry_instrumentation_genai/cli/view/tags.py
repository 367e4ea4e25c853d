"""Which trace has which value of an attribute, so that the list can be filtered by any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .records import clean

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from .summary import Summary

_LONGEST: Final = 200
_MOST_OF_A_LIST: Final = 20
_MOST_KNOWN: Final = 50_000

# Names that no attribute has: values under several names of the conventions, so that a filter is one look-up.
MODEL: Final = "\0model"
PROVIDER: Final = "\0provider"
OPERATION: Final = "\0operation"
_MODELS: Final = ("gen_ai.request.model", "gen_ai.response.model")

Pair = tuple[str, str]


def pairs(attributes: Mapping[str, Any], resource: Mapping[str, Any], short: Summary) -> set[Pair]:
    """Return the pairs of name and text of a span by which its trace can be found."""
    found = {*_pairs(resource), *_pairs(attributes)}
    models = {attributes.get(name) for name in _MODELS} | {short.model}
    named = [(MODEL, model) for model in models] + [(PROVIDER, short.provider), (OPERATION, short.operation)]
    found.update((name, value[:_LONGEST]) for name, value in named if isinstance(value, str) and value)
    return found


def as_text(value: Any) -> str | None:
    """Return a value as filters have it: `true`, `12`, `0.5`, a text unchanged; None for what is no single value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return value if isinstance(value, str) else None


def _pairs(attributes: Mapping[str, Any]) -> Iterator[Pair]:
    for name, value in attributes.items():
        for item in value[:_MOST_OF_A_LIST] if isinstance(value, list) else [value]:
            text = as_text(item)
            if text is not None and len(text) <= _LONGEST:
                yield clean(name), text


class Tags:
    """The tables `keys` and `tags`, as the writer of the store uses them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read nothing yet."""
        self._connection = connection
        self._keys: dict[str, int] = {}

    def add(self, trace: int, found: Iterable[Pair]) -> None:
        """Add pairs of a trace; those that it has stay."""
        rows = [(self._key(name), value, trace) for name, value in found]
        self._connection.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?, ?)", rows)

    def remove(self, trace: int, found: Iterable[Pair]) -> None:
        """Remove pairs of a trace."""
        rows = [(self._key(name), value, trace) for name, value in found]
        self._connection.executemany("DELETE FROM tags WHERE key = ? AND value = ? AND trace = ?", rows)

    def forget(self) -> None:
        """Read the numbers of names again: those of a batch that failed are not there."""
        self._keys.clear()

    def _key(self, name: str) -> int:
        key = self._keys.get(name)
        if key is None:
            if len(self._keys) >= _MOST_KNOWN:
                self._keys.clear()
            self._connection.execute("INSERT OR IGNORE INTO keys (name) VALUES (?)", (name,))
            (key,) = self._connection.execute("SELECT id FROM keys WHERE name = ?", (name,)).fetchone()
            self._keys[name] = key
        return key
