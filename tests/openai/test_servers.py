"""Who answers, by what a server says of itself: only where neither its host, nor the client, nor the user tells."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from loopback import Json, Sse, Telemetry, Text
from loopback.openai_bodies import CHAT, chunk, completion, error
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

PROVIDER = "gen_ai.provider.name"
LITELLM = {"server": "uvicorn", "X-LiteLLM-Version": "1.93.0", "x-litellm-call-id": "1"}
LLAMA_CPP = {"Server": "llama.cpp"}
SERVERS = {
    "llama.cpp, by its header": (LLAMA_CPP, {}, "llama_cpp"),
    "llama.cpp behind a proxy": ({"server": "nginx"}, {"system_fingerprint": "b11669-Debian"}, "llama_cpp"),
    "LiteLLM": (LITELLM, {}, "litellm"),
    "LiteLLM before Ollama": (LITELLM, {"system_fingerprint": "fp_ollama"}, "litellm"),
    "LiteLLM before llama.cpp": ({**LLAMA_CPP, **LITELLM, "server": "llama.cpp"}, {}, "litellm"),
    "Ollama": ({}, {"system_fingerprint": "fp_ollama"}, "ollama"),
    "vLLM": ({"server": "uvicorn"}, {"system_fingerprint": "vllm-0.23.0-tp2-39ad13f9"}, "vllm"),
    "LM Studio": (
        {},
        {"model": "google/gemma-3-4b", "system_fingerprint": "google/gemma-3-4b", "stats": {}},
        "lm_studio",
    ),
    # These say nothing that we know.
    "nothing": ({}, {}, "openai"),
    "uvicorn": ({"server": "uvicorn"}, {"system_fingerprint": None}, "openai"),
    "a fingerprint of OpenAI": ({}, {"system_fingerprint": "fp_44709d6fcb"}, "openai"),
    "a fingerprint alike": ({}, {"system_fingerprint": "fp_ollama_2"}, "openai"),
    "another alike": ({}, {"system_fingerprint": "b-1"}, "openai"),
    "no text": ({}, {"system_fingerprint": ["fp_ollama"], "stats": {}}, "openai"),
    "a model as fingerprint": ({}, {"model": "m", "system_fingerprint": "m"}, "openai"),
    "a header alike": ({"server": "llama.cpp.example", "x-litellm": "1"}, {}, "openai"),
}


def recorded_provider(telemetry: Telemetry) -> Any:
    """The provider of the last span; AssertionError where the points of the metrics and the event have another."""
    provider = telemetry.spans[-1].attributes[PROVIDER]
    for points in telemetry.metrics.values():
        assert {provider} == {point.attributes[PROVIDER] for point in points}
    assert {provider} >= {event.attributes[PROVIDER] for event in telemetry.events if PROVIDER in event.attributes}
    return provider


@pytest.mark.parametrize("case", SERVERS)
def test_by_what_it_says(server, telemetry, openai_client, case):
    """The first call is recorded with it in all signals, and the next begins with it."""
    headers, body, provider = SERVERS[case]
    server.reply_always(Json(completion(**body), headers=headers))
    OpenAIInstrumentor().instrument(**telemetry.providers, emit_event=True)
    client = openai_client()

    client.chat.completions.create(**CHAT)
    assert provider == recorded_provider(telemetry)
    client.chat.completions.create(**CHAT)
    assert provider == recorded_provider(telemetry)


@pytest.mark.parametrize("case", ["llama.cpp, by its header", "LiteLLM", "Ollama", "vLLM", "nothing"])
@pytest.mark.parametrize("read", ["events", "lines"])
def test_by_a_stream(server, telemetry, openai_client, case, read):
    """The same of a stream, with chunks that are measured as they come."""
    headers, body, provider = SERVERS[case]
    server.reply(
        Sse([chunk({"content": word}, **body) for word in "abc"] + [chunk(reason="stop", **body)], headers=headers)
    )
    OpenAIInstrumentor().instrument(**telemetry.providers)

    if read == "events":
        assert 4 == len(list(openai_client().chat.completions.create(**CHAT, stream=True)))
    else:
        with openai_client().chat.completions.with_streaming_response.create(**CHAT, stream=True) as raw:
            list(raw.iter_lines())

    assert provider == recorded_provider(telemetry)
    assert "gen_ai.client.operation.time_per_output_chunk" in telemetry.metrics


def test_by_the_last_chunk(server, telemetry, openai_client):
    """VLLM says it with the usage only: the chunks before were measured without it."""
    server.reply_always(
        Sse([chunk({"content": "a"}), chunk(reason="stop"), chunk(choices=[], system_fingerprint="vllm-0.23.0-1")])
    )
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client()

    list(client.chat.completions.create(**CHAT, stream=True))

    assert "vllm" == telemetry.span.attributes[PROVIDER]
    providers = {name: {point.attributes[PROVIDER] for point in points} for name, points in telemetry.metrics.items()}
    assert {"openai"} == providers.pop("gen_ai.client.operation.time_per_output_chunk")
    assert {"vllm"} == set().union(*providers.values())
    telemetry.clear()
    list(client.chat.completions.create(**CHAT, stream=True))
    assert "vllm" == recorded_provider(telemetry)


async def test_by_an_asynchronous_call(server, telemetry, async_openai_client):
    """The same."""
    server.reply_always(Json(completion(system_fingerprint="fp_ollama")))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    await async_openai_client().chat.completions.create(**CHAT)

    assert "ollama" == recorded_provider(telemetry)


@pytest.mark.parametrize("raw", ["with_raw_response", "with_streaming_response"])
def test_by_a_raw_response(server, telemetry, openai_client, raw):
    """Raw responses too: we see their body as JSON."""
    server.reply(Json(completion(system_fingerprint="fp_ollama")))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    made = getattr(openai_client().chat.completions, raw).create(**CHAT)
    if raw == "with_streaming_response":
        with made as response:
            response.read()

    assert "ollama" == recorded_provider(telemetry)


@pytest.mark.parametrize("headers", [LLAMA_CPP, LITELLM], ids=["llama.cpp", "LiteLLM"])
def test_by_a_failure(server, telemetry, openai_client, headers):
    """Who refuses a call says who it is as well."""
    server.reply(Json(error("No"), status=400, headers=headers))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with pytest.raises(openai.BadRequestError):
        openai_client().chat.completions.create(**CHAT)

    assert ("litellm" if headers is LITELLM else "llama_cpp") == recorded_provider(telemetry)


def test_by_embeddings(server, telemetry, openai_client):
    """They have headers, too."""
    body = {"object": "list", "data": [], "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    server.reply(Json(body, headers=LLAMA_CPP))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().embeddings.create(model="m", input=[1], encoding_format="float")

    assert "llama_cpp" == recorded_provider(telemetry)


def test_by_an_answer_that_is_none(server, telemetry, openai_client):
    """A text, as a proxy may give it, says nothing."""
    server.reply(Text("hello"))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(**CHAT)

    assert "openai" == recorded_provider(telemetry)


@pytest.mark.parametrize("body", [{}, {"system_fingerprint": "fp_ollama"}], ids=["header", "body"])
def test_a_span_that_is_not_sampled(server, openai_client, body):
    """The metrics have it without a span."""
    telemetry = Telemetry(ALWAYS_OFF)
    server.reply(Json(completion(**body), headers={} if body else LLAMA_CPP))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(**CHAT)

    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert ("ollama" if body else "llama_cpp") == duration.attributes[PROVIDER]


def test_what_is_declared_wins(server, telemetry, openai_client):
    """The user knows better, whatever the server says."""
    server.reply(Json(completion(system_fingerprint="fp_ollama"), headers=LITELLM))
    OpenAIInstrumentor().instrument(**telemetry.providers, host_providers="127.0.0.1=mine")

    openai_client().chat.completions.create(**CHAT)

    assert "mine" == recorded_provider(telemetry)


def test_a_known_host_wins(server, telemetry, openai_client):
    """So does the name of a public provider, and Azure's client."""

    def lead(request):
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)

    server.reply_always(Json(completion(system_fingerprint="fp_ollama"), headers=LITELLM))
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client(base_url="https://api.groq.com/openai/v1")
    client._client.event_hooks = {"request": [lead]}

    client.chat.completions.create(**CHAT)
    openai_client(
        openai.AzureOpenAI, base_url=None, azure_endpoint=server.url, api_version="2024-10-21"
    ).chat.completions.create(**CHAT)

    assert ["groq", "azure.ai.openai"] == [span.attributes[PROVIDER] for span in telemetry.spans]


