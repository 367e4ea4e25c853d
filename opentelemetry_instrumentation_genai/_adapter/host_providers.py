"""The providers of public servers, by their hosts, and of the clients of an SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .host_patterns import HostTable

if TYPE_CHECKING:
    from collections.abc import Sequence

# Public API hosts, by the providers' documentation. A provider missing from the conventions' enum has its plain name.
_KNOWN = (
    ("*.openai.azure.com", "azure.ai.openai"),
    ("*.openai.azure.us", "azure.ai.openai"),
    ("*.openai.azure.cn", "azure.ai.openai"),
    ("*.cognitiveservices.azure.com", "azure.ai.openai"),
    ("*.services.ai.azure.com", "azure.ai.openai"),  # Foundry
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
    ("api.letta.com", "letta"),
    ("api.llama.com", "meta"),
    ("api.minimax.io", "minimax"),
    ("api.minimaxi.com", "minimax"),
    ("api.studio.nebius.ai", "nebius"),
    ("api.studio.nebius.com", "nebius"),
    ("api.tokenfactory.nebius.com", "nebius"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("api.novita.ai", "novita"),
    ("ollama.com", "ollama"),
    ("openrouter.ai", "openrouter"),
    ("api.portkey.ai", "portkey"),
    ("api.sambanova.ai", "sambanova"),
    ("api.scaleway.ai", "scaleway"),
    ("api.siliconflow.cn", "siliconflow"),
    ("api.siliconflow.com", "siliconflow"),
    ("api.together.ai", "together_ai"),
    ("api.together.xyz", "together_ai"),
    ("api.upstage.ai", "upstage"),
    ("ai-gateway.vercel.sh", "vercel"),
    ("api.writer.com", "writer"),
    ("ark.*.volces.com", "volcengine"),
    ("api.z.ai", "z_ai"),
    ("open.bigmodel.cn", "z_ai"),
    ("dashscope*.aliyuncs.com", "alibaba_cloud"),
    ("*.openai.com", "openai"),
)
_HOSTS = HostTable(_KNOWN)
PROVIDERS: Final = frozenset(provider for _, provider in _KNOWN)
"""Those that are known by their hosts."""


class HostProviders:
    """Resolves the provider of a server, by its host.

    Args:
        declared: the user's (pattern, provider) pairs, which take precedence; a pattern is HOST or HOST:PORT with `*`.
        default: the provider where the host is not known: what the SDK stands for.
    """

    def __init__(self, declared: Sequence[tuple[str, str]], default: str) -> None:
        self._declared = HostTable(declared)
        self._default = default

    def __call__(self, _client: Any, host: str, port: int) -> str:
        """Return the provider of a client."""
        return self.known(host, port) or self._default

    def sure(self, _client: Any, host: str, port: int) -> bool:
        """Return whether the provider is known, and not only the default."""
        return self.known(host, port) is not None

    def known(self, host: str, port: int) -> str | None:
        """Return the provider that a host is known to belong to; None if it is not known."""
        return self._declared.provider(host, port) or _HOSTS.provider(host, port)
