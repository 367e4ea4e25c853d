"""The extended metrics: how many calls there are, at once and in all, and what is left of rate limits."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from inline_snapshot import snapshot

from loopback import Hang, Json, ModelServer, Reply, Sse, Telemetry, closed_port
from loopback.anthropic_bodies import MESSAGES, message, text, text_events
from loopback.openai_bodies import CHAT, MODEL, SERVED, chunk, chunks, completion, error, response
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor

OURS = "opentelemetry_instrumentation_genai"
ACTIVE, COUNT, ERRORS = "llm.request.active", "llm.request.count", "llm.request.errors"
CHUNKS, SPEED, MESSAGE_COUNT = "llm.stream.chunks", "llm.token.throughput", "llm.request.message_count"
LIMIT = "gen_ai.client.rate_limit.remaining."
PARTS = "gen_ai.client.inference.usage."
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
    "completion_tokens_details": {"reasoning_tokens": 40},
}


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def extended(telemetry: Telemetry) -> Telemetry:
    """Instruments all SDKs; the telemetry is all that they record."""
    for instrumentor in (AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor):
        instrumentor().instrument(**telemetry.providers, metrics="extended")
    return telemetry


@pytest.fixture
def anthropic_client(server: ModelServer) -> Iterator[Any]:
    """A client of the model server."""
    import anthropic

    with anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def clients(openai_client, anthropic_client, ollama_client) -> tuple[Any, Any, Any]:
    """One of each SDK."""
    return openai_client(), anthropic_client, ollama_client


@pytest.fixture
def ollama_client(server: ModelServer) -> Iterator[Any]:
    """A client of the model server."""
    import ollama

    client = ollama.Client(host=server.url, verify=False)
    yield client
    client._client.close()


def extras(telemetry: Telemetry) -> dict[str, Any]:
    """The metrics that are there only if they are asked for, each by the sum or the value of all its points."""
    found = {name: points for name, points in telemetry.metrics.items() if name.startswith(("llm.", LIMIT, PARTS))}
    return {
        name: sum(point.value if point.count is None else point.count for point in points)
        for name, points in found.items()
    }


def test_a_call_whole(server, extended, openai_client):
    """Names, units and attributes, as dashboards find them."""
    headers = {"x-ratelimit-remaining-requests": "4999", "X-RateLimit-Remaining-Tokens": "159976"}
    server.reply(Json(completion(usage=USAGE), headers=headers))

    openai_client().chat.completions.create(**CHAT)

    metrics = extended.snapshot()["metrics"]
    assert snapshot(
        {
            "gen_ai.client.inference.usage.cache_read.input_tokens": {
                "unit": "{token}",
                "description": "Input tokens read from a cache of the provider.",
                "bounds": [],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "gen_ai.token.modality": "unknown",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "value": 60,
                    }
                ],
            },
            "gen_ai.client.inference.usage.cache_write.input_tokens": {
                "unit": "{token}",
                "description": "Input tokens written to a cache of the provider.",
                "bounds": [],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "gen_ai.token.modality": "unknown",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "value": 30,
                    }
                ],
            },
            "gen_ai.client.inference.usage.reasoning.output_tokens": {
                "unit": "{token}",
                "description": "Output tokens used for reasoning.",
                "bounds": [],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "gen_ai.token.modality": "unknown",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "value": 40,
                    }
                ],
            },
            "gen_ai.client.rate_limit.remaining.requests": {
                "unit": "{request}",
                "description": "What is left of the provider's rate limit.",
                "bounds": [],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "value": 4999,
                    }
                ],
            },
            "gen_ai.client.rate_limit.remaining.tokens": {
                "unit": "{token}",
                "description": "What is left of the provider's rate limit.",
                "bounds": [],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "value": 159976,
                    }
                ],
            },
            "llm.request.active": {
                "unit": "1",
                "description": "Requests that are under way.",
                "bounds": [],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "model": "gpt-4o-mini",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "value": 0,
                    }
                ],
            },
            "llm.request.count": {
                "unit": "1",
                "description": "Requests to models.",
                "bounds": [],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "model": "gpt-4o-mini",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                            "stream": "False",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "value": 1,
                    }
                ],
            },
            "llm.request.message_count": {
                "unit": "1",
                "description": "Messages in a request.",
                "bounds": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "model": "gpt-4o-mini",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "count": 1,
                        "sum": 1,
                    }
                ],
            },
            "llm.token.throughput": {
                "unit": "{token}/s",
                "description": "Tokens of output for each second of the call.",
                "bounds": [
                    1.0,
                    2.5,
                    5.0,
                    10.0,
                    20.0,
                    30.0,
                    40.0,
                    50.0,
                    75.0,
                    100.0,
                    150.0,
                    200.0,
                    300.0,
                    500.0,
                    1000.0,
                    2500.0,
                ],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-4o-mini",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "model": "gpt-4o-mini",
                            "server.address": "127.0.0.1",
                            "server.port": "<port>",
                        },
                        "exemplars": ["chat gpt-4o-mini"],
                        "count": 1,
                        "sum": "<per second>",
                    }
                ],
            },
        }
    ) == {name: metric for name, metric in metrics.items() if name.startswith(("llm.", LIMIT, PARTS))}


def test_a_stream(server, extended, openai_client):
    """Its chunks are counted as the SDK gives them, that of the usage among them."""
    usage = chunk(choices=[], usage=USAGE)
    server.reply(Sse([*chunks("Hel", "lo"), usage]))

    list(openai_client().chat.completions.create(**CHAT, stream=True))

    expected = {ACTIVE: 0, COUNT: 1, CHUNKS: 4, SPEED: 1, MESSAGE_COUNT: 1}
    parts = {"cache_read.input_tokens": 60, "cache_write.input_tokens": 30, "reasoning.output_tokens": 40}
    assert {**expected, **{PARTS + name: value for name, value in parts.items()}} == extras(extended)
    (requests,) = extended.metrics[COUNT]
    assert ("True", MODEL) == (requests.attributes["stream"], requests.attributes["model"])


def test_parts_count_once(server, extended, openai_client):
    """The histogram of tokens has input and output, and no type that is part of another."""
    server.reply(Json(completion(usage=USAGE)))

    openai_client().chat.completions.create(**CHAT)

    points = extended.metrics["gen_ai.client.token.usage"]
    assert {"input": 100, "output": 50} == {point.attributes["gen_ai.token.type"]: point.sum for point in points}


def test_parts_in_both_generations(server, telemetry, openai_client):
    """Where the latest generation is emitted as well, its counters are there once."""
    OpenAIInstrumentor().instrument(
        **telemetry.providers, metrics="extended", semconv_stability_opt_in="gen_ai_latest_experimental/dup"
    )
    server.reply(Json(completion(usage=USAGE)))

    openai_client().chat.completions.create(**CHAT)

    assert 60 == extras(telemetry)[PARTS + "cache_read.input_tokens"]


# How the server answers, and what the call leaves behind besides `ONE`.
ONE = {ACTIVE: 0, COUNT: 1, MESSAGE_COUNT: 1}
ENDINGS: dict[str, tuple[Reply, bool, dict[str, int]]] = {
    "plain": (Json(completion()), False, {SPEED: 1}),
    "refused": (Json(error("no", code="rate_limit_exceeded"), status=429), False, {ERRORS: 1}),
    "not JSON": (Json([]), False, {}),
    "streamed": (Sse(chunks("Hello")), True, {CHUNKS: 2}),
    "cut": (Sse(chunks("Hel", "lo"), end="cut", sent=2), True, {CHUNKS: 2, ERRORS: 1}),
    "ended early": (Sse(chunks("Hel", "lo"), end="early", sent=2), True, {CHUNKS: 2}),
    "an error within": (Sse([*chunks("Hello")[:1], error("no")], done=False), True, {CHUNKS: 1, ERRORS: 1}),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_however_it_ends(server, extended, openai_client, ending):
    """Nothing is active any more, and one call was."""
    reply, stream, more = ENDINGS[ending]
    server.reply(reply)

    try:
        made = openai_client().chat.completions.create(**CHAT, stream=stream)
        if stream:
            list(made)
    except (openai.OpenAIError, Exception):
        assert ERRORS in more

    assert {**ONE, **more} == extras(extended)


def test_no_server(extended, openai_client):
    """A connection that is refused is an error as well."""
    with pytest.raises(openai.APIConnectionError):
        openai_client(base_url=f"http://127.0.0.1:{closed_port()}/v1").chat.completions.create(**CHAT)

    assert {**ONE, ERRORS: 1} == extras(extended)
    (errors,) = extended.metrics[ERRORS]
    assert "openai.APIConnectionError" == errors.attributes["error.type"]


@pytest.mark.parametrize("leave", ["with", "close", "drop"])
def test_a_stream_that_is_left(server, extended, openai_client, leave):
    """It is active until then, and not after."""
    server.reply(Sse(chunks("Hel", "lo")))
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    next(stream)
    assert 1 == extras(extended)[ACTIVE]

    if leave == "close":
        stream.close()
        stream.close()
    elif leave == "with":
        with stream:
            pass
    del stream
    gc.collect()

    assert {**ONE, CHUNKS: 1} == extras(extended)


def test_a_stream_that_is_never_read(server, extended, openai_client):
    """The same, and it has no chunks."""
    server.reply(Sse(chunks("Hello")))

    openai_client().chat.completions.create(**CHAT, stream=True).close()

    assert ONE == extras(extended)


async def test_a_cancelled_call(server, extended, async_openai_client):
    """It is an error, and no longer active."""
    import asyncio

    server.reply(Hang())
    task = asyncio.ensure_future(async_openai_client().chat.completions.create(**CHAT))
    while not server.requests:
        await asyncio.sleep(0.001)
    assert 1 == extras(extended)[ACTIVE]

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert {**ONE, ERRORS: 1} == extras(extended)


def test_many_at_once(server, extended, openai_client):
    """As many are active as are under way."""
    server.reply_always(lambda _request: Sse(chunks("Hello")))
    client = openai_client()
    streams = [client.chat.completions.create(**CHAT, stream=True) for _ in range(5)]
    assert 5 == extras(extended)[ACTIVE]

    readers = [threading.Thread(target=list, args=(stream,)) for stream in streams]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert {ACTIVE: 0, COUNT: 5, MESSAGE_COUNT: 5, CHUNKS: 10} == extras(extended)


def test_a_server_that_tells_who_it_is(server, extended, openai_client):
    """Both ends of the call count under the name that it had at the start."""
    server.reply(Json(completion(system_fingerprint="vllm-1")))

    openai_client().chat.completions.create(**CHAT)

    (active,) = extended.metrics[ACTIVE]
    assert (0, "openai") == (active.value, active.attributes["gen_ai.provider.name"])
    (speed,) = extended.metrics[SPEED]
    assert ("vllm", SERVED) == (speed.attributes["gen_ai.provider.name"], speed.attributes["gen_ai.response.model"])


def test_uninstrumented_meanwhile(server, extended, openai_client):
    """What has begun is counted to its end."""
    server.reply(Sse(chunks("Hello")))
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    OpenAIInstrumentor().uninstrument()
    list(stream)

    assert {**ONE, CHUNKS: 2} == extras(extended)


HI = {"role": "user", "content": "Hi"}
COUNTS: dict[str, tuple[Callable[[Any, Any, Any], Any], Any, int | None]] = {
    "chat": (
        lambda openai, _anthropic, _ollama: openai.chat.completions.create(model=MODEL, messages=[HI] * 3),
        completion(),
        3,
    ),
    "responses, a text": (
        lambda openai, _anthropic, _ollama: openai.responses.create(model=MODEL, input="Hi"),
        response(),
        1,
    ),
    "responses, items": (
        lambda openai, _anthropic, _ollama: openai.responses.create(model=MODEL, input=[HI, HI]),
        response(),
        2,
    ),
    "messages": (
        lambda _openai, anthropic, _ollama: anthropic.messages.create(**{**MESSAGES, "messages": [HI] * 3}),
        message(text("Hello")),
        3,
    ),
    "Ollama's chat": (
        lambda _openai, _anthropic, ollama: ollama.chat(model="llama3", messages=[HI, HI]),
        {"model": "llama3", "message": HI, "done": True},
        2,
    ),
    "Ollama's generate": (
        lambda _openai, _anthropic, ollama: ollama.generate(model="llama3", prompt="Hi"),
        {"model": "llama3", "response": "Hello", "done": True},
        None,
    ),
    "embeddings": (
        lambda openai, _anthropic, _ollama: openai.embeddings.create(
            model="e", input=["a", "b"], encoding_format="float"
        ),
        {"object": "list", "model": "e", "data": []},
        None,
    ),
}


@pytest.mark.parametrize("call", COUNTS)
def test_how_many_messages(server, extended, clients, call):
    """What the request has of messages; an operation that has none is counted without."""
    make, body, expected = COUNTS[call]
    if call.startswith("responses") and not hasattr(openai.OpenAI, "responses"):
        pytest.skip("this SDK has no responses")
    server.reply(Json(body))

    make(*clients)

    points = extended.metrics.get(MESSAGE_COUNT)
    assert expected == (points and points[0].sum)
    assert {ACTIVE: 0, COUNT: 1}.items() <= extras(extended).items()


def test_messages_that_come_one_by_one_are_not_taken_from_the_caller(server, extended, anthropic_client):
    """Their number is not known then, and the SDK gets all of them."""
    server.reply(Json(message(text("Hello"))))

    try:
        anthropic_client.messages.create(**{**MESSAGES, "messages": iter([HI, HI])})
    except TypeError:
        pytest.skip("this SDK does not take iterators")

    assert [HI, HI] == server.requests[-1].json["messages"]


LIMITS: dict[str, tuple[dict[str, str], dict[str, int]]] = {
    "OpenAI": (
        {"x-ratelimit-remaining-requests": "59", "x-ratelimit-remaining-tokens": "149984"},
        {"requests": 59, "tokens": 149984},
    ),
    "Anthropic": (
        {
            "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-tokens-remaining": "38000",
            "anthropic-ratelimit-input-tokens-remaining": "30000",
            "anthropic-ratelimit-output-tokens-remaining": "8000",
            "anthropic-ratelimit-requests-reset": "2099-01-01T00:00:00Z",
        },
        {"requests": 49, "tokens": 38000, "input_tokens": 30000, "output_tokens": 8000},
    ),
    "none left": ({"x-ratelimit-remaining-requests": "0"}, {"requests": 0}),
    "no numbers": (
        {"x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "None", "x-ratelimit-remaining": "5"},
        {},
    ),
    "too large": ({"x-ratelimit-remaining-requests": "9" * 30}, {}),
    "empty": ({"x-ratelimit-remaining-requests": ""}, {}),
}


@pytest.mark.parametrize("kind", ["plain", "streamed", "refused", "raw"])
@pytest.mark.parametrize("case", LIMITS)
def test_what_is_left_of_rate_limits(server, extended, openai_client, case, kind):
    """By the headers of every answer, a refusal's the first of them; what is no number is nothing."""
    headers, expected = LIMITS[case]
    plain = Json(completion(), headers=headers)
    refused = Json(error("no"), status=429, headers=headers)
    server.reply({"streamed": Sse(chunks("Hello"), headers=headers), "refused": refused}.get(kind, plain))
    completions = openai_client().chat.completions

    if kind == "refused":
        with pytest.raises(openai.RateLimitError):
            completions.create(**CHAT)
    elif kind == "raw":
        completions.with_raw_response.create(**CHAT)
    elif kind == "streamed":
        list(completions.create(**CHAT, stream=True))
    else:
        completions.create(**CHAT)

    assert {LIMIT + name: left for name, left in expected.items()} == {
        name: left for name, left in extras(extended).items() if name.startswith(LIMIT)
    }


