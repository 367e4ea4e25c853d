"""Replacement of one-shot iterators in a body by lists, for SDKs that read the body only when they send it.

The caller's objects are not changed, and what an iterator raises is raised to the SDK, after the entries before it.
"""

from __future__ import annotations

import copy
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH = 16  # a block of a document's content in a tool's result is the twelfth level


def without_iterators(options: Any) -> Any:
    """Return the options of a request, or a copy with lists in place of the iterators in the body."""
    body, extra = options.json_data, options.extra_json
    copied = copy.copy(options)  # before anything is read: what was read must reach the SDK
    # An iterator in the place of a whole body is the caller's mistake, for which the SDK raises the right error.
    new_body = body if _is_iterator(body) else _with_lists(body, _DEPTH)
    new_extra = extra if _is_iterator(extra) else _with_lists(extra, _DEPTH)
    if new_body is body and new_extra is extra:
        return options
    copied.json_data, copied.extra_json = new_body, new_extra
    return copied


def _with_lists(value: Any, depth: int) -> Any:
    """Return `value`, or a copy of it if it contains an iterator; models and files are never searched."""
    if depth == 0:
        return value
    if type(value) is dict:
        changed = {name: entry for name, held in value.items() if (entry := _with_lists(held, depth - 1)) is not held}
        return {**value, **changed} if changed else value
    if type(value) is list:
        entries = [_with_lists(held, depth - 1) for held in value]
        return entries if any(entry is not held for entry, held in zip(entries, value, strict=True)) else value
    return _read(value, depth) if _is_iterator(value) else value


def _is_iterator(value: object) -> bool:
    """Return whether a value is an iterator and no file. One that raises is left to the SDK: failing here loses entries."""
    try:
        return hasattr(type(value), "__next__") and not hasattr(value, "read")
    except Exception:  # noqa: BLE001 - an object of the application can raise anything
        return False


def _read(iterator: Iterator[object], depth: int) -> Any:
    entries: list[object] = []
    try:
        for entry in iterator:
            entries.append(_with_lists(entry, depth - 1))  # noqa: PERF401 - those before an error count
    except Exception as error:  # noqa: BLE001 - raised again where the SDK would have met it
        return chain(entries, _Raising(error))
    return entries


class _Raising:
    """An iterator that raises at once."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        raise self._error
