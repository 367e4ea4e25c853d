"""One-shot iterators in a body that the SDK reads only when it sends: to tell what is in them, lists are put in their places.

The caller's objects stay as they are, and what an iterator raises is raised to the SDK, after what came before it.
"""

from __future__ import annotations

import copy
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH = 16  # a block of a document's content in a tool's result is the twelfth level


def listed(options: Any) -> Any:
    """The options of a request, themselves or a copy whose body holds lists for iterators."""
    body, extra = options.json_data, options.extra_json
    copied = copy.copy(options)  # before anything is read: what was read has to be handed on
    # An iterator in the place of a whole body is the caller's mistake, which the SDK tells as what it is.
    told = body if _is_iterator(body) else _listed(body, _DEPTH)
    told_extra = extra if _is_iterator(extra) else _listed(extra, _DEPTH)
    if told is body and told_extra is extra:
        return options
    copied.json_data, copied.extra_json = told, told_extra
    return copied


def _listed(value: Any, depth: int) -> Any:
    """`value`, or a copy of it where an iterator is in it; models and files are never looked into."""
    if depth == 0:
        return value
    if type(value) is dict:
        changed = {name: told for name, held in value.items() if (told := _listed(held, depth - 1)) is not held}
        return {**value, **changed} if changed else value
    if type(value) is list:
        entries = [_listed(held, depth - 1) for held in value]
        return entries if any(told is not held for told, held in zip(entries, value, strict=True)) else value
    return _read(value, depth) if _is_iterator(value) else value


def _is_iterator(value: Any) -> bool:
    """Whether it is one, and no file. What cannot be asked is left to the SDK: to fail here would lose what was read before."""
    try:
        return hasattr(type(value), "__next__") and not hasattr(value, "read")
    except Exception:  # noqa: BLE001 - an object of the application can raise anything
        return False


def _read(iterator: Iterator[Any], depth: int) -> Any:
    entries: list[Any] = []
    try:
        for entry in iterator:
            entries.append(_listed(entry, depth - 1))  # noqa: PERF401 - those before an error count
    except Exception as error:  # noqa: BLE001 - raised again where the SDK would have met it
        return chain(entries, _Raising(error))
    return entries


class _Raising:
    """An iterator that raises at once."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        raise self._error
