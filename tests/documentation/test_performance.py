"""The page of what it costs has what was counted, with the versions of the other page that compares packages."""

from __future__ import annotations

import json
from pathlib import Path
from runpy import run_path

import pytest

pytestmark = [pytest.mark.exhaustive, pytest.mark.pure]
DOCS = Path(__file__).parents[2] / "docs"
COUNTED = json.loads((DOCS / "counted.json").read_text(encoding="utf-8"))


def test_the_table_is_what_was_counted() -> None:
    """It is what `tox -e docs` would write."""
    text = (DOCS / "performance.md").read_text(encoding="utf-8")

    assert text == run_path(str(DOCS / "performance.py"))["page"](text, COUNTED)


def test_the_counts() -> None:
    """Each package has all workloads and adds something to each; the one in another setting has some."""
    for name, one in COUNTED["packages"].items():
        assert one["counted"].keys() == COUNTED["bare"].keys() or (
            " " in name and one["counted"].keys() < COUNTED["bare"].keys()
        )
        assert all(number > COUNTED["bare"][workload] for workload, number in one["counted"].items())
    assert "ours" in COUNTED["packages"]


def test_the_versions() -> None:
    """They are those with which the names were observed."""
    observed = json.loads((DOCS / "observed.json").read_text(encoding="utf-8"))

    assert observed["sdks"] == COUNTED["sdks"]
    for name, one in COUNTED["packages"].items():
        assert one["versions"] == observed["packages"][name.partition(" ")[0]]["versions"]
