"""What calls of Amazon Bedrock cost by the public list, by the terms under which the service says that it has answered."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from bedrock_calls import CLAUDE, HI, client_of, read
from loopback import ModelServer, Telemetry
from loopback.anthropic_bodies import message, text, text_events
from loopback.bedrock_bodies import begun, block, chunks, converse, ended, plain, stream, usage
from opentelemetry_instrumentation_genai import BedrockInstrumentor

pytest.importorskip("genai_prices", reason="genai-prices is not installed")


@pytest.fixture
def client(server: ModelServer) -> Iterator[Any]:
    """A client of the model server."""
    made = client_of(server.url)
    yield made
    made.close()
    BedrockInstrumentor().uninstrument()


def _priced(server, telemetry: Telemetry, make) -> list[float | None]:
    """What a usual call costs, and one that is answered otherwise; the first calls have the prices loaded in the background."""
    BedrockInstrumentor().instrument(**telemetry.providers, prices="genai-prices")
    for other in (False, True):
        until = monotonic() + 20
        while True:
            make(other)
            if other or "gen_ai.usage.cost" in telemetry.spans[-1].attributes or monotonic() > until:
                break
    return [span.attributes.get("gen_ai.usage.cost") for span in telemetry.spans[-2:]]


@pytest.mark.parametrize("terms", [{"serviceTier": {"type": "flex"}}, {"performanceConfig": {"latency": "optimized"}}])
def test_prices_by_terms(server, telemetry: Telemetry, client, terms):
    """Another service tier or latency has another price, which the list does not have: no cost, rather than the usual one."""

    def make(other: bool) -> None:
        server.reply(stream(begun(), *block(0, {"text": "Hi"}), *ended(**(terms if other else {}))))
        [*client.converse_stream(modelId=CLAUDE, messages=HI)["stream"]]

    usual, other = _priced(server, telemetry, make)
    assert usual
    assert other is None


@pytest.mark.parametrize("streamed", [False, True])
def test_prices_by_headers(server, telemetry: Telemetry, client, streamed):
    """InvokeModel has its tier in a header."""
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "messages": [], "max_tokens": 9})

    def make(other: bool) -> None:
        answer = chunks(*text_events("Hi")) if streamed else plain(message(text("Hi")))
        tier = {"x-amzn-bedrock-service-tier": "flex" if other else "default"}
        server.reply(dataclasses.replace(answer, headers={**answer.headers, **tier}))
        method = client.invoke_model_with_response_stream if streamed else client.invoke_model
        read(method(modelId=CLAUDE, body=body))

    usual, other = _priced(server, telemetry, make)
    assert usual
    assert other is None


def test_prices_of_caches(server, telemetry: Telemetry, client):
    """What was written to a cache for an hour is dearer than for five minutes."""

    def make(other: bool) -> None:
        details = [{"ttl": "1h" if other else "5m", "inputTokens": 1000}]
        server.reply(plain(converse(usage={**usage(written=1000), "cacheDetails": details})))
        client.converse(modelId=CLAUDE, messages=HI)

    usual, longer = _priced(server, telemetry, make)
    assert usual
    assert longer is None or longer > usual
