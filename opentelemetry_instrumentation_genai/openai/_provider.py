"""The provider behind a client of the `openai` SDK, as the conventions name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.host_patterns import HostTable
from ._provider_by_response import by_headers, by_response

if TYPE_CHECKING:
    from collections.abc import Sequence

# Public API hosts, by the providers' documentation. A provider missing from the conventions' enum has its plain name.
_HOSTS = HostTable(
    (
        ("*.openai.azure.com", "azure.ai.openai"),
        ("*.openai.azure.us", "azure.ai.openai"),
        ("*.openai.azure.cn", "azure.ai.openai"),
        ("*.cognitiveservices.azure.com", "azure.ai.openai"),
        ("*.services.ai.azure.com", "azure.ai.openai"),  # Foundry; this SDK calls its OpenAI endpoint
        ("*.models.ai.azure.com", "azure.ai.inference"),
        ("models.inference.ai.azure.com", "azure.ai.inference"),
        ("bedrock-*.amazonaws.com", "aws.bedrock"),
        ("bedrock-*.amazonaws.com.cn", "aws.bedrock"),
        ("bedrock-*.api.aws", "aws.bedrock"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("*-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("aiplatform.*.rep.googleapis.com", "gcp.vertex_ai"),
        ("api.anthropic.com", "anthropic"),
        ("api.cohere.ai", "cohere"),
        ("api.cohere.com", "cohere"),
        ("api.deepseek.com", "deepseek"),
        ("api.groq.com", "groq"),
        ("*.ml.cloud.ibm.com", "ibm.watsonx.ai"),
        ("api.mistral.ai", "mistral_ai"),
        ("codestral.mistral.ai", "mistral_ai"),
        ("api.moonshot.ai", "moonshot_ai"),
        ("api.moonshot.cn", "moonshot_ai"),
        ("api.perplexity.ai", "perplexity"),
        ("api.x.ai", "x_ai"),
        ("*.api.x.ai", "x_ai"),
        ("api.ai21.com", "ai21"),
        ("inference.baseten.co", "baseten"),
        ("api.cerebras.ai", "cerebras"),
        ("api.cloudflare.com", "cloudflare"),
        ("gateway.ai.cloudflare.com", "cloudflare"),
        ("*.cloud.databricks.com", "databricks"),
        ("*.gcp.databricks.com", "databricks"),
        ("*.azuredatabricks.net", "databricks"),
        ("api.deepinfra.com", "deepinfra"),
        ("api.fireworks.ai", "fireworks"),
        ("models.github.ai", "github"),
        ("router.huggingface.co", "huggingface"),
        ("api.hyperbolic.xyz", "hyperbolic"),
        ("api.minimax.io", "minimax"),
        ("api.minimaxi.com", "minimax"),
        ("api.studio.nebius.ai", "nebius"),
        ("api.studio.nebius.com", "nebius"),
        ("api.tokenfactory.nebius.com", "nebius"),
        ("integrate.api.nvidia.com", "nvidia"),
        ("api.novita.ai", "novita"),
        ("ollama.com", "ollama"),
        ("openrouter.ai", "openrouter"),
        ("api.sambanova.ai", "sambanova"),
        ("api.scaleway.ai", "scaleway"),
        ("api.siliconflow.cn", "siliconflow"),
        ("api.siliconflow.com", "siliconflow"),
        ("api.together.ai", "together_ai"),
        ("api.together.xyz", "together_ai"),
        ("api.upstage.ai", "upstage"),
        ("ai-gateway.vercel.sh", "vercel"),
        ("ark.*.volces.com", "volcengine"),
        ("api.z.ai", "z_ai"),
        ("open.bigmodel.cn", "z_ai"),
        ("dashscope*.aliyuncs.com", "alibaba_cloud"),
        ("*.openai.com", "openai"),
    )
)
_CLIENTS = {"BaseAzureClient": "azure.ai.openai", "BedrockOpenAI": "aws.bedrock", "AsyncBedrockOpenAI": "aws.bedrock"}
_RUNTIMES = {"bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai"}


class Providers:
    """Resolves the provider of a client and host.

    Args:
        declared: the user's (pattern, provider) pairs, which take precedence; a pattern is HOST or HOST:PORT with `*`.
    """

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self._declared = HostTable(declared)

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
        return (
            self._declared.provider(host, port)
            or _HOSTS.provider(host, port)
            or _by_class(type(client))
            or _by_runtime(client)
        )


def _by_class(kind: type) -> str | None:
    return next((_CLIENTS[base.__name__] for base in kind.__mro__ if base.__name__ in _CLIENTS), None)


def _by_runtime(client: Any) -> str | None:
    """Return the provider that a client was created with: `OpenAI(provider=...)` of newer SDKs."""
    name = getattr(getattr(client, "_provider_runtime", None), "name", None)
    return _RUNTIMES.get(name or "")
