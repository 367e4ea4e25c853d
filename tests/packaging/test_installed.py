"""What the other tests run against: the installed wheel, and how OpenTelemetry reads its metadata."""

import os
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest
from opentelemetry.instrumentation import dependencies
from packaging.requirements import Requirement

import opentelemetry_instrumentation_genai

DISTRIBUTION = "opentelemetry-instrumentation-genai"


@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="outside tox the checkout may be what is meant")
def test_the_installed_package_is_tested():
    """Under tox the package comes from site-packages, not from the checkout."""
    assert "site-packages" in Path(opentelemetry_instrumentation_genai.__file__).parts


def test_version_is_that_of_the_distribution():
    """`__version__` is the version in the metadata."""
    assert distribution(DISTRIBUTION).version == opentelemetry_instrumentation_genai.__version__


def test_entry_points():
    """Each of our entry points has a name of its own, and loads."""
    found = [ep for ep in entry_points(group="opentelemetry_instrumentor") if ep.dist and ep.dist.name == DISTRIBUTION]

    assert {
        "genai": "GenAISettings",
        "genai_anthropic": "AnthropicInstrumentor",
        "genai_bedrock": "BedrockInstrumentor",
        "genai_cerebras": "CerebrasInstrumentor",
        "genai_claude_agent": "ClaudeAgentInstrumentor",
        "genai_fireworks": "FireworksInstrumentor",
        "genai_google_genai": "GoogleGenAIInstrumentor",
        "genai_groq": "GroqInstrumentor",
        "genai_letta": "LettaInstrumentor",
        "genai_llama_api": "LlamaApiInstrumentor",
        "genai_llama_stack": "LlamaStackInstrumentor",
        "genai_mcp": "McpInstrumentor",
        "genai_ollama": "OllamaInstrumentor",
        "genai_openai": "OpenAIInstrumentor",
        "genai_openai_agents": "OpenAIAgentsInstrumentor",
        "genai_perplexity": "PerplexityInstrumentor",
        "genai_portkey": "PortkeyInstrumentor",
        "genai_sambanova": "SambaNovaInstrumentor",
        "genai_together": "TogetherInstrumentor",
        "genai_writer": "WriterInstrumentor",
    } == {ep.name: ep.load().__name__ for ep in found}


@pytest.mark.parametrize("installed", ["openai", "anthropic", "ollama", "openai-agents", "groq", "mcp"])
def test_any_sdk_of_any_version_is_enough(monkeypatch, installed):
    """One SDK alone, whichever and however old, makes `opentelemetry-instrument` load the entry points."""
    monkeypatch.setattr(dependencies, "version", versions({installed: "0.0.1"}))

    assert None is dependencies.get_dist_dependency_conflicts(distribution(DISTRIBUTION))


def test_no_sdk_is_a_conflict(monkeypatch):
    """Without any SDK there is nothing to instrument, and `opentelemetry-instrument` gets the names of those that would do."""
    monkeypatch.setattr(dependencies, "version", versions({}))

    conflict = dependencies.get_dist_dependency_conflicts(distribution(DISTRIBUTION))

    assert None is conflict.required
    named = [Requirement(dep).name for dep in conflict.required_any]
    assert named == sorted(named)
    assert {"anthropic", "groq", "mcp", "ollama", "openai", "openai-agents", "together"} < {*named}


def versions(installed):
    """Stand in for `importlib.metadata.version` in an environment that has only `installed`."""

    def version(name):
        if name not in installed:
            raise dependencies.PackageNotFoundError(name)
        return installed[name]

    return version
