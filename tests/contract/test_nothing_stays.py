"""Memory: a process that makes calls for weeks keeps none of them."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from contract import VARIANTS, WAYS, Provider, Way
from contract.providers import PROVIDERS
from contract.sdks import INSTALLED
from opentelemetry_instrumentation_genai._call.call import Call

# Of each kind of result one that is read, and one that is not.
WAYS_TO_READ = {
    *("plain", "stream", "raw", "raw-stream", "streaming-parse", "streaming-unread", "streaming-unread-stream"),
    *("bytes-plain", "bytes-unread", "by-hand", "by-hand-stream", "generator-plain", "generator"),
    *("wrapped", "wrapped-stream", "lines", "helper", "helper-text"),
}
# The event loop keeps the context of the task that opened a connection while it reads from that, which aiohttp always does: such a
# call stays as long as its connection, without its request.
BY_AIOHTTP = ("fireworks",)
# It comes last: what it leaves open in the loop that all tests share may keep calls of others too.
LAST = sorted([*PROVIDERS, *INSTALLED], key=lambda provider: provider.name in BY_AIOHTTP)
CHOSEN = [variant for variant in VARIANTS if variant.id in WAYS_TO_READ]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("provider", LAST, ids=lambda provider: provider.name)
def test_no_call_is_kept(caller: Any, telemetry: Any, *, provider: Provider, way: Way) -> None:
    """After each operation, however its response is read, no object of this package keeps the call."""
    client = caller.clients(provider.clients[0], way)
    provider.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    before = calls()

    for row in provider.rows:
        for variant in CHOSEN:
            if variant.fits(row) and not row.missing(client, variant.access, stream=variant.stream):
                assert 0 < len(caller.make(row, variant, client, way).snapshot["spans"])
                telemetry.clear()
    gc.collect()
    gc.collect()  # what the first one closed, such as a generator, leaves others to the second

    kept = [one for one in calls() if not any(one is other for other in before)]
    assert kept == [] or provider.name in BY_AIOHTTP
    assert {(True, None, ())} >= {(one.over, one._request, one._observers) for one in kept}


def calls() -> list[Call]:
    """Return all that there are."""
    return [one for one in gc.get_objects() if type(one) is Call]


def test_every_way_to_read_is_one() -> None:
    """None of those above is misspelled."""
    assert WAYS_TO_READ == {variant.id for variant in CHOSEN}
