"""Those that the suite runs for; a further one adds itself here, and nothing else changes."""

from __future__ import annotations

from contract.anthropic import ANTHROPIC
from contract.ollama import OLLAMA
from contract.openai import OPENAI

PROVIDERS = (OPENAI, ANTHROPIC, OLLAMA)
