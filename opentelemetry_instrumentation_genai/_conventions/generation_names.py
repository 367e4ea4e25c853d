"""The names of the generations of the conventions, apart from what they are: settings are read when nothing is recorded yet."""

from __future__ import annotations

from typing import Final

GENERATION_NAMES: Final = ("default", "gen_ai_latest_experimental", "gen_ai_latest_experimental/dup")
"""In ascending order of precedence."""
