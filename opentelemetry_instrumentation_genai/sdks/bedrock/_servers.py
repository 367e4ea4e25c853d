"""The servers that clients send their requests to, by the URLs of their endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..._adapter.client_servers import Server
from ..._adapter.host_patterns import HostTable

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 256  # servers that are remembered


class Servers:
    """The servers of clients, each looked up once.

    Args:
        declared: the user's (pattern, provider) pairs, which take precedence; a pattern is HOST or HOST:PORT with `*`.
    """

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self._declared = HostTable(declared)
        self._known: dict[str, Server] = {}

    def at(self, url: str) -> Server:
        """Return the server at the URL of an endpoint; its provider is `aws.bedrock` if it is not declared."""
        known = self._known.get(url)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[url] = self._server(url)
        return known

    def _server(self, url: str) -> Server:
        parsed = urlsplit(url)
        host, port = parsed.hostname or "", parsed.port or (80 if parsed.scheme == "http" else 443)
        return Server(host, port, self._declared.provider(host, port) or "aws.bedrock", propagates=False, url=url)
