"""Other instrumentations of the SDKs, as small as they can be, which wrap what the real ones wrap, in the way that they do it.

Each is the source of a module with the name of a real one, since it is by the names of modules that they are known.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

_NAMES = {
    "openllmetry": "opentelemetry.instrumentation.openai",
    "openinference": "openinference.instrumentation.openai",
    "official": "opentelemetry.instrumentation.genai.openai",
    "vendor": "vendor.telemetry.openai",
    "unseen": "vendor.transport",
    "logfire": "logfire._internal.integrations.llm_providers.llm_provider",
    "langfuse": "langfuse.openai",
    "openllmetry_anthropic": "opentelemetry.instrumentation.anthropic",
    "openllmetry_ollama": "opentelemetry.instrumentation.ollama",
    "official_botocore": "opentelemetry.instrumentation.botocore",
    "by_callback": "vendor.callbacks",
    "openllmetry_mcp": "opentelemetry.instrumentation.mcp",
    "openinference_mcp": "openinference.instrumentation.mcp",
    "distro_mcp": "vendor.distro.mcp.instrumentation",
    "distro_mcp_wrappers": "vendor.distro.mcp._wrappers",
    "methods_mcp": "vendor.telemetry.mcp",
    "openinference_bedrock": "openinference.instrumentation.bedrock",
}


def source(which: str) -> Path:
    """The file of one of them."""
    return Path(__file__).parent / f"{which}.py"


def foreign(which: str) -> ModuleType:
    """Make the module of one of them."""
    module, path = ModuleType(_NAMES[which]), source(which)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    return module
