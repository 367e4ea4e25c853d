"""A server of which neither its host nor the user says who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Signs(Protocol):
    """How servers of one API are known by what they say of themselves."""

    def unknown(self, client: Any, host: str, port: int, /) -> bool:
        """Whether nothing else tells who is behind a client."""
        ...

    @property
    def by_headers(self) -> Callable[[Any], str | None]:
        """Headers of a response -> the provider."""
        ...

    @property
    def by_response(self) -> Callable[[Any], str | None]:
        """Response -> the provider."""
        ...


class UnknownServer:
    """What a server has said of itself so far.

    Args:
        provider: what it is called until it does.
        signs: by what it can be known.

    Attributes:
        provider: what it is called at the start of a call.
    """

    __slots__ = ("_signs", "provider")

    def __init__(self, provider: str, signs: Signs) -> None:
        self.provider = provider
        self._signs = signs

    def by_headers(self, headers: Any) -> str | None:
        """The provider, if the headers of a response tell; it is remembered."""
        return self._named(self._signs.by_headers(headers))

    def by_response(self, response: Any) -> str | None:
        """The same, by the response itself."""
        return self._named(self._signs.by_response(response))

    def _named(self, provider: str | None) -> str | None:
        if provider is not None:
            self.provider = provider
        return provider
