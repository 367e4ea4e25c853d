"""Completion hooks by name: the entry points of the ecosystem's group."""

from __future__ import annotations

from functools import partial
from importlib.metadata import EntryPoint, entry_points
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = "opentelemetry_genai_completion_hook"
"""An entry point of it names a function without arguments that returns a hook."""


class Hook(NamedTuple):
    """A completion hook that a setting names.

    Attributes:
        name: what it is called in messages.
        make: what makes it, without arguments.
        uploads: whether it is the ecosystem's hook `upload`.
        given: whether a keyword has it, so that there is nothing to load.
    """

    name: str
    make: Callable[[], Any]
    uploads: bool = False
    given: bool = False


def hook_of(value: Any) -> Hook | None:
    """Return the hook that a setting names; None for `off`.

    Args:
        value: a callable, an object with `on_completion`, or the name of an entry point.

    Raises:
        LookupError: no entry point has that name.
        TypeError: it is none of these.
    """
    if isinstance(value, str):
        return None if value.strip().lower() == "off" else _named(value.strip())
    if isinstance(value, type):
        raise TypeError("it is a class")
    if not (callable(value) or hasattr(value, "on_completion")):
        raise TypeError("it cannot be called")
    if iscoroutinefunction(value):
        raise TypeError("it is a coroutine function, which nobody would await")
    return Hook(getattr(value, "__qualname__", type(value).__qualname__), lambda: value, given=True)


def _named(name: str) -> Hook:
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    for entry in found:
        if entry.name == name:
            return Hook(name, partial(_load, entry), entry.value.startswith("opentelemetry.util.genai."))
    installed = f"installed are: {', '.join(entry.name for entry in found) or 'none'}"
    if name == "upload":
        installed += "; upload comes with opentelemetry-instrumentation-genai[upload]"
    raise LookupError(installed)


def _load(entry: EntryPoint) -> Any:
    return entry.load()()
