"""The SDKs that are instrumented."""

from __future__ import annotations

from typing import Final

SDKS: Final = frozenset(
    {
        "openai",
        "anthropic",
        "ollama",
        "cerebras",
        "fireworks",
        "groq",
        "letta_client",
        "llama_api_client",
        "llama_stack_client",
        "perplexity",
        "portkey_ai",
        "sambanova",
        "together",
        "writerai",
    }
)
"""The packages of the SDKs of model providers. Their objects are read by their fields."""
FRAMEWORKS: Final = ("openai_agents", "claude_agent")
"""What calls these SDKs, or a server of its own."""
INSTRUMENTED: Final = (
    "openai",
    "anthropic",
    "ollama",
    "bedrock",
    "cerebras",
    "fireworks",
    "groq",
    "letta",
    "llama_api",
    "llama_stack",
    "perplexity",
    "portkey",
    "sambanova",
    "together",
    "writer",
    "mcp",
    *FRAMEWORKS,
    "google_genai",
)
"""All that have an instrumentor of their own; the setting `enabled` names them."""
