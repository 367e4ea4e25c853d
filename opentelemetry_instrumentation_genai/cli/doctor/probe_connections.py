"""Which hosts the user's program connects to, and by which library."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 50  # hosts
_DEEPEST = 64  # frames
# Libraries by which a program may call a model without an SDK that is instrumented.
_CLIENTS = ("httpx", "httpx2", "aiohttp", "requests", "urllib3", "urllib.request")


def connections(hosts: dict[str, str]) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook that keeps which hosts are looked up, and by which HTTP client.

    Args:
        hosts: where it keeps them, each with the name of its client.
    """

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo" and len(hosts) < _MOST:
            with suppress(Exception):
                host = arguments[0]
                hosts.setdefault(host.decode() if isinstance(host, bytes) else str(host), _client())

    return hook


def _client() -> str:
    """Return the HTTP client with code on the stack; empty where it is none, as where asyncio looks a name up in a thread of its own."""
    frame, found = sys._getframe(1), ""
    for _ in range(_DEEPEST):
        module = str(frame.f_globals.get("__name__"))
        found = next((name for name in _CLIENTS if module == name or module.startswith(f"{name}.")), found)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return found
