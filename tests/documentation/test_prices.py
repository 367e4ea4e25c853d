"""The page of costs has every provider, with what it has prices by, as the code and the public list have it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from runpy import run_path

import pytest

from opentelemetry_instrumentation_genai._adapter.host_providers import _KNOWN
from opentelemetry_instrumentation_genai._cost.price_list import LISTED

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_is_true() -> None:
    """It is what `tox -e docs` would write."""
    text = (DOCS / "cost.md").read_text(encoding="utf-8")

    assert text == run_path(str(DOCS / "prices.py"))["page"](text)


def test_the_list_has_what_the_table_says() -> None:
    """The package has the providers that we know it by, and none of the others at their hosts, but for those that bill more."""
    data = pytest.importorskip("genai_prices.data")
    if version("genai-prices").startswith("0.1."):
        pytest.skip("this release does not have them all yet")
    patterns = {one.id: one.api_pattern.replace("\\", "") for one in data.providers}

    assert {*LISTED.values()} <= patterns.keys()
    others = {
        provider
        for host, provider in _KNOWN
        if provider not in LISTED and any(host.strip("*.") in pattern for pattern in patterns.values())
    }
    assert others == {"perplexity", *run_path(str(DOCS / "prices.py"))["BY_URL"]}
