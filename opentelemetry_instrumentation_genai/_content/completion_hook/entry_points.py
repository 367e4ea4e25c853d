"""Completion hooks by name: the entry points of the ecosystem's group."""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, NamedTuple

from ..._runtime.callables import checked, entry_point, name_of
from ..._runtime.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

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
    make: Callable[[], object]
    uploads: bool = False
    given: bool = False


def hook_of(value: object) -> Hook | None:
    """Return the hook that a setting names; None for `off`.

    Args:
        value: a callable, an object with `on_completion`, or the name of an entry point.

    Raises:
        RefusedError: it is none of these.
    """
    if isinstance(value, str):
        return None if value.strip().lower() == "off" else _named(value.strip())
    if isinstance(value, type):
        raise RefusedError("it is a class")
    if iscoroutinefunction(value):
        raise RefusedError("it is a coroutine function, which nobody would await")
    hook = value if hasattr(value, "on_completion") else checked(value)
    return Hook(name_of(hook), lambda: hook, given=True)


def _named(name: str) -> Hook:
    try:
        entry = entry_point(name, GROUP)
    except LookupError as error:
        hint = "; upload comes with opentelemetry-instrumentation-genai[upload]" if name == "upload" else ""
        raise RefusedError(f"installed are: {error}{hint}") from None
    return Hook(name, partial(_make, entry), entry.value.startswith("opentelemetry.util.genai."))


def _make(entry: EntryPoint) -> object:
    """Return a new hook. What fails is logged where the hook is loaded, with the type of the error."""
    return entry.load()()
