"""Which provider answers a client of the `anthropic` SDK, in the conventions' words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.hosts import HostTable

if TYPE_CHECKING:
    from collections.abc import Sequence

# Hosts of others that speak this API, by their own documentation.
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
# Of SDKs that do not say it themselves.
_CLIENTS = {
    "BaseBedrockClient": "aws.bedrock",
    "BaseMantleClient": "aws.bedrock",
    "BaseVertexClient": "gcp.vertex_ai",
}


class Providers:
    """Names the provider behind a client and host.

    Args:
        declared: the user's (pattern, provider) pairs, which win over everything; a pattern is HOST or HOST:PORT with `*`.
    """

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self._declared = HostTable(declared)

    def __call__(self, client: Any, host: str, port: int) -> str:
        """The provider; what the SDK says of itself for a host that nothing is known of."""
        return self._declared.provider(host, port) or _HOSTS.provider(host, port) or _by_class(type(client))

    def sure(self, client: Any, host: str, port: int) -> bool:
        """Whether that is known: by the host, or by a client of one cloud, which are made for nothing else."""
        known = any(table.provider(host, port) for table in (self._declared, _HOSTS, _OWN_HOSTS))
        return known or any(base.__module__.startswith("anthropic.lib.") for base in type(client).__mro__)


def _by_class(kind: type) -> str:
    named = getattr(kind, "_gen_ai_provider_name", None)
    if isinstance(named, str):
        return named
    return next((_CLIENTS[base.__name__] for base in kind.__mro__ if base.__name__ in _CLIENTS), "anthropic")
