"""The SDKs that are instrumented."""

from __future__ import annotations

from typing import Final

SDKS: Final = ("openai", "anthropic", "ollama")
"""The packages of the SDKs of model providers. Their objects are read by their fields."""
INSTRUMENTED: Final = SDKS
"""All that have an instrumentor of their own; the setting `enabled` names them."""
