"""Who answers a client: by what the user declared, by the host, by the client's class, and `openai` where nothing is known.

The clients are the SDK's own, with the base URL that their users have; their requests are led to the model server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from loopback import Json
from loopback.openai_bodies import CHAT, MODEL, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

PROVIDER = "gen_ai.provider.name"
HOSTS = {
    "https://api.openai.com/v1": "openai",
    "https://eu.api.openai.com/v1": "openai",
    "https://acme.openai.azure.com/openai/v1": "azure.ai.openai",
    "https://acme.openai.azure.us/openai/v1": "azure.ai.openai",
    "https://acme.cognitiveservices.azure.com/openai/v1": "azure.ai.openai",
    "https://acme.services.ai.azure.com/openai/v1": "azure.ai.openai",
    "https://acme.eastus.models.ai.azure.com/v1": "azure.ai.inference",
    "https://models.inference.ai.azure.com": "azure.ai.inference",
    "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1": "aws.bedrock",
    "https://bedrock-runtime-fips.us-east-1.amazonaws.com/openai/v1": "aws.bedrock",
    "https://bedrock-mantle.eu-central-1.api.aws/v1": "aws.bedrock",
    "https://generativelanguage.googleapis.com/v1beta/openai/": "gcp.gemini",
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi": "gcp.vertex_ai",
    "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi": "gcp.vertex_ai",
    "https://api.groq.com/openai/v1": "groq",
    "https://api.deepseek.com": "deepseek",
    "https://api.deepseek.com/beta": "deepseek",
    "https://api.mistral.ai/v1": "mistral_ai",
    "https://codestral.mistral.ai/v1": "mistral_ai",
    "https://api.x.ai/v1": "x_ai",
    "https://us-east-1.api.x.ai/v1": "x_ai",
    "https://api.perplexity.ai": "perplexity",
    "https://api.moonshot.ai/v1": "moonshot_ai",
    "https://api.moonshot.cn/v1": "moonshot_ai",
    "https://api.anthropic.com/v1/": "anthropic",
    "https://api.cohere.ai/compatibility/v1": "cohere",
    "https://us-south.ml.cloud.ibm.com/v1": "ibm.watsonx.ai",
    "https://openrouter.ai/api/v1": "openrouter",
    "https://api.together.xyz/v1": "together_ai",
    "https://api.fireworks.ai/inference/v1": "fireworks",
    "https://api.cerebras.ai/v1": "cerebras",
    "https://router.huggingface.co/v1": "huggingface",
    "https://integrate.api.nvidia.com/v1": "nvidia",
    "https://api.studio.nebius.com/v1/": "nebius",
    "https://api.tokenfactory.nebius.com/v1/": "nebius",
    "https://models.github.ai/inference": "github",
    "https://acme.cloud.databricks.com/serving-endpoints": "databricks",
    "https://adb-1.2.azuredatabricks.net/serving-endpoints": "databricks",
    "https://1.2.gcp.databricks.com/serving-endpoints": "databricks",
    "https://api.siliconflow.cn/v1": "siliconflow",
    "https://api.z.ai/api/paas/v4/": "z_ai",
    "https://open.bigmodel.cn/api/paas/v4/": "z_ai",
    "https://ai-gateway.vercel.sh/v1": "vercel",
    "https://api.cloudflare.com/client/v4/accounts/1/ai/v1": "cloudflare",
    "https://gateway.ai.cloudflare.com/v1/1/mine/compat": "cloudflare",
    "https://ollama.com/v1": "ollama",
    "https://inference.baseten.co/v1": "baseten",
    "https://ark.cn-beijing.volces.com/api/v3": "volcengine",
    "https://api.upstage.ai/v1": "upstage",
    "https://api.scaleway.ai/v1": "scaleway",
    "https://api.ai21.com/studio/v1": "ai21",
    "https://dashscope-intl.aliyuncs.com/compatible-mode/v1": "alibaba_cloud",
    # Nothing is known of these.
    "http://localhost:8000/v1": "openai",
    "http://127.0.0.1:11434/v1": "openai",
    "http://[::1]:8000/v1": "openai",
    "https://llm.example.com/v1": "openai",
    # These only look like somebody.
    "https://api.groq.com.example.com/v1": "openai",
    "https://api-groq.com/v1": "openai",
    "https://example.com/api.groq.com/v1": "openai",
    "https://evilopenai.azure.com/v1": "openai",
    "https://bedrock-runtime.example.com/v1": "openai",
    # These are written otherwise.
    "https://API.Groq.COM/openai/v1": "groq",
    "https://api.groq.com:443/openai/v1": "groq",
    "https://api.groq.com:8443/openai/v1": "groq",
    "https://user:password@api.groq.com/openai/v1": "groq",
}


def led_to(server) -> Callable[[Any], None]:
    """An event hook of an HTTP client that sends each request to the model server, whomever it is for."""

    def lead(request: Any) -> None:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)

    return lead


@pytest.fixture
def provider_of(server, telemetry) -> Callable[..., Any]:
    """The provider that a call of a client is recorded with, after the same is seen in the metrics."""

    def provider(client: Any, **settings: Any) -> Any:
        server.reply(Json(completion()))
        client._client.event_hooks = {"request": [led_to(server)]}
        OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
        client.chat.completions.create(**CHAT)
        (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
        assert telemetry.span.attributes[PROVIDER] == duration.attributes[PROVIDER]
        return telemetry.span.attributes[PROVIDER]

    return provider


@pytest.mark.parametrize("base_url", HOSTS)
def test_by_host(openai_client, provider_of, base_url):
    """Public providers are known by their hosts, whatever port and letters; hosts that only resemble are not."""
    assert HOSTS[base_url] == provider_of(openai_client(base_url=base_url))


@pytest.mark.parametrize(
    ("base_url", "server_address"),
    [
        ("https://api.openai.com/v1", ("api.openai.com", 443)),
        ("http://api.openai.com/v1", ("api.openai.com", 80)),
        ("https://api.openai.com:8443/v1", ("api.openai.com", 8443)),
        ("http://[::1]:8000/v1", ("::1", 8000)),
        ("https://user:password@llm.example.com/v1", ("llm.example.com", 443)),
        ("https://bücher.example/v1", ("bücher.example", 443)),
    ],
)
def test_the_server_s_address(openai_client, provider_of, telemetry, base_url, server_address):
    """Host and port as the client has them, the port of the scheme where it has none, and never who logs in there."""
    provider_of(openai_client(base_url=base_url))

    attributes = telemetry.span.attributes
    assert server_address == (attributes["server.address"], attributes["server.port"])
    assert "password" not in telemetry.span.to_json()


@pytest.mark.parametrize("endpoint", ["https://acme.openai.azure.com", "https://gateway.example.com"])
@pytest.mark.parametrize("settings", [{}, {"azure_deployment": "mine"}], ids=["", "deployment"])
def test_azure_s_client(openai_client, provider_of, telemetry, endpoint, settings):
    """Azure's client is Azure's also behind a gateway with a name that says nothing."""
    client = openai_client(
        openai.AzureOpenAI, base_url=None, azure_endpoint=endpoint, api_version="2024-10-21", **settings
    )

    assert "azure.ai.openai" == provider_of(client)
    assert f"chat {MODEL}" == telemetry.span.name


async def test_azure_s_asynchronous_client(server, telemetry, async_openai_client):
    """The same."""
    server.reply(Json(completion()))
    client = async_openai_client(
        openai.AsyncAzureOpenAI, base_url=None, azure_endpoint=server.url, api_version="2024-10-21"
    )
    OpenAIInstrumentor().instrument(**telemetry.providers)

    await client.chat.completions.create(**CHAT)

    assert "azure.ai.openai" == telemetry.span.attributes[PROVIDER]


def test_a_subclass_of_azure_s_client(openai_client, provider_of):
    """An application's own subclass is what it derives from."""

    class Mine(openai.AzureOpenAI):
        """One more."""

    client = openai_client(Mine, base_url=None, azure_endpoint="https://gateway.example.com", api_version="1")

    assert "azure.ai.openai" == provider_of(client)


