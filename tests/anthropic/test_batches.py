"""Batches of requests: what no row of the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contract import WAYS, Way
from contract.anthropic import ANTHROPIC
from contract.anthropic_messages import HEADERS
from contract.drive import settled
from loopback import Json, ModelServer, Telemetry
from loopback.anthropic_bodies import BATCH, MESSAGES, batch

PREFIX = "anthropic.message.batch."


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    """Sync and async."""
    found: Way = request.param
    return found


@pytest.fixture
def client(way: Way, server: ModelServer) -> Iterator[Any]:
    """An ordinary client, with batches."""
    made = ANTHROPIC.clients[0].make(way, server.url)
    if not hasattr(made.messages, "batches"):
        pytest.skip("this SDK has no messages.batches")
    yield made
    way.run(_closed(made))


async def _closed(client: Any) -> None:
    await settled(client.close())


async def _create(client: Any, requests: Any) -> Any:
    return await settled(client.messages.batches.create(requests=requests))


def _requests() -> list[dict[str, Any]]:
    return [{"custom_id": name, "params": MESSAGES} for name in ("first", "second")]


@pytest.mark.parametrize("capture", ["no_content", "span_and_event"])
def test_a_generator_of_requests_is_left_to_the_sdk(
    server: ModelServer, telemetry: Telemetry, client: Any, way: Way, capture: str
) -> None:
    """Nobody reads it before, so that the number of requests is known from the answer alone."""
    server.reply(Json(batch(processing=2), headers=HEADERS))
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, capture_message_content=capture)

    way.run(_create(client, (request for request in _requests())))

    assert {"requests": _requests()} == server.requests[0].json
    found = {name[len(PREFIX) :]: value for name, value in telemetry.span.attributes.items() if PREFIX in name}
    counts = {f"request_counts.{outcome}": 0 for outcome in ("succeeded", "errored", "canceled", "expired")}
    whole = {"id": BATCH, "processing_status": "in_progress", **counts, "request_counts.processing": 2}
    assert whole == {name: value for name, value in found.items() if name != "request_count"}


def test_no_content_of_a_batch_is_recorded(server: ModelServer, telemetry: Telemetry, client: Any, way: Way) -> None:
    """Its requests are those of many calls: they are on no span and no event, also where content is captured."""
    server.reply(Json(batch(processing=2), headers=HEADERS))
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    secret = {"custom_id": "hunter2-id", "params": {**MESSAGES, "system": "hunter2-system"}}

    way.run(_create(client, [secret]))

    assert 1 == telemetry.span.attributes[f"{PREFIX}request_count"]
    assert "hunter2" not in repr(telemetry.snapshot())
    assert [] == telemetry.events
