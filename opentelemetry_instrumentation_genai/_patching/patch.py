"""Patches that can be removed exactly, also from the middle of a chain of wrappers."""

from __future__ import annotations

from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import wrapt

from .._runtime.guard import guarded, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

Owner: TypeAlias = "type | ModuleType"
_Proxy = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)  # the root of wrapt's proxies is new in wrapt 2
_DEEPEST = 64
_REPAIRED = "%s.%s has been replaced by others, so that a call was not recorded. It is patched again: further calls are recorded."
_LEFT_OUT = "%s.%s has been replaced by others, so that its calls are not recorded. Replace it after instrument(), or not at all."


class Patch(NamedTuple):
    """One wrapped method: its class, its name, our wrapper around it, and whether the class itself defined it. A function has a module."""

    owner: Owner
    name: str
    handle: Any
    own: bool


class Patches:
    """The patches of one SDK, which are applied and removed together."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._patches: list[Patch] = []
        self._removed = False

    def apply(self, module: ModuleType, target: str, wrapper: Callable[..., object]) -> None:
        """Wrap a method of a class, and of the classes that inherit from it where they have a wrapper that leaves ours out; or a function.

        Others wrap the clients' classes, and some leave the SDK's bare method there when they are switched off.

        Args:
            module: where the class or the function is.
            target: `Class.method`, or the name of the function.
            wrapper: called with (wrapped, instance, args, kwargs).

        Raises:
            AttributeError: the module has no such method or function.
        """
        kind, _, name = target.partition(".")
        if not name:
            self.wrap(module, kind, wrapper)
            return
        owner = getattr(module, kind)
        bare = innermost(getattr(owner, name))
        self.wrap(owner, name, wrapper)
        for subclass in subclasses(owner):
            if name in vars(subclass) and innermost(vars(subclass)[name]) is bare:
                self.wrap(subclass, name, wrapper)

    def wrap(self, owner: Owner, name: str, wrapper: Callable[..., object]) -> None:
        """Wrap a method of one class, or a function of a module, unless the patches have been removed already.

        Args:
            owner: the class, or the module.
            name: the method, or the function.
            wrapper: as wrapt calls it.

        Raises:
            AttributeError: there is no such method or function.
        """
        with self._lock:
            if self._removed:
                return
            patch = _made(owner, name, wrapper)
            self._patches.append(patch)  # first: an interrupt may strike in between
            setattr(owner, name, patch.handle)

    def repair(self, instance: Any, name: str) -> None:
        """Patch a method again that others have replaced, so that a call bypassed our wrapper, and log that once.

        What an instance has of its own, and what does not show that it is around the SDK's method, is left alone, and that is logged.

        Args:
            instance: the object that the method was called of.
            name: the method, which is patched in one of the instance's classes.
        """
        with self._lock:
            patches = [patch for patch in self._patches if patch.name == name and _has(instance, patch.owner)]
        if not patches:
            return
        bare = [innermost(patch.handle) for patch in patches]
        for space in (instance, *type(instance).__mro__):
            method = vars(space).get(name)
            if method is None:
                continue
            if _calls(method, patches):
                return
            if space is instance:
                break
            if innermost(method) in bare:
                self.wrap(space, name, patches[0].handle._self_wrapper)
                warn_once(_REPAIRED, space.__qualname__, name)
                return
        warn_once(_LEFT_OUT, type(instance).__qualname__, name)

    def remove(self) -> None:
        """Remove all patches. A failure is logged, and the others are removed."""
        with self._lock:
            self._removed = True
            for patch in reversed(self._patches):
                remove(patch)
            self._patches.clear()


def _calls(method: object, patches: Iterable[Patch]) -> bool:
    """Return whether one of some patches is around a method, or is called by a bound method."""
    handles = [patch.handle for patch in patches]
    return any(
        layer is handle or getattr(layer, "_self_parent", None) is handle
        for layer in layers(method)
        for handle in handles
    )


def _has(instance: Any, owner: Owner) -> bool:
    return isinstance(owner, type) and isinstance(instance, owner)


def _called(owner: Owner) -> str:
    """Return the name of a class or a module, for a message."""
    return owner.__qualname__ if isinstance(owner, type) else owner.__name__


def _made(owner: Owner, name: str, wrapper: Callable[..., object]) -> Patch:
    kinds = owner.__mro__ if isinstance(owner, type) else (owner,)
    original = next((vars(kind)[name] for kind in kinds if name in vars(kind)), None)
    if original is None:
        raise AttributeError(f"{_called(owner)}.{name}")
    return Patch(owner, name, wrapt.FunctionWrapper(original, wrapper), name in vars(owner))


def apply_to(owner: type, name: str, wrapper: Callable[..., object]) -> Patch:
    """Wrap a method of a class.

    Args:
        owner: the class.
        name: the method.
        wrapper: called with (wrapped, instance, args, kwargs).

    Returns:
        What `remove` takes.

    Raises:
        AttributeError: the class has no such method.
    """
    patch = _made(owner, name, wrapper)
    setattr(owner, name, patch.handle)
    return patch


@guarded
def remove(patch: Patch) -> None:
    """Remove a patch, and leave what others have put above or below it as it is.

    Where a wrapper above it is no wrapt proxy, ours cannot be cut out from below: it stays there, and is silent.
    """
    owner, name, handle, own = patch
    above, current = None, vars(owner).get(name)
    while current is not None and current is not handle:
        above, current = current, getattr(current, "__wrapped__", None)
    if current is None and vars(owner).get(name) is (handle.__wrapped__ if own else None):
        return  # other code has restored what was there before our patch
    if current is None or not isinstance(above, (_Proxy, type(None))):
        warn_once(
            "%s.%s is wrapped by others too: our wrapper stays below theirs, and does nothing.",
            _called(owner),
            name,
        )
    elif above is not None:
        above.__wrapped__ = handle.__wrapped__
    elif own:
        setattr(owner, name, handle.__wrapped__)
    else:
        delattr(owner, name)


def layers(method: object) -> Iterator[object]:
    """Yield a method and all that it wraps, from the outside in, as far as wrappers refer to what they wrap."""
    for _ in range(_DEEPEST):
        if method is None:
            return
        yield method
        method = getattr(method, "__wrapped__", None) or getattr(method, "__func__", None)


def innermost(method: object) -> object:
    """Return the function that all wrappers of a method are around."""
    for layer in layers(method):
        method = layer
    return method


def origin(layer: Any) -> str:
    """Return the module of the code that runs first when a layer of a method is called.

    Args:
        layer: a function, or what replaces it. Wrappers copy the attributes of what they wrap, so their code is read.
    """
    code = layer._self_wrapper if isinstance(layer, _Proxy) and hasattr(layer, "_self_wrapper") else layer
    while isinstance(code, partial):
        code = code.func
    code = getattr(code, "__func__", code)
    module = getattr(code, "__globals__", {}).get("__name__", type(code).__module__)
    return module if isinstance(module, str) else ""


def subclasses(kind: type) -> Iterator[type]:
    """Yield all classes that inherit from a class."""
    subclass: type
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)
