"""The provider behind a client of the `anthropic` SDK, as the conventions name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.host_patterns import HostTable

if TYPE_CHECKING:
    from collections.abc import Sequence

# Hosts of other providers that implement this API, by their own documentation.
_HOSTS = HostTable(
    (
        ("api.deepseek.com", "deepseek"),
        ("api.moonshot.ai", "moonshot_ai"),
        ("api.moonshot.cn", "moonshot_ai"),
        ("api.minimax.io", "minimax"),
        ("api.z.ai", "z_ai"),
        ("openrouter.ai", "openrouter"),
    )
)
_OWN_HOSTS = HostTable([("*.anthropic.com", "anthropic")])
# For SDK versions without `_gen_ai_provider_name`.
_CLIENTS = {
    "BaseBedrockClient": "aws.bedrock",
    "BaseMantleClient": "aws.bedrock",
    "BaseVertexClient": "gcp.vertex_ai",
}


class Providers:
    """Resolves the provider of a client and host.

    Args:
        declared: the user's (pattern, provider) pairs, which take precedence; a pattern is HOST or HOST:PORT with `*`.
    """

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self._declared = HostTable(declared)

    def __call__(self, client: Any, host: str, port: int) -> str:
        """Return the provider; for an unknown host, the one that the class of the client stands for."""
        return self._declared.provider(host, port) or _HOSTS.provider(host, port) or _by_class(type(client))

    def sure(self, client: Any, host: str, port: int) -> bool:
        """Return whether the provider is known: by the host, or by a client class that is specific to one cloud."""
        known = any(table.provider(host, port) for table in (self._declared, _HOSTS, _OWN_HOSTS))
        return known or any(base.__module__.startswith("anthropic.lib.") for base in type(client).__mro__)


def _by_class(kind: type) -> str:
    named = getattr(kind, "_gen_ai_provider_name", None)
    if isinstance(named, str):
        return named
    return next((_CLIENTS[base.__name__] for base in kind.__mro__ if base.__name__ in _CLIENTS), "anthropic")
