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
CHOSEN = [variant for variant in VARIANTS if variant.id in WAYS_TO_READ]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("provider", [*PROVIDERS, *INSTALLED], ids=lambda provider: provider.name)
def test_no_call_is_kept(caller: Any, telemetry: Any, *, provider: Provider, way: Way) -> None:
    """Whatever is called, and whatever becomes of its response, nothing of ours keeps a call that is over."""
    client = caller.clients(provider.clients[0], way)
    provider.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    for row in provider.rows:
        for variant in CHOSEN:
            if variant.fits(row) and not row.missing(client, variant.access, stream=variant.stream):
                assert 0 < len(caller.make(row, variant, client, way).snapshot["spans"])
                telemetry.clear()
    gc.collect()
    gc.collect()  # what the first one closed, such as a generator, leaves others to the second

    assert [] == [kept for kept in gc.get_objects() if type(kept) is Call]


def test_every_way_to_read_is_one() -> None:
    """None of those above is misspelled."""
    assert WAYS_TO_READ == {variant.id for variant in CHOSEN}
