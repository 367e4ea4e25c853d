"""Patterns of hosts: which provider a host belongs to, and whether it is among those of a setting."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 256  # hosts that are remembered


class HostTable:
    """The providers of hosts, by patterns; a host that was looked up is remembered by its name.

    Args:
        rows: (pattern, provider) pairs, of which the first that fits counts; a pattern is HOST or HOST:PORT, in lower case, with
            `*` for anything.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self._rows = tuple(rows)
        self._known: dict[tuple[str, int], str | None] = {}

    def provider(self, host: str, port: int) -> str | None:
        """Return the provider of a server; None where no pattern fits.

        Args:
            host: of the server, IPv6 addresses without brackets.
            port: of the server.
        """
        if not self._rows:
            return None
        server = host, port
        if server not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[server] = self._look_up(host, port)
        return self._known.get(server)

    def _look_up(self, host: str, port: int) -> str | None:
        names = _names(host, port)
        return next((provider for pattern, provider in self._rows if _fits(pattern, names)), None)


def among(patterns: Iterable[str], host: str, port: int) -> bool:
    """Return whether any pattern matches; patterns, host and port as above."""
    names = _names(host, port)
    return any(_fits(pattern, names) for pattern in patterns)


def _names(host: str, port: int) -> tuple[str, ...]:
    host = host.lower()
    return host, f"{host}:{port}", f"[{host}]", f"[{host}]:{port}"


def _fits(pattern: str, names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern.replace("[", "[[]")) for name in names)
