"""The page of the design has the rooms that there are, in the order in which the linter holds them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = [pytest.mark.exhaustive, pytest.mark.pure]
ROOT = Path(__file__).parents[2]


def test_the_rooms() -> None:
    """Each line of the table is a layer of import-linter, with the same rooms."""
    configured = re.search(r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert configured is not None
    layers = [set(layer.split(" | ")) for layer in re.findall(r'"([^"]+)"', configured[1])]
    rows = re.findall(r"^\| \d+ \| ([^|]+) \|", (ROOT / "docs" / "design.md").read_text(), re.MULTILINE)

    assert layers == [set(re.findall(r"`(\w+)`", row)) for row in rows]
