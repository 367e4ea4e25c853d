"""Beside other instrumentations of Amazon Bedrock: each call is reported once, and one line says by whom."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bedrock_calls import HI, client_of
from foreign import foreign
from loopback import ModelServer, Telemetry
from loopback.bedrock_bodies import converse, plain, words
from opentelemetry_instrumentation_genai import BedrockInstrumentor

OURS = "opentelemetry_instrumentation_genai"
LINE = (
    "botocore is instrumented by {} already: its calls are not instrumented twice. "
    "Disable that, or set OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true to have both."
)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What we log, as if no warning had been logged before."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    caplog.set_level(logging.WARNING, OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


@pytest.fixture
def make(server: ModelServer) -> Iterator[Callable[[], Any]]:
    """Makes clients of the model server."""
    made = []

    def client() -> Any:
        made.append(client_of(server.url))
        return made[-1]

    yield client
    for one in made:
        one.close()


def asked(client: Any, server: ModelServer) -> None:
    """Make a call."""
    server.reply(plain(converse()))
    client.converse(modelId="m", messages=HI)


def names(telemetry: Telemetry) -> list[str]:
    """The names of the spans, sorted."""
    return sorted(span.name for span in telemetry.spans)


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_the_instrumentation_of_botocore(server, telemetry: Telemetry, make, logged, first):
    """It reports all calls of the service, whoever came first, until it is switched off."""
    theirs, client = foreign("official_botocore").BotocoreInstrumentor(), make()
    starts = [
        lambda: BedrockInstrumentor().instrument(**telemetry.providers),
        lambda: theirs.instrument(**telemetry.providers),
    ]
    for start in starts if first == "ours" else reversed(starts):
        start()

    asked(client, server)
    asked(client, server)
    assert ["theirs", "theirs"] == names(telemetry)
    assert [LINE.format("opentelemetry.instrumentation.botocore")] == logged()

    if first == "theirs":  # theirs restores what it has wrapped only if it is the outermost
        return
    theirs.uninstrument()
    telemetry.clear()
    asked(client, server)
    assert ["chat m"] == names(telemetry)


def test_both(server, telemetry: Telemetry, make, logged):
    """A setting has both, nested."""
    foreign("official_botocore").BotocoreInstrumentor().instrument(**telemetry.providers)
    BedrockInstrumentor().instrument(**telemetry.providers, allow_others=True)

    asked(make(), server)

    assert ["chat m", "theirs"] == names(telemetry)
    assert [] == logged()


def test_an_instrumentation_that_replaces_methods_of_a_client(server, telemetry: Telemetry, make, logged):
    """What it has replaced is its; the other methods of that client are reported here."""
    foreign("openinference_bedrock").BedrockInstrumentor().instrument(**telemetry.providers)
    BedrockInstrumentor().instrument(**telemetry.providers)
    client = make()

    asked(client, server)
    server.reply(words("Hello"))
    list(client.converse_stream(modelId="m", messages=HI)["stream"])

    assert ["chat m", "theirs"] == names(telemetry)
    assert telemetry.spans[-1].attributes["gen_ai.request.stream"] is True
    assert [LINE.format("openinference.instrumentation.bedrock")] == logged()


def test_a_client_that_was_made_before_it(server, telemetry: Telemetry, make, logged):
    """Its instrumentor counts as reporting all, as long as none of its wrappers shows; one line says so."""
    client = make()
    foreign("openinference_bedrock").BedrockInstrumentor().instrument(**telemetry.providers)
    BedrockInstrumentor().instrument(**telemetry.providers)

    asked(client, server)

    assert [] == telemetry.spans
    assert [LINE.format("openinference.instrumentation.bedrock")] == logged()


def test_a_wrapper_of_the_application(server, telemetry: Telemetry, make, logged):
    """It changes nothing."""
    client = make()
    bare = client.converse
    client.converse = lambda **given: bare(**given)  # noqa: PLW0108 - it is another function
    BedrockInstrumentor().instrument(**telemetry.providers)

    asked(client, server)

    assert ["chat m"] == names(telemetry)
    assert [] == logged()


def test_a_call_that_a_framework_reports(server, telemetry: Telemetry, make):
    """What publishes in the context that it reports the call, reports it alone."""
    from opentelemetry.context import attach, detach, set_value

    BedrockInstrumentor().instrument(**telemetry.providers)
    token = attach(set_value("opentelemetry.genai.client.inference.context", object()))
    try:
        asked(make(), server)
    finally:
        detach(token)

    assert [] == telemetry.spans
