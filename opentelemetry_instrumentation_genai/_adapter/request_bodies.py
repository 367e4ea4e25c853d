"""Reading of request bodies, in which callers may put any object: one that raises costs only its own part of the telemetry.

An object of the caller's can raise at any access. That is not checked in advance: bodies are read as they are, and only if that
fails, a copy without what is neither JSON nor a model is made and read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .parts import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


def mapping(value: Any) -> Mapping[Any, Any]:
    """Return a mapping of the caller as a dict; an empty one if it is no mapping, or raises."""
    kind = type(value)
    if kind is dict:
        held: dict[Any, Any] = value
        return held
    if not issubclass(kind, Mapping):
        return {}
    try:
        return dict(value)
    except Exception:  # noqa: BLE001 - the caller's own object raised; the SDK raises that to the caller
        return {}


def reading(read: Callable[[Any], _T], body: Any) -> _T:
    """Return what is read of a body.

    Args:
        read: body -> what is read of it.
        body: the request's.

    Raises:
        Exception: `read` failed, and nothing in the body is to blame for it.
    """
    try:
        return read(body)
    except Exception:
        plain, changed = harmless(body)
        if not changed:
            raise
        return read(plain)
