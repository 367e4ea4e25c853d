"""A proxy that replaces another object, and cannot be distinguished from it by its attributes."""

from __future__ import annotations

from typing import Any

own = object.__getattribute__
"""A proxy, and the name of an attribute of its own -> that attribute, without a check which object has it: for frequent calls."""


class Proxy:
    """Answers `isinstance`, `hasattr`, `dir`, `repr` and `copy` as its source does, and has only the methods of its source.

    Of the proxy is only what begins with `_self_`, and the methods that a subclass has in place of the source's. Its class has no
    others, because an abstract base class such as `Sized` looks for its methods there.

    Args:
        source: what it stands for.
    """

    __slots__ = ("__weakref__", "_self_source")

    _self_source: Any
    _self_methods: frozenset[str] = frozenset()
    """The methods that a subclass has in place of the source's."""

    def __init__(self, source: Any) -> None:
        self._self_source = source

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_self_") or name in own(self, "_self_methods"):
            return own(self, name)
        return getattr(own(self, "_self_source"), name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_self_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._self_source, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._self_source, name)

    def __dir__(self) -> list[str]:
        return dir(self._self_source)

    def __repr__(self) -> str:
        return repr(self._self_source)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._self_source.__reduce_ex__(protocol)