def test_what_is_remembered(server, telemetry, openai_client):
    """By base URL, for all clients; what a server says later counts from then on."""
    starts: list[Any] = []

    class Starts(SpanProcessor):
        """Notes with what a span starts."""

        def on_start(self, span, parent_context=None):
            starts.append(span.attributes[PROVIDER])

    telemetry.tracer_provider.add_span_processor(Starts())
    vllm, silent = Json(completion(system_fingerprint="vllm-0.23.0-1")), Json(completion())
    server.reply(vllm, silent, silent, silent, Json(completion(), headers=LITELLM), silent)
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client()

    for each in (
        client,
        client,
        openai_client(),
        client.with_options(base_url=f"{server.url}/v2"),
        client.with_options(timeout=5),
        client,
    ):
        each.chat.completions.create(**CHAT)

    assert ["openai", "vllm", "vllm", "openai", "vllm", "litellm"] == starts
    ends = [span.attributes[PROVIDER] for span in telemetry.spans]
    assert ["vllm", "vllm", "vllm", "openai", "litellm", "litellm"] == ends


def test_points_that_were_recorded_stay(server, telemetry, openai_client):
    """What a later call learns does not change what was recorded of an earlier one."""
    server.reply(Json(completion()), Json(completion(system_fingerprint="fp_ollama")))
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client()

    client.chat.completions.create(**CHAT)
    client.chat.completions.create(**CHAT)

    points = telemetry.metrics["gen_ai.client.operation.duration"]
    assert [("openai", 1), ("ollama", 1)] == [(point.attributes[PROVIDER], point.count) for point in points]
