"""The base URLs of clients, as the table of servers reads them. The SDK has them as texts."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

_MOST = 256  # URLs that are remembered


class BaseUrl(NamedTuple):
    """A base URL.

    Attributes:
        host: its host, IPv6 addresses without brackets.
        port: its port; None where it names none.
        scheme: `https` or `http`.
        text: all of it.
    """

    host: str
    port: int | None
    scheme: str
    text: str

    def __str__(self) -> str:
        """Return the URL."""
        return self.text


class BaseUrls:
    """Parses base URLs, each once for the clients of each API: the same text is always the same object."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Any], BaseUrl] = {}

    def of(self, text: object, api: object) -> BaseUrl:
        """Return a base URL.

        Args:
            text: as the SDK has it.
            api: the API that the client speaks: its provider may depend on that.
        """
        key = str(text or ""), api
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[key] = _parsed(key[0])
        return known


def _parsed(text: str) -> BaseUrl:
    try:
        parts = urlsplit(text)
        return BaseUrl(parts.hostname or "", parts.port, parts.scheme, text)
    except ValueError:  # no port, or no address: the SDK raises that itself
        return BaseUrl("", None, "", text)
