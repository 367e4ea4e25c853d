"""Real servers that speak Anthropic's API, through the real `anthropic` SDK: telemetry is what they say, and counted."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from answers import attributes, cached, expected_parts, merged, metrics, parts, unvarying
from cassettes import recorded_once
from contract.drive import WAYS, Way, listed, settled
from exchanges import ANTHROPIC, Exchange, identity, pairs
from loopback import Telemetry
from loopback.schemas import CONTENT
from opentelemetry_instrumentation_genai import AnthropicInstrumentor
from served import Served

PAIRS = pytest.mark.parametrize(("served", "exchange"), pairs(ANTHROPIC), indirect=["served"], ids=identity)


def ask(served: Served, exchange: Exchange, way: Way) -> Any:
    """The result of the call; of a stream, the list of its events."""
    return way.run(_asked(served, exchange, asynchronous=way.name == "async"))


async def _asked(served: Served, exchange: Exchange, *, asynchronous: bool) -> Any:
    kind = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    client = kind(**served.settings(base_url=served.url))
    try:
        given = await settled(exchange.start(client, served.model))
        return await listed(given) if exchange.streamed else given
    finally:
        await settled(client.close())


def instrument(telemetry: Telemetry, served: Served, capture: str) -> None:
    """Instruments the SDK for a server that the user declared."""
    AnthropicInstrumentor().instrument(
        **telemetry.providers, capture_message_content=capture, host_providers=served.declared
    )


@PAIRS
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_telemetry_is_what_the_server_says(served: Served, exchange: Exchange, way: Way, telemetry: Telemetry) -> None:
    """Provider, models, finish reason, status and metrics; the tokens, cached ones among the input, are the server's."""
    instrument(telemetry, served, "span_and_event")
    before = served.before()

    given = ask(served, exchange, way)

    recorded = recorded_once(telemetry, None)
    found = recorded["attributes"]
    content = {name: found.pop(name) for name in list(found) if name in CONTENT}
    answer = merged(exchange, given)
    counted = served.since(before, found["gen_ai.usage.output_tokens"])
    assert counted is not None
    assert ("chat tiny", {"code": "UNSET", "description": None}) == (recorded["span"], recorded["status"])
    assert attributes(served, exchange, answer, counted) == found
    if counted.cached is not None:
        assert counted.cached == (cached(exchange, answer) or 0)
    assert metrics(exchange, answer, counted, len(given) if exchange.streamed else 0) == recorded["metrics"]
    assert expected_parts(exchange) == parts(content["gen_ai.output.messages"])


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


def test_the_helper_for_streams_is_one_call(llama: Served, telemetry: Telemetry) -> None:
    """`messages.stream()` gives its text and its message, and there is one span with the tokens of both."""
    instrument(telemetry, llama, "no_content")
    (exchange,) = (exchange for exchange in ANTHROPIC if exchange.name == "message")

    with anthropic.Anthropic(**llama.settings(base_url=llama.url)) as client:
        with client.messages.stream(model=llama.model, **exchange.arguments) as stream:
            text = "".join(stream.text_stream)
            message = stream.get_final_message()

    assert (exchange.text, "end_turn") == (text, message.stop_reason)
    found = telemetry.span.attributes
    assert ("llama_cpp", ("stop",), 8) == tuple(
        found[name] for name in ("gen_ai.provider.name", "gen_ai.response.finish_reasons", "gen_ai.usage.output_tokens")
    )
