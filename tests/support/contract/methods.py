"""What an SDK has, by looking at it: its methods, and its client classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Members of every resource that are not methods of the API.
_VIEWS = ("with_raw_response", "with_streaming_response")


def methods(resource: Any, kinds: tuple[type, ...], prefix: str = "") -> Iterator[str]:
    """The public methods of a client or a resource and of all resources below, by their paths from the client on."""
    for name in sorted(_members(resource)):
        if name.startswith("_") or name in _VIEWS:
            continue
        value = getattr(resource, name)
        if isinstance(value, kinds):
            yield from methods(value, kinds, f"{prefix}{name}.")
        elif callable(value) and hasattr(type(resource), name):
            yield prefix + name


def _members(resource: Any) -> set[str]:
    """Resources are properties of the class, or in older SDKs members of the client itself."""
    return {*vars(resource), *dir(type(resource))}


def subclasses(kind: type) -> Iterator[type]:
    """A class and everything below it."""
    yield kind
    for subclass in kind.__subclasses__():
        yield from subclasses(subclass)


def covered(method: str, listed: Any) -> bool:
    """Whether a method is listed itself, or with a resource that it belongs to."""
    steps = method.split(".")
    return any(".".join(steps[:count]) in listed for count in range(1, len(steps) + 1))
