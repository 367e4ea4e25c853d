"""What llama.cpp's server says of its own time in `timings`, beside the answers of its OpenAI-compatible endpoints."""

from __future__ import annotations

import pytest

from loopback import Json, ModelServer, Sse, Telemetry
from loopback.openai_bodies import CHAT, MODEL, chunk, chunks, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

TIMINGS = {
    "cache_n": 22,
    "prompt_n": 1,
    "prompt_ms": 250.0,
    "prompt_per_token_ms": 250.0,
    "prompt_per_second": 4.0,
    "predicted_n": 5,
    "predicted_ms": 2000,
    "predicted_per_token_ms": 500.0,
    "predicted_per_second": 2.5,
}
NAMES = ("request.duration", "time_to_first_token", "time_per_output_token")
# How long a request waited it does not say, and so not how long it took.
TIMES = [None, (1, 0.25), (1, 0.5)]
TEXT = {"index": 0, "text": "Hello", "finish_reason": "stop", "logprobs": None}
ODD = {
    "one token": ({"predicted_n": 1}, [None, (1, 0.25), None]),
    "no token": ({"predicted_n": 0}, [None, None, None]),
    "no count": ({"predicted_n": None}, [None, None, None]),
    "no prompt": ({"prompt_ms": None}, [None, None, (1, 0.5)]),
    "less than nothing": ({"prompt_ms": -1, "predicted_ms": -1}, [None, None, None]),
    "texts": ({"prompt_ms": "1", "predicted_ms": "1"}, [None, None, None]),
}


def server_times(telemetry: Telemetry):
    """Count and sum of each, None where nothing was recorded."""
    points = {name: telemetry.metrics.get(f"gen_ai.server.{name}") for name in NAMES}
    return [found and (found[0].count, found[0].sum) for found in points.values()]


def test_a_plain_chat(server: ModelServer, telemetry: Telemetry, openai_client):
    """Both times, under the attributes of the call."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(completion(timings=TIMINGS)))

    openai_client().chat.completions.create(**CHAT)

    assert TIMES == server_times(telemetry)
    (duration,), (first,) = (
        telemetry.metrics[name] for name in ("gen_ai.client.operation.duration", "gen_ai.server.time_to_first_token")
    )
    assert duration.attributes == first.attributes


@pytest.mark.parametrize("usage", [False, True])
def test_a_streamed_chat(server: ModelServer, telemetry: Telemetry, openai_client, usage):
    """They come with the last chunk, be it that of the finish reason or that of the usage."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    *events, last = chunks("Hel", "lo")
    late = [last, chunk(choices=[], usage={"prompt_tokens": 8, "completion_tokens": 5})] if usage else [last]
    late[-1]["timings"] = TIMINGS
    server.reply(Sse([*events, *late]))

    list(openai_client().chat.completions.create(**CHAT, stream=True))

    assert TIMES == server_times(telemetry)


async def test_a_streamed_chat_asynchronous(server: ModelServer, telemetry: Telemetry, async_openai_client):
    """The same."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Sse([*chunks("Hello"), chunk(choices=[], timings=TIMINGS)]))

    async for _ in await async_openai_client().chat.completions.create(**CHAT, stream=True):
        pass

    assert TIMES == server_times(telemetry)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_completion(server: ModelServer, telemetry: Telemetry, openai_client, streamed):
    """Legacy completions likewise."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    body = completion(object="text_completion", choices=[TEXT], timings=TIMINGS)
    server.reply(Sse([body]) if streamed else Json(body))

    made = openai_client().completions.create(model=MODEL, prompt="Hi", stream=streamed)
    if streamed:
        list(made)

    assert TIMES == server_times(telemetry)


def test_a_raw_response(server: ModelServer, telemetry: Telemetry, openai_client):
    """Also where the application parses by itself."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(completion(timings=TIMINGS)))

    openai_client().chat.completions.with_raw_response.create(**CHAT)

    assert TIMES == server_times(telemetry)


@pytest.mark.parametrize("odd", ODD)
def test_what_it_does_not_say_is_not_reported(server: ModelServer, telemetry: Telemetry, openai_client, odd):
    """No time is made up of others."""
    changes, expected = ODD[odd]
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(completion(timings={**TIMINGS, **changes})))

    openai_client().chat.completions.create(**CHAT)

    assert expected == server_times(telemetry)


@pytest.mark.parametrize("timings", [None, [], "fast", 1])
def test_timings_of_another_kind(server: ModelServer, telemetry: Telemetry, openai_client, timings):
    """Whatever another server means by the word."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(completion(timings=timings)))

    openai_client().chat.completions.create(**CHAT)

    assert [None, None, None] == server_times(telemetry)