@pytest.mark.skipif(not hasattr(openai, "BedrockOpenAI"), reason="this SDK has no client for Bedrock")
@pytest.mark.parametrize("settings", [{"aws_region": "us-west-2"}, {"base_url": "https://gateway.example.com/v1"}])
def test_bedrock_s_client(openai_client, provider_of, settings):
    """Bedrock's client, behind a gateway too."""
    given = {"base_url": None, "api_key": "none", **settings}

    assert "aws.bedrock" == provider_of(openai_client(openai.BedrockOpenAI, **given))


def test_bedrock_by_its_provider(openai_client, provider_of, server):
    """A client that was made for Bedrock by `provider=` is Bedrock's."""
    providers = pytest.importorskip("openai.providers.bedrock", reason="this SDK has no providers")
    made = providers.bedrock(region="us-west-2", api_key="none", base_url=f"{server.url}/v1")

    assert "aws.bedrock" == provider_of(openai_client(provider=made, base_url=None, api_key=None))


@pytest.mark.parametrize(
    ("base_url", "declared", "provider"),
    [
        ("http://localhost:8000/v1", "localhost:8000=vllm", "vllm"),
        ("http://localhost:8001/v1", "localhost:8000=vllm", "openai"),
        ("http://localhost:8000/v1", "localhost=vllm", "vllm"),
        ("http://gpu-3.llm.internal/v1", "*.llm.internal=litellm", "litellm"),
        ("http://llm.internal/v1", "*.llm.internal=litellm", "openai"),
        ("http://gpu-3.llm.internal:8080/v1", "*.llm.internal:8080=litellm", "litellm"),
        ("http://gpu-3.llm.internal/v1", "*.llm.internal:80=litellm", "litellm"),
        ("https://gpu-3.llm.internal/v1", "*.llm.internal:443=litellm", "litellm"),
        ("https://api.groq.com/openai/v1", "api.groq.com=my_proxy", "my_proxy"),
        ("http://GPU.internal/v1", "gpu.Internal=vllm", "vllm"),
        ("http://[::1]:8000/v1", "[::1]:8000=vllm", "vllm"),
        ("http://[::1]:8000/v1", "[::1]=vllm", "vllm"),
        ("http://[::1]:8000/v1", "::1=vllm", "vllm"),
    ],
)
def test_what_is_declared_wins(openai_client, provider_of, base_url, declared, provider):
    """What the user declares of a host, or of a host and port, comes before all that we know."""
    assert provider == provider_of(openai_client(base_url=base_url), host_providers=declared)


