"""Frameworks with tracing of their own, above the SDK: a call that they record is not recorded a second time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from opentelemetry import context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from loopback import Json, Sse, Telemetry
from loopback.openai_bodies import CHAT, MODEL, chunks, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

OURS = "opentelemetry_instrumentation_genai"
OPERATION = "gen_ai.operation.name"
NAME = f"chat {MODEL}"
VECTORS = {
    "object": "list",
    "model": "e",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}
LINE = (
    "openai is instrumented by framework already: its calls are not instrumented twice. "
    "Disable that, or set OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true to have both."
)


@pytest.fixture
def logged(caplog, monkeypatch) -> Callable[[], list[str]]:
    """What we log, as if no warning had been logged before."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    caplog.set_level(logging.WARNING, OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


@contextmanager
def span_of_the_framework(telemetry: Telemetry, operation: str, model: str = MODEL) -> Iterator[None]:
    """Its span of an operation is current."""
    attributes = {OPERATION: operation, "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
    with telemetry.tracer_provider.get_tracer("framework").start_as_current_span("theirs", attributes=attributes):
        yield


def embed(server, client) -> None:
    """Make a call of embeddings."""
    server.reply(Json(VECTORS))
    client.embeddings.create(model=MODEL, input="Hi", encoding_format="float")


def chat(server, client) -> None:
    """Make a plain call."""
    server.reply(Json(completion()))
    client.chat.completions.create(**CHAT)


def stream(server, client) -> None:
    """Make a streamed call."""
    server.reply(Sse(chunks("Hello")))
    list(client.chat.completions.create(**CHAT, stream=True))


@pytest.mark.parametrize(
    ("operation", "call"),
    [("chat", chat), ("chat", stream), ("generate_content", chat), ("text_completion", stream), ("embeddings", embed)],
)
def test_the_span_of_a_framework(server, telemetry: Telemetry, openai_client, logged, *, operation, call):
    """Its span of the same call is the only one, its metrics stand alone, and one line names it; outside of it calls are ours."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client()

    for _ in range(2):
        with span_of_the_framework(telemetry, operation):
            call(server, client)

    assert (["theirs", "theirs"], {}) == ([span.name for span in telemetry.spans], telemetry.metrics)
    assert [LINE] == logged()
    telemetry.clear()
    chat(server, client)
    assert [NAME] == [span.name for span in telemetry.spans]


@pytest.mark.parametrize(
    ("operation", "model", "call", "name"),
    [
        ("invoke_agent", MODEL, chat, NAME),
        ("execute_tool", MODEL, chat, NAME),
        ("embeddings", MODEL, chat, NAME),
        ("chat", MODEL, embed, f"embeddings {MODEL}"),
        ("chat", "another", chat, NAME),
    ],
)
def test_the_span_of_something_else(
    server, telemetry: Telemetry, openai_client, logged, *, operation, model, call, name
):
    """An agent, a tool, a call of another kind or of another model around a call does not record it."""
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with span_of_the_framework(telemetry, operation, model):
        call(server, openai_client())

    assert [name, "theirs"] == [span.name for span in telemetry.spans]
    assert [] == logged()


def test_a_call_beside_that_of_the_framework(server, telemetry: Telemetry, openai_client):
    """A span is of one call: what the application calls besides, while it reads a stream of the framework, is recorded."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client()

    with span_of_the_framework(telemetry, "chat"):
        stream(server, client)
        chat(server, client)

    assert [NAME, "theirs"] == [span.name for span in telemetry.spans]


@pytest.mark.parametrize("missing", ["gen_ai.provider.name", "gen_ai.request.model"])
def test_a_span_by_hand(server, telemetry: Telemetry, openai_client, logged, missing):
    """One that lacks what the conventions require of a call's span, as an application makes it for itself, replaces none."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    whole = {OPERATION: "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": MODEL}
    attributes = {name: value for name, value in whole.items() if name != missing}

    with telemetry.tracer_provider.get_tracer("application").start_as_current_span("theirs", attributes=attributes):
        chat(server, openai_client())

    assert [NAME, "theirs"] == [span.name for span in telemetry.spans]
    assert [] == logged()


def test_both_on_request(server, telemetry: Telemetry, openai_client, logged):
    """With `allow_others` a call has both spans, ours below theirs."""
    OpenAIInstrumentor().instrument(**telemetry.providers, allow_others=True)

    with span_of_the_framework(telemetry, "chat"):
        chat(server, openai_client())

    assert [NAME, "theirs"] == [span.name for span in telemetry.spans]
    assert [] == logged()


def test_suppressed(server, telemetry: Telemetry, openai_client, logged):
    """Of a call that is not instrumented anyway no line says that it is left to the framework."""
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with span_of_the_framework(telemetry, "chat"), suppress_instrumentation():
        chat(server, openai_client())

    assert ["theirs"] == [span.name for span in telemetry.spans]
    assert [] == logged()


def test_a_span_that_is_not_sampled(server, openai_client):
    """Of a span that is not recorded nobody knows what it is of: the metrics of the call are ours."""
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with span_of_the_framework(telemetry, "chat"):
        chat(server, openai_client())

    assert 1 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])
    OpenAIInstrumentor().uninstrument()
    telemetry.shutdown()


@pytest.mark.parametrize(("value", "spans"), [(True, []), (False, [NAME]), (None, [NAME])])
def test_the_key_of_openllmetry(server, telemetry: Telemetry, openai_client, value, spans):
    """Its instrumentation of LangChain says by a key in the context that it has recorded the call, as its own ones of SDKs know."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    token = context.attach(context.set_value("suppress_language_model_instrumentation", value))
    try:
        chat(server, openai_client())
    finally:
        context.detach(token)

    assert spans == [span.name for span in telemetry.spans]
    assert bool(spans) == bool(telemetry.metrics)
