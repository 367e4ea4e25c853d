"""The page about configuration has every setting, as the code has it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from opentelemetry_instrumentation_genai._settings.config import Config, default_of
from opentelemetry_instrumentation_genai._settings.readers import READERS
from opentelemetry_instrumentation_genai.cli.settings import meanings

# Defaults that are no value: what they name applies.
NOTHING = ("none", "by the capture mode", "content_budget")
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    """What makes the table."""
    return run_path(str(DOCS / "settings.py"))


def test_the_table_is_true(settings):
    """It is what `tox -e docs` would write."""
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")

    assert settings["page"](text) == text


def test_every_setting_is_described():
    """In the docstring of `Config`, which describes nothing else."""
    assert [field.name for field in fields(Config)] == list(meanings())


@pytest.mark.parametrize("name", READERS)
def test_defaults_are_what_they_say(name):
    """The default that the table has reads to what applies where nothing is given."""
    spelled = default_of(name)
    applies = getattr(Config(), name)

    assert not applies if spelled in NOTHING else applies == READERS[name].read(spelled)
