"""Callables that settings give: as objects, as `MODULE:FUNCTION`, or by the names of entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

from .errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_CALLABLE = "it cannot be called"


def name_of(value: object) -> str:
    """Return the name of a callable, or of an object, in log messages."""
    name: str = getattr(value, "__qualname__", type(value).__qualname__)
    return name


def checked(value: object) -> Callable[..., object]:
    """Return the callable that a setting gives as an object.

    Raises:
        RefusedError: it cannot be called, or it is asynchronous.
    """
    if not callable(value):
        raise RefusedError(_NOT_CALLABLE)
    if iscoroutinefunction(value):
        raise RefusedError("it is asynchronous")
    function: Callable[..., object] = value
    return function


def entry_point(name: str, group: str | None = None) -> EntryPoint:
    """Return the entry point that a setting names. Nothing is imported.

    Args:
        name: the name of an entry point; without a group, `MODULE:FUNCTION`.
        group: the group of the entry point.

    Raises:
        LookupError: the group has no entry point of that name; the message is the list of the names that it has.
    """
    if group is None:
        return EntryPoint(name, name, "")
    found = sorted(entry_points(group=group), key=lambda entry: entry.name)
    for entry in found:
        if entry.name == name:
            return entry
    raise LookupError(", ".join(entry.name for entry in found) or "none")


def load(entry: EntryPoint) -> Callable[..., object]:
    """Return the callable of an entry point; its module is imported.

    Raises:
        RefusedError: there is no such callable; the message is the reason.
    """
    try:
        loaded = entry.load()
    except Exception as error:  # noqa: BLE001 - importing a module can raise anything
        raise RefusedError(type(error).__name__) from None
    if not callable(loaded):
        raise RefusedError(_NOT_CALLABLE)
    function: Callable[..., object] = loaded
    return function
