"""The provider behind a client of the `ollama` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._adapter.host_patterns import HostTable

if TYPE_CHECKING:
    from collections.abc import Sequence


class Providers:
    """Resolves the provider of a host.

    Args:
        declared: the user's (pattern, provider) pairs, which take precedence; a pattern is HOST or HOST:PORT with `*`.
    """

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self._declared = HostTable(declared)

    def __call__(self, _client: object, host: str, port: int) -> str:
        """Return the provider; `ollama` for a host that is not declared, including Ollama's cloud."""
        return self._declared.provider(host, port) or "ollama"
