"""The servers that clients send their requests to, each looked up once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .unknown_servers import UnknownServer

_MOST = 256  # servers that are remembered


@dataclass(frozen=True, slots=True)
class Server:
    """The server of a call.

    Attributes:
        host: its name or address, IPv6 addresses without brackets.
        port: its port, that of the scheme where the URL has none.
        provider: `gen_ai.provider.name`.
        propagates: whether it receives the context of the trace in headers.
        unknown_server: what identifies its provider from its responses, if neither its host nor a setting does.
        url: the client's base URL.
        sure: whether the provider is known, and not only the default of the SDK.
    """

    host: str
    port: int
    provider: str
    propagates: bool
    unknown_server: UnknownServer | None = None
    url: str = ""
    sure: bool = True


class Servers:
    """The servers of clients, remembered by the client's URL, which never changes in itself.

    Args:
        provider: client, host and port -> the provider.
        propagates: client, host and port -> whether the server receives the context of the trace.
        unknown_server: client, host, port and provider -> what identifies its provider from its responses, if nothing else does.
        sure: client, host and port -> whether the provider is known, and not only a default.
    """

    def __init__(
        self,
        provider: Callable[[Any, str, int], str],
        propagates: Callable[[Any, str, int], bool],
        unknown_server: Callable[[Any, str, int, str], UnknownServer | None] = lambda *_server: None,
        sure: Callable[[Any, str, int], bool] = lambda *_server: True,
    ) -> None:
        self._provider = provider
        self._propagates = propagates
        self._unknown_server = unknown_server
        self._sure = sure
        self._known: dict[int, tuple[Any, type, Server]] = {}

    def of(self, client: Any, url: Any) -> Server:
        """Return the server of a client by its base URL, which is of httpx or alike."""
        known = self._known.get(id(url))
        if known is None or known[0] is not url or known[1] is not type(client):
            host, port = url.host, port_of(url)
            known_as = host, port, self._provider(client, host, port)
            propagates, unknown_server = self._propagates(client, host, port), self._unknown_server(client, *known_as)
            server = Server(*known_as, propagates, unknown_server, str(url), self._sure(client, host, port))
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[id(url)] = url, type(client), server
        return known[2]


def port_of(url: Any) -> int:
    """Return the port of a URL of httpx or alike, that of its scheme where it names none."""
    port: int = url.port or (80 if url.scheme in ("http", "ws") else 443)
    return port
