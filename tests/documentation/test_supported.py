"""The page of what is instrumented has every endpoint that is followed, as the code has it."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_is_true() -> None:
    """It is what `tox -e docs` would write."""
    text = (DOCS / "supported.md").read_text(encoding="utf-8")

    assert text == run_path(str(DOCS / "supported.py"))["page"](text)
