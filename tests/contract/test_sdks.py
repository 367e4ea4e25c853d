"""Further SDKs of the Stainless family: their calls are followed as those of the SDKs whose API they have."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from contract import VARIANTS, WAYS, Provider, Row, Variant, Way, differences, expected
from contract.methods import covered, methods
from contract.sdks import INSTALLED

BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
BY_PROVIDER = pytest.mark.parametrize("provider", INSTALLED, ids=lambda provider: provider.name)
CALLS = [
    pytest.param(provider, row, variant, id=f"{provider.name}-{row.id}-{variant.id}")
    for provider in INSTALLED
    for row in provider.rows
    for variant in VARIANTS
    if variant.fits(row)
]
# The oldest have fewer methods and fewer arguments: what they have not is skipped above.
NEWEST = bool(INSTALLED) and find_spec("letta_client.resources.conversations") is not None
of_the_newest = pytest.mark.skipif(not NEWEST, reason="of the newest")
pytestmark = pytest.mark.skipif(not INSTALLED, reason="has an environment of its own, with these SDKs")


@BY_WAY
@pytest.mark.parametrize(("provider", "row", "variant"), CALLS)
def test_a_call_stays_as_it_is_and_is_reported_once(
    caller: Any, *, provider: Provider, row: Row, variant: Variant, way: Way
) -> None:
    """The application gets the same result, the server the same request, and telemetry says what the row says: no more."""
    client = caller.clients(provider.clients[0], way)

    bare, made = caller.make_twice(provider, row, variant, client, way, capture_message_content="span_and_event")

    assert bare.result == made.result
    assert bare.requests == made.requests
    assert {"spans": [], "metrics": {}, "events": []} == bare.snapshot
    constants = {"gen_ai.provider.name": provider.clients[0].provider, **provider.constants}
    assert [] == differences(expected(row, variant, constants, content=True), made.snapshot)


@of_the_newest
@BY_WAY
@BY_PROVIDER
def test_every_method_has_a_row_or_a_reason(clients: Any, provider: Provider, way: Way) -> None:
    """Of every resource of the installed SDK: a new one is noticed."""
    client = clients(provider.clients[0], way)
    rows = {row.method for row in provider.rows}
    found = methods(client, provider.resources)

    assert [] == [method for method in found if method not in rows and not covered(method, provider.not_followed)]


@of_the_newest
@BY_WAY
@BY_PROVIDER
def test_every_row_is_called(clients: Any, provider: Provider, way: Way) -> None:
    """The installed SDK has the method of each, with all of its arguments, so that no case above is skipped."""
    client = clients(provider.clients[0], way)

    assert [] == [
        missing
        for row in provider.rows
        for stream in (False, True)
        if row.reply(stream=stream) and (missing := row.missing(client, stream=stream))
    ]
