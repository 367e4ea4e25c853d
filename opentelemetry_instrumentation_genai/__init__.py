"""OpenTelemetry instrumentation of GenAI SDKs: every call becomes one truthful span, its metrics and its event.

Importing this package imports neither the SDK of a provider nor that of OpenTelemetry; the names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._conventions.scope import __version__

if TYPE_CHECKING:
    from ._application.capture_content import capture_content
    from ._application.genai_context import genai_context
    from ._operations.public import execute_tool, invoke_agent, invoke_workflow, retrieval, step
    from .anthropic import AnthropicInstrumentor
    from .ollama import OllamaInstrumentor
    from .openai import OpenAIInstrumentor

__all__ = [
    "AnthropicInstrumentor",
    "OllamaInstrumentor",
    "OpenAIInstrumentor",
    "__version__",
    "capture_content",
    "execute_tool",
    "genai_context",
    "invoke_agent",
    "invoke_workflow",
    "retrieval",
    "step",
]

_HOMES = {
    "AnthropicInstrumentor": ".anthropic",
    "OllamaInstrumentor": ".ollama",
    "OpenAIInstrumentor": ".openai",
    "capture_content": "._application.capture_content",
    "execute_tool": "._operations.public",
    "genai_context": "._application.genai_context",
    "invoke_agent": "._operations.public",
    "invoke_workflow": "._operations.public",
    "retrieval": "._operations.public",
    "step": "._operations.public",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
