"""Patches that can be taken back exactly, from the middle of a chain too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import wrapt

from ._guard import say_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_Proxy = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)  # the root of wrapt's proxies is new in wrapt 2


class Patch(NamedTuple):
    """One wrapped method: its class, its name, our wrapper around it, and whether the class itself defined it."""

    owner: Any
    name: str
    handle: Any
    own: bool


def apply(module: ModuleType, target: str, wrapper: Callable[..., Any]) -> Patch:
    """Wrap a method.

    Args:
        module: where its class is.
        target: `Class.method`.
        wrapper: called with (wrapped, instance, args, kwargs).

    Returns:
        What `remove` takes.

    Raises:
        AttributeError: the module has no such method.
    """
    kind, _, name = target.partition(".")
    return apply_to(getattr(module, kind), name, wrapper)


def apply_to(owner: type, name: str, wrapper: Callable[..., Any]) -> Patch:
    """Wrap a method of a class; the same as `apply`, where the class is at hand."""
    own = name in vars(owner)
    handle = wrapt.wrap_function_wrapper(owner, name, wrapper)
    return Patch(owner, name, handle, own)


def remove(patch: Patch) -> None:
    """Take a patch back, and leave what others have put above or below it as it is.

    Where a wrapper above it is no wrapt proxy, ours cannot be cut out from below: it stays there, and is silent.
    """
    owner, name, handle, own = patch
    above, current = None, vars(owner).get(name)
    while current is not None and current is not handle:
        above, current = current, getattr(current, "__wrapped__", None)
    if current is None or not isinstance(above, (_Proxy, type(None))):
        say_once("%s.%s is wrapped by others too: our wrapper stays below theirs, silent.", owner.__qualname__, name)
    elif above is not None:
        above.__wrapped__ = handle.__wrapped__
    elif own:
        setattr(owner, name, handle.__wrapped__)
    else:
        delattr(owner, name)
