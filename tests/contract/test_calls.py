"""Every operation, by every method that makes it, in every variant, sync and async, with and without content.

Here is nothing of any one provider: their rows are in `tests/support/contract`.
"""

from __future__ import annotations

from typing import Any

import pytest

from contract import VARIANTS, WAYS, Provider, Row, Variant, Way, differences, expected
from contract.providers import PROVIDERS
from contract.schemas import violations

CALLS = [
    pytest.param(provider, row, variant, id=f"{provider.name}-{row.id}-{variant.id}")
    for provider in PROVIDERS
    for row in provider.rows
    for variant in VARIANTS
    if variant.fits(row)
]
BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
CAPTURES = {"no_content": False, "span_and_event": True}


@BY_WAY
@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize(("provider", "row", "variant"), CALLS)
def test_a_call_stays_as_it_is_and_is_reported_once(
    caller: Any, *, provider: Provider, row: Row, variant: Variant, way: Way, capture: str
) -> None:
    """The application gets the same result, the server the same request, and telemetry says what the row says: no more.

    Content is valid by the JSON schemas of the conventions.
    """
    client = caller.clients(provider.clients[0], way)

    bare, made = caller.make_twice(provider, row, variant, client, way, capture_message_content=capture)

    assert bare.result == made.result
    assert bare.requests == made.requests
    assert {"spans": [], "metrics": {}, "events": []} == bare.snapshot
    constants = {"gen_ai.provider.name": provider.clients[0].provider, **provider.constants}
    assert [] == differences(expected(row, variant, constants, content=CAPTURES[capture]), made.snapshot)
    for recorded in (*made.snapshot["spans"], *made.snapshot["events"]):
        assert [] == violations(recorded["attributes"])


def test_every_variant_has_a_row() -> None:
    """No variant is without a row of each provider that has calls of its style, and no row without a variant."""
    for provider in PROVIDERS:
        styles = {row.style for row in provider.rows}
        variants = [variant for variant in VARIANTS if variant.style in styles]
        assert styles >= ({"call", "by hand", "helper"} if "call" in styles else {"generator"})
        assert [] == [variant.id for variant in variants if not any(map(variant.fits, provider.rows))]
        assert [] == [row.id for row in provider.rows if not any(variant.fits(row) for variant in VARIANTS)]


def test_no_two_rows_have_the_same_name() -> None:
    """What a test is called says which row it is about."""
    for provider in PROVIDERS:
        names = [row.id for row in provider.rows]
        assert sorted(set(names)) == sorted(names)
