"""Every way to get a client: each class that the SDK has, its module, copies, an HTTP client or a subclass of one's own."""

from __future__ import annotations

from typing import Any

import pytest

from contract import VARIANTS, Client, Provider, Row, Variant, Way, differences, expected
from contract.methods import subclasses
from contract.providers import PROVIDERS

# As many as tell whether a client reaches what is patched: what is read how, `test_calls` has in full.
READ = ("plain", "stream", "raw", "raw-stream", "streaming-parse", "streaming-iter_lines-stream", "helper", "by-hand")
READ += ("generator-plain", "generator")
CALLS = [
    pytest.param(
        provider, client, row, variant, way, id=f"{provider.name}-{client.id}-{row.id}-{variant.id}-{way.name}"
    )
    for provider in PROVIDERS
    for client in provider.clients[1:]
    for row in provider.rows
    if row.id in provider.samples and row.id not in client.without
    for variant in VARIANTS
    if variant.id in READ and variant.id not in client.blind and variant.fits(row)
    for way in client.ways
]
CLASSES = [
    pytest.param(provider, client, way, id=f"{provider.name}-{client.id}-{way.name}")
    for provider in PROVIDERS
    for client in provider.clients
    for way in client.ways
]


@pytest.mark.parametrize(("provider", "client", "row", "variant", "way"), CALLS)
def test_a_call_of_any_client_stays_as_it_is_and_is_reported_once(
    caller: Any, *, provider: Provider, client: Client, row: Row, variant: Variant, way: Way
) -> None:
    """The same result, the same request, and one span with its metrics and event, under the name of the client's provider."""
    made_by = caller.clients(client, way)

    bare, made = caller.make_twice(
        provider, row, variant, made_by, way, answers=client.answers, capture_message_content="span_and_event"
    )

    assert bare.result == made.result
    assert bare.requests == made.requests
    constants = {"gen_ai.provider.name": client.provider, **provider.constants}
    assert [] == differences(expected(row, variant, constants, content=True), made.snapshot)


@pytest.mark.parametrize(("provider", "client", "way"), CLASSES)
def test_a_client_made_after_instrumenting_is_followed(
    caller: Any, provider: Provider, client: Client, way: Way
) -> None:
    """It is all the same whether a client or the instrumentation was first."""
    row = provider.rows[0]
    variant = next(variant for variant in VARIANTS if variant.fits(row))
    provider.instrumentor().instrument(**caller.telemetry.providers)

    caller.make(row, variant, caller.new(client, way), way)

    assert client.provider == caller.telemetry.span.attributes["gen_ai.provider.name"]


def _classes(provider: Provider) -> dict[str, type]:
    """The client classes of the SDK, those of tests and applications left out."""
    found = {kind for funnel in provider.funnels for kind in subclasses(funnel)} - {*provider.funnels}
    return {kind.__name__: kind for kind in found if kind.__module__.partition(".")[0] == provider.name}


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_every_client_class_of_the_sdk_is_called(provider: Provider) -> None:
    """No class is without a client in the tests above."""
    known = {name for client in provider.clients for name in client.classes}

    assert set() == _classes(provider).keys() - known


@pytest.mark.parametrize(("provider", "client", "way"), CLASSES)
def test_a_client_is_of_the_class_that_it_stands_for(
    clients: Any, provider: Provider, client: Client, way: Way
) -> None:
    """So that the test above is about what it says."""
    made = clients(client, way)

    if client.classes:
        assert client.kind(made).__name__ in client.classes


def test_a_new_client_class_is_noticed() -> None:
    """The test of the classes finds them by itself."""
    for provider in PROVIDERS:
        kind = type("Novel", (provider.funnels[0],), {"__module__": f"{provider.name}.novel"})

        assert "Novel" in _classes(provider)
        assert kind is _classes(provider)["Novel"]
        kind.__module__ = __name__
