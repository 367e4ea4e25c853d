"""The headers of the exporter, as OpenTelemetry reads them, and what is wrong with them. No text that is made here has a value of one."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.util.re import parse_env_headers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

READER = "opentelemetry.util.re"
"""The logger of the module that reads headers: it logs one that it cannot read as it is, with its value."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN = re.compile(r"[\x20-\x7e]*")
# A name with more digits than that may be a key that was given in place of one.
_NAME = re.compile(r"(?=(?:\D*\d){0,2}\D*\Z)[A-Za-z][\w.-]{0,39}", re.ASCII)


def parsed(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the headers of a variable, by name, and what is wrong with each entry that is left out.

    Args:
        text: the value of the variable.
    """
    headers: dict[str, str] = {}
    mistakes: list[str] = []
    for number, entry in enumerate(entries(text), 1):
        read = _read(entry)
        headers.update(read)
        if not read:
            mistakes.append(_mistake(entry, number))
    return headers, tuple(mistakes)


def entries(text: str) -> list[str]:
    """Return the entries of a variable, each of one header."""
    return [entry for each in text.split(",") if (entry := each.strip())]


def _read(entry: str) -> Mapping[str, str]:
    with _silent():
        return parse_env_headers(entry, liberal=True)


@contextmanager
def _silent() -> Generator[None, None, None]:
    logger = logging.getLogger(READER)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _mistake(entry: str, number: int) -> str:
    name, colon, _ = entry.partition(":")
    if colon and "=" not in name:
        return f"{_named(name.strip(), number)} has a colon where = has to be, and is left out"
    name, equals, _ = entry.partition("=")
    if not equals:
        return f"{_named('', number)} has no =, and is left out; a comma in a value is %2C"
    return f"{_named(name.strip(), number)} has a character that has to be written in percent, and is left out"


def _named(name: str, number: int) -> str:
    return name if _NAME.fullmatch(name) else f"number {number}"


def names(headers: Mapping[str, str]) -> str:
    """Return the names of headers in order, with `…` for what may be a key that was given in place of a name."""
    shown = {name if _NAME.fullmatch(name) and value.strip("= ") else "…" for name, value in headers.items()}
    return ", ".join(sorted(shown)) or "none"


def unsendable(headers: Mapping[str, str]) -> str:
    """Return what is wrong with the first header that cannot be sent; empty where each can."""
    return next(_unsendable(headers.items()), "")


def _unsendable(headers: Iterable[tuple[str, str]]) -> Generator[str, None, None]:
    for number, (name, value) in enumerate(headers, 1):
        if not _TOKEN.fullmatch(name):
            yield f"the name of {_named(name, number)} has a character that no name may have"
        elif not _PLAIN.fullmatch(value):
            yield f"the value of {_named(name, number)} has a line break or another character that no header may have"
