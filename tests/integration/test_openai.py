"""Real servers through the real `openai` SDK: telemetry tells what the application got, and what the server counted."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from answers import attributes, cached, expected_parts, merged, metrics, parts, unvarying
from cassettes import recorded_once
from contract.drive import WAYS, Way, listed, settled
from exchanges import OPENAI, Exchange, identity, pairs
from loopback import Telemetry
from loopback.schemas import CONTENT
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from served import Served

PAIRS = pytest.mark.parametrize(("served", "exchange"), pairs(OPENAI), indirect=["served"], ids=identity)


def ask(served: Served, exchange: Exchange, way: Way) -> Any:
    """The result of the call; of a stream, the list of its chunks."""
    return way.run(_asked(served, exchange, asynchronous=way.name == "async"))


async def _asked(served: Served, exchange: Exchange, *, asynchronous: bool) -> Any:
    kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    client = kind(**served.settings())
    try:
        given = await settled(exchange.start(client, served.model))
        return await listed(given) if exchange.streamed else given
    finally:
        await settled(client.close())


def instrument(telemetry: Telemetry, served: Served, capture: str) -> None:
    """Instruments the SDK for a server that the user declared."""
    OpenAIInstrumentor().instrument(
        **telemetry.providers, capture_message_content=capture, host_providers=served.declared
    )


@PAIRS
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_telemetry_is_what_the_server_says(served: Served, exchange: Exchange, way: Way, telemetry: Telemetry) -> None:
    """Provider, models, tokens, finish reason, status and metrics; the tokens are those of the server's own counters."""
    instrument(telemetry, served, "span_and_event")
    before = served.before()

    given = ask(served, exchange, way)

    recorded = recorded_once(telemetry, None)
    found = recorded["attributes"]
    content = {name: found.pop(name) for name in list(found) if name in CONTENT}
    answer = merged(exchange, given)
    output = found.get("gen_ai.usage.output_tokens", 0)
    counted = served.since(before, output) or served.says(exchange.path, exchange.body)
    assert (f"{found['gen_ai.operation.name']} tiny", {"code": "UNSET", "description": None}) == (
        recorded["span"],
        recorded["status"],
    )
    assert attributes(served, exchange, answer, counted) == found
    if counted.cached is not None and exchange.api != "embeddings":
        assert counted.cached == (cached(exchange, answer) or 0)
    assert metrics(exchange, answer, counted, len(given) if exchange.streamed else 0) == recorded["metrics"]
    if exchange.api != "embeddings":
        assert expected_parts(exchange) == parts(content["gen_ai.output.messages"])


@PAIRS
def test_nothing_of_the_content_is_recorded_unless_asked_for(
    served: Served, exchange: Exchange, telemetry: Telemetry
) -> None:
    """Neither what was sent nor what came."""
    instrument(telemetry, served, "no_content")

    ask(served, exchange, WAYS[0])

    recorded = repr(telemetry.snapshot())
    assert [] == [word for word in ("France", "Paris", "weather", "brief") if word in recorded]


@PAIRS
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_result_is_the_same_without_instrumentation(
    served: Served, exchange: Exchange, way: Way, telemetry: Telemetry
) -> None:
    """What the application gets has the same types and values, but for what differs from call to call."""
    plain = ask(served, exchange, way)
    instrument(telemetry, served, "span_and_event")

    given = ask(served, exchange, way)

    assert type(plain) is type(given)
    assert unvarying(exchange, plain) == unvarying(exchange, given)
