"""The provider behind a client of the `openai` SDK, as the conventions name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.host_providers import HostProviders
from ._provider_by_response import by_headers, by_response

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLIENTS = {"BaseAzureClient": "azure.ai.openai", "BedrockOpenAI": "aws.bedrock", "AsyncBedrockOpenAI": "aws.bedrock"}
_RUNTIMES = {"bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai"}


class Providers:
    """Resolves the provider of a client and host.

    Args:
        declared: the user's (pattern, provider) pairs, which take precedence; a pattern is HOST or HOST:PORT with `*`.
    """

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self._hosts = HostProviders(declared, "openai")

    def __call__(self, client: Any, host: str, port: int) -> str:
        """Return the provider; `openai` for an unknown host."""
        return self._known(client, host, port) or "openai"

    def unknown(self, client: Any, host: str, port: int) -> bool:
        """Return whether the provider of a client is unknown until a response of the server identifies it."""
        return self._known(client, host, port) is None

    def sure(self, client: Any, host: str, port: int) -> bool:
        """Return whether the provider of a client is known before any response."""
        return not self.unknown(client, host, port)

    by_headers = staticmethod(by_headers)
    by_response = staticmethod(by_response)

    def _known(self, client: Any, host: str, port: int) -> str | None:
        return self._hosts.known(host, port) or _by_class(type(client)) or _by_runtime(client)


def _by_class(kind: type) -> str | None:
    return next((_CLIENTS[base.__name__] for base in kind.__mro__ if base.__name__ in _CLIENTS), None)


def _by_runtime(client: Any) -> str | None:
    """Return the provider that a client was created with: `OpenAI(provider=...)` of newer SDKs."""
    name = getattr(getattr(client, "_provider_runtime", None), "name", None)
    return _RUNTIMES.get(name or "")
