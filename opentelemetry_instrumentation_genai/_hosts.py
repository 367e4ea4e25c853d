"""Hosts by patterns: those that the user declared, and the public API hosts that are known."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def by_host(table: Iterable[tuple[str, str]], host: str, port: int) -> str | None:
    """The provider of the first pattern that fits.

    Args:
        table: (pattern, provider) pairs; a pattern is HOST or HOST:PORT, in lower case, with `*` for anything.
        host: of the server, IPv6 addresses without brackets.
        port: of the server.
    """
    names = _names(host, port)
    for pattern, provider in table:
        if _fits(pattern, names):
            return provider
    return None


def among(patterns: Iterable[str], host: str, port: int) -> bool:
    """Whether any pattern fits; patterns, host and port as above."""
    names = _names(host, port)
    return any(_fits(pattern, names) for pattern in patterns)


def _names(host: str, port: int) -> tuple[str, ...]:
    host = host.lower()
    return host, f"{host}:{port}", f"[{host}]", f"[{host}]:{port}"


def _fits(pattern: str, names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for name in names)
