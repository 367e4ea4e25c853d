"""The SDKs that are instrumented."""

from __future__ import annotations

from typing import Final

SDKS: Final = ("openai", "anthropic", "ollama")
"""The packages, each with an instrumentor of its own; the setting `enabled` names them."""
