"""Servers with a provider that neither the host nor a setting identifies: their responses do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Signs(Protocol):
    """How the providers of one API are identified from their responses."""

    def unknown(self, client: object, host: str, port: int, /) -> bool:
        """Return whether nothing else identifies the provider of a client."""
        ...

    @property
    def by_headers(self) -> Callable[[Any], str | None]:
        """Return a function: headers of a response -> the provider."""
        ...

    @property
    def by_response(self) -> Callable[[Any], str | None]:
        """Return a function: response -> the provider."""
        ...


class UnknownServer:
    """The provider of one server, as far as its responses have identified it.

    Args:
        provider: `gen_ai.provider.name` until a response identifies it.
        signs: what identifies the provider.

    Attributes:
        provider: `gen_ai.provider.name` at the start of a call.
    """

    __slots__ = ("_signs", "provider")

    def __init__(self, provider: str, signs: Signs) -> None:
        self.provider = provider
        self._signs = signs

    def by_headers(self, headers: Any) -> str | None:
        """Return the provider, if the headers of a response identify it, and remember it."""
        return self._named(self._signs.by_headers(headers))

    def by_response(self, response: Any) -> str | None:
        """Return the provider, if the response itself identifies it, and remember it."""
        return self._named(self._signs.by_response(response))

    def _named(self, provider: str | None) -> str | None:
        if provider is not None:
            self.provider = provider
        return provider