def test_what_is_declared_wins_over_the_class(openai_client, provider_of):
    """Over Azure's client as well."""
    client = openai_client(
        openai.AzureOpenAI, base_url=None, azure_endpoint="https://gateway.example.com", api_version="2024-10-21"
    )

    assert "litellm" == provider_of(client, host_providers="gateway.example.com=litellm")


def test_clients_side_by_side(server, telemetry, openai_client):
    """Each call is recorded with the provider of its own client, a copy with another base URL included."""
    server.reply_always(Json(completion()))
    first = openai_client(base_url=f"http://localhost:{server.port}/v1")
    OpenAIInstrumentor().instrument(**telemetry.providers, host_providers="localhost=vllm,127.0.0.1=litellm")

    for client in (first, first.with_options(base_url=f"{server.url}/v1"), first):
        client.chat.completions.create(**CHAT)

    assert ["vllm", "litellm", "vllm"] == [span.attributes[PROVIDER] for span in telemetry.spans]


def test_a_base_url_that_changes(server, telemetry, openai_client):
    """The URL counts that a client has when it is called."""
    server.reply_always(Json(completion()))
    client = openai_client()
    OpenAIInstrumentor().instrument(**telemetry.providers, host_providers="localhost=vllm")

    client.chat.completions.create(**CHAT)
    client.base_url = f"http://localhost:{server.port}/v1"
    client.chat.completions.create(**CHAT)

    assert ["openai", "vllm"] == [span.attributes[PROVIDER] for span in telemetry.spans]