def test_the_last_answer_counts(server, extended, openai_client):
    """A gauge of each model at each server."""
    for left in ("10", "9"):
        server.reply(Json(completion(), headers={"x-ratelimit-remaining-requests": left}))
        openai_client().chat.completions.create(**CHAT)

    (gauge,) = extended.metrics[LIMIT + "requests"]
    assert 9 == gauge.value
    assert {"gen_ai.provider.name", "gen_ai.request.model", "server.address", "server.port"} == gauge.attributes.keys()


@pytest.mark.parametrize("setting", [None, "standard", "STANDARD", "everything"])
def test_off(server, telemetry, openai_client, caplog, setting):
    """By default, by word, and by a word that is wrong, which gets a warning: none of it is there."""
    OpenAIInstrumentor().instrument(**telemetry.providers, metrics=setting)
    server.reply(
        Sse([*chunks("Hello"), chunk(choices=[], usage=USAGE)], headers={"x-ratelimit-remaining-requests": "1"})
    )

    list(openai_client().chat.completions.create(**CHAT, stream=True))

    assert {} == extras(telemetry)
    assert ("everything" == setting) == any("extended" in line.getMessage() for line in caplog.records)


def test_by_the_environment(server, telemetry, openai_client, monkeypatch):
    """The variable does the same."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_METRICS", "extended")
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)

    assert {**ONE, SPEED: 1} == extras(telemetry)


def test_a_stream_of_anthropic_s(server, extended, anthropic_client):
    """Each event is a chunk."""
    events = text_events("Hel", "lo")
    server.reply(Sse(events, event_names=True))

    list(anthropic_client.messages.create(**MESSAGES, stream=True))

    assert {**ONE, CHUNKS: len(events), SPEED: 1} == extras(extended)


def test_a_failing_meter_is_nothing_to_the_call(server, telemetry, openai_client, monkeypatch, caplog):
    """Telemetry that fails is dropped; the answer is the application's."""
    from opentelemetry_instrumentation_genai._runtime import guard
    from opentelemetry_instrumentation_genai._signals import extended_metrics

    monkeypatch.setattr(guard, "strict", False)
    monkeypatch.setattr(extended_metrics.ExtendedMetrics, "started", lambda *_args, **_kwargs: 1 / 0)
    OpenAIInstrumentor().instrument(**telemetry.providers, metrics="extended")
    server.reply(Json(completion()))

    with caplog.at_level(logging.WARNING, OURS):
        assert "Hello" == openai_client().chat.completions.create(**CHAT).choices[0].message.content

    assert f"chat {MODEL}" == telemetry.span.name
    assert ["ZeroDivisionError"] == [record.getMessage().split()[0] for record in caplog.records]
