"""What a user asks for and cannot get is logged once, at the first call concerned, and never where it may yet come."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider

from loopback import Json, Sse
from loopback.openai_bodies import CHAT, chunks, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, genai_context

OURS = "opentelemetry_instrumentation_genai"
CONTENT = (
    "The content of calls is captured on events only, and goes nowhere: there is no logger provider with an exporter. "
    "Set OTEL_LOGS_EXPORTER or a logger provider, or OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only."
)
USAGE = (
    "A stream of openai had no usage, so that it has no gen_ai.usage.cost. OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE=inject requests "
    "it where the application does not."
)
CONTEXT = (
    "The attributes of genai_context and baggage are recorded on spans and details events only, and there are none. "
    "Set a tracer provider or OTEL_TRACES_EXPORTER."
)


@pytest.fixture
def logged(caplog, monkeypatch) -> Callable[[], list[str]]:
    """What we have logged so far."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    caplog.set_level(logging.WARNING, OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


def without(telemetry, name: str) -> dict[str, Any]:
    """The providers but for one, which nobody has set."""
    return {provider: value for provider, value in telemetry.providers.items() if provider != name}


@pytest.mark.parametrize("there", ["none", "no exporter"])
def test_content_for_events_that_go_nowhere(server, telemetry, openai_client, logged, there):
    """Logged at the first call, and not before: a provider may be set after `instrument()`."""
    providers = without(telemetry, "logger_provider")
    if there == "no exporter":
        providers["logger_provider"] = LoggerProvider(shutdown_on_exit=False)
    OpenAIInstrumentor().instrument(**providers, capture_message_content="event_only")
    server.reply_always(Json(completion()))
    assert [] == logged()

    for _ in range(2):
        openai_client().chat.completions.create(**CHAT)

    assert [CONTENT] == logged()


@pytest.mark.parametrize(
    ("logs", "settings"),
    [
        (True, {"capture_message_content": "event_only"}),
        (False, {"capture_message_content": "span_and_event"}),
        (False, {"capture_message_content": "span_only"}),
        (False, {"capture_message_content": "event_only", "completion_hook": lambda _one: None}),
        (False, {"emit_event": True}),
    ],
)
def test_content_that_goes_somewhere(server, telemetry, openai_client, logged, *, logs, settings):
    """Nothing is logged where it is exported, is on spans or with a hook as well, or where there is none."""
    providers = telemetry.providers if logs else without(telemetry, "logger_provider")
    OpenAIInstrumentor().instrument(**providers, **settings)
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)

    assert [] == logged()


def test_content_where_the_user_wants_no_telemetry(server, telemetry, openai_client, logged, monkeypatch):
    """Nothing is logged: that it goes nowhere is what the user wants."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    providers = without(telemetry, "logger_provider")
    OpenAIInstrumentor().instrument(**providers, capture_message_content="event_only")
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)

    assert [] == logged()


def test_prices_of_a_stream_without_usage(server, telemetry, openai_client, logged):
    """The first that was read to its end says how usage is asked for; one that was left early does not."""
    OpenAIInstrumentor().instrument(**telemetry.providers, prices="billed")
    server.reply_always(Sse(chunks("Hel", "lo")))
    client = openai_client()
    next(iter(client.chat.completions.create(**CHAT, stream=True)))
    with client.chat.completions.create(**CHAT, stream=True) as left:
        next(iter(left))
    assert [] == logged()

    for _ in range(2):
        assert list(client.chat.completions.create(**CHAT, stream=True))

    assert [USAGE] == logged()


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({}, {"stream": True}),
        ({"prices": "billed", "stream_usage": "inject"}, {"stream": True}),
        ({"prices": "billed"}, {"stream": True, "stream_options": {"include_usage": True}}),
    ],
)
def test_streams_with_usage_that_is_asked_for(server, telemetry, openai_client, logged, *, settings, asked):
    """Nothing is logged where somebody asks, whether the server answers that or not, nor without prices."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
    server.reply(Sse(chunks("Hel", "lo")))

    assert list(openai_client().chat.completions.create(**CHAT, **asked))

    assert [] == logged()


def test_tags_that_reach_nothing(server, telemetry, openai_client, logged):
    """With metrics alone, the first call with tags says that these do not carry them."""
    OpenAIInstrumentor().instrument(meter_provider=telemetry.providers["meter_provider"])
    server.reply_always(Json(completion()))
    openai_client().chat.completions.create(**CHAT)
    assert [] == logged()

    for _ in range(2):
        with genai_context(tags={"shift": "evening"}):
            openai_client().chat.completions.create(**CHAT)

    assert [CONTEXT] == logged()


@pytest.mark.parametrize("names", [(), ("tracer_provider",), ("tracer_provider", "meter_provider")])
def test_tags_with_spans_or_without_anything(server, telemetry, openai_client, logged, names):
    """Nothing is logged where spans have them, nor where nobody has set up any telemetry."""
    OpenAIInstrumentor().instrument(**{name: telemetry.providers[name] for name in names})
    server.reply(Json(completion()))

    with genai_context(tags={"shift": "evening"}):
        openai_client().chat.completions.create(**CHAT)

    assert [] == logged()
