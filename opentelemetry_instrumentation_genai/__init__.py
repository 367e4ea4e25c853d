"""OpenTelemetry instrumentation of GenAI SDKs: every call becomes one truthful span, its metrics and its event.

Importing this package imports neither the SDK of a provider nor that of OpenTelemetry; the names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ._conventions.scope import __version__

if TYPE_CHECKING:
    from ._application.capture_content import capture_content
    from ._application.genai_context import genai_context
    from ._operations.evaluation import CallReference, current_call, record_evaluation
    from ._operations.public import execute_tool, invoke_agent, invoke_workflow, retrieval, step
    from .anthropic import AnthropicInstrumentor
    from .frameworks.claude_agent import ClaudeAgentInstrumentor
    from .frameworks.mcp import McpInstrumentor
    from .frameworks.openai_agents import OpenAIAgentsInstrumentor
    from .ollama import OllamaInstrumentor
    from .openai import OpenAIInstrumentor
    from .sdks.bedrock import BedrockInstrumentor
    from .sdks.cerebras import CerebrasInstrumentor
    from .sdks.fireworks import FireworksInstrumentor
    from .sdks.google_genai import GoogleGenAIInstrumentor
    from .sdks.groq import GroqInstrumentor
    from .sdks.letta import LettaInstrumentor
    from .sdks.llama_api import LlamaApiInstrumentor
    from .sdks.llama_stack import LlamaStackInstrumentor
    from .sdks.perplexity import PerplexityInstrumentor
    from .sdks.portkey import PortkeyInstrumentor
    from .sdks.sambanova import SambaNovaInstrumentor
    from .sdks.together import TogetherInstrumentor
    from .sdks.writer import WriterInstrumentor

__all__ = [
    "AnthropicInstrumentor",
    "BedrockInstrumentor",
    "CallReference",
    "CerebrasInstrumentor",
    "ClaudeAgentInstrumentor",
    "FireworksInstrumentor",
    "GoogleGenAIInstrumentor",
    "GroqInstrumentor",
    "LettaInstrumentor",
    "LlamaApiInstrumentor",
    "LlamaStackInstrumentor",
    "McpInstrumentor",
    "OllamaInstrumentor",
    "OpenAIAgentsInstrumentor",
    "OpenAIInstrumentor",
    "PerplexityInstrumentor",
    "PortkeyInstrumentor",
    "SambaNovaInstrumentor",
    "TogetherInstrumentor",
    "WriterInstrumentor",
    "__version__",
    "capture_content",
    "current_call",
    "execute_tool",
    "genai_context",
    "instrument",
    "invoke_agent",
    "invoke_workflow",
    "record_evaluation",
    "retrieval",
    "step",
    "uninstrument",
]

_HOMES = {
    "AnthropicInstrumentor": ".anthropic",
    "BedrockInstrumentor": ".sdks.bedrock",
    "GoogleGenAIInstrumentor": ".sdks.google_genai",
    "McpInstrumentor": ".frameworks.mcp",
    "OllamaInstrumentor": ".ollama",
    "OpenAIInstrumentor": ".openai",
    "CerebrasInstrumentor": ".sdks.cerebras",
    "FireworksInstrumentor": ".sdks.fireworks",
    "GroqInstrumentor": ".sdks.groq",
    "LettaInstrumentor": ".sdks.letta",
    "LlamaApiInstrumentor": ".sdks.llama_api",
    "LlamaStackInstrumentor": ".sdks.llama_stack",
    "PerplexityInstrumentor": ".sdks.perplexity",
    "PortkeyInstrumentor": ".sdks.portkey",
    "SambaNovaInstrumentor": ".sdks.sambanova",
    "TogetherInstrumentor": ".sdks.together",
    "WriterInstrumentor": ".sdks.writer",
    "OpenAIAgentsInstrumentor": ".frameworks.openai_agents",
    "ClaudeAgentInstrumentor": ".frameworks.claude_agent",
    "capture_content": "._application.capture_content",
    "CallReference": "._operations.evaluation",
    "current_call": "._operations.evaluation",
    "record_evaluation": "._operations.evaluation",
    "execute_tool": "._operations.public",
    "genai_context": "._application.genai_context",
    "invoke_agent": "._operations.public",
    "invoke_workflow": "._operations.public",
    "retrieval": "._operations.public",
    "step": "._operations.public",
}


def instrument(**keywords: Any) -> None:
    """Instrument all SDKs that are installed. One that the process never imports is not loaded.

    Args:
        keywords: those of `instrument()` of the instrumentors: `tracer_provider`, `meter_provider`, `logger_provider`, and every setting.
    """
    for instrumentor in _installed():
        instrumentor.instrument(**keywords)


def uninstrument() -> None:
    """Restore the original methods of all SDKs."""
    for instrumentor in _installed():
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


def _installed() -> list[Any]:
    """Return the instrumentors of the SDKs that are installed."""
    instrumentors = (__getattr__(name)() for name in _HOMES if name.endswith("Instrumentor"))
    return [one for one in instrumentors if _is_installed(one.package or one.sdk)]


def _is_installed(package: str) -> bool:
    """Return whether a package is there. Of what stands above it only namespaces are imported, such as `google`."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # nothing above it is there
        return False


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
