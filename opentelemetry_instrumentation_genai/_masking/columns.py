"""Secrets in columns of tables, recognised by the column's header: in Markdown, in the output of databases and in CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .secret_names import kind_of, names
from .secret_values import Value, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .secret_names import Kind

_RULER = frozenset("|-:+= \t\r")
_DIVIDERS = "|\t;,"
_FRAME = " \t`*\"'\r"  # characters around a cell that do not belong to it
_LONGEST_HEADER = 1024
_MOST_COLUMNS = 64


def columns(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of secrets in a decoded text that the header of their column names."""
    end = 0
    for name in names(text):
        start = text.rfind("\n", max(name.start - _LONGEST_HEADER, 0), name.start) + 1
        stop = text.find("\n", name.end, name.end + _LONGEST_HEADER)
        if start >= end and stop >= 0 and name.start - start <= _LONGEST_HEADER:
            header = text[start:stop]
            divider = next((each for each in _DIVIDERS if each in header), "")
            named = _named(header, divider) if divider else {}
            end = stop
            if named:
                for place, line in _rows(text, stop + 1, divider, header.count(divider)):
                    yield from _cells(line, place, divider, named)
                    end = place + len(line)


def _named(line: str, divider: str) -> dict[int, Kind]:
    """Return the columns with the name of a secret in their header; none if a cell of the header is not a name."""
    cells = [cell.strip(_FRAME) for cell in line.split(divider, _MOST_COLUMNS)]
    if divider != "|" and not all(cell.replace("_", "").replace("-", "").replace(" ", "").isalnum() for cell in cells):
        return {}
    kinds = {number: kind_of(cell) for number, cell in enumerate(cells) if cell and len(cell) <= 40}
    return {number: kind for number, kind in kinds.items() if kind is not None}


def _rows(text: str, place: int, divider: str, count: int) -> Iterator[tuple[int, str]]:
    """Yield the lines below a header with the same number of cells, each with its position."""
    while place < len(text):
        stop = text.find("\n", place)
        line = text[place : len(text) if stop < 0 else stop]
        if not _RULER.issuperset(line):
            if line.count(divider) != count:
                return
            yield place, line
        place += len(line) + 1


def _cells(line: str, place: int, divider: str, named: dict[int, Kind]) -> Iterator[tuple[int, int]]:
    for number, cell in enumerate(line.split(divider, _MOST_COLUMNS)):
        kind = named.get(number)
        value = cell.strip(_FRAME)
        if kind is not None and value and is_secret(Value(value[:512], quoted=True), kind):
            start = place + cell.index(value)
            yield start, start + len(value)
        place += len(cell) + 1
