"""What a call cost: by the provider's own bill, by the user's prices, by the public list; and nothing where nobody knows.

Each expected figure is written as the sum that a person would make of it: tokens times USD for a million.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Inexact, localcontext
from pathlib import Path
from typing import Any

import openai
import pytest

from led import anthropic_at, openai_at
from loopback import Json, ModelServer, Sse, Telemetry
from loopback.anthropic_bodies import MESSAGES, ended, events, message, started, text
from loopback.openai_bodies import CHAT, chunk, chunks, completion, response
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor

pytest.importorskip("genai_prices", reason="genai-prices is not installed")

OURS = "opentelemetry_instrumentation_genai"
COST, METRIC = "gen_ai.usage.cost", "gen_ai.client.operation.cost"
OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com"
GPT_4O, SONNET = "gpt-4o-2024-08-06", "claude-sonnet-4-5-20250929"
M = 1_000_000


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What closes the clients."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def cost_of(server: ModelServer, telemetry: Telemetry, opened: ExitStack) -> Callable[..., float | None]:
    """Makes a call that is answered so, and returns its cost, after the span and the metric are seen to agree."""

    def cost(reply: Any, base_url: str = OPENAI, call: Any = None, **settings: Any) -> float | None:
        telemetry.clear()
        server.reply(reply)
        given = {"prices": "genai-prices", **settings}
        if call is None:
            call = messages if "anthropic" in base_url else chat
        at, instrumentor = (
            (anthropic_at, AnthropicInstrumentor) if call is messages else (openai_at, OpenAIInstrumentor)
        )
        instrumentor().instrument(**telemetry.providers, **given)
        call(opened.enter_context(at(server, base_url)), stream=isinstance(reply, Sse))
        instrumentor().uninstrument()
        return recorded_cost(telemetry)

    return cost


def chat(client: Any, *, stream: bool) -> None:
    """A chat of OpenAI's."""
    made = client.chat.completions.create(**{**CHAT, "stream": stream})
    if stream:
        list(made)


def messages(client: Any, *, stream: bool) -> None:
    """A message of Anthropic's."""
    made = client.messages.create(**{**MESSAGES, "stream": stream})
    if stream:
        list(made)


def responses(client: Any, *, stream: bool) -> None:
    """A response of OpenAI's."""
    client.responses.create(model="gpt-4o", input="Hi")


def embeddings(client: Any, *, stream: bool) -> None:
    """Embeddings of OpenAI's."""
    client.embeddings.create(model="text-embedding-3-small", input="Hi", encoding_format="float")


def recorded_cost(telemetry: Telemetry) -> float | None:
    """The cost on the span, which is that of the metric."""
    found = telemetry.span.attributes.get(COST)
    points = telemetry.metrics.get(METRIC, [])
    assert ([] if found is None else [found]) == [point.sum for point in points]
    assert found is None or type(found) is float
    return found


def plain(model: str, **usage: Any) -> Json:
    """A chat completion of that model with that usage."""
    return Json(completion(model=model, usage=usage))


def claude(model: str, **usage: Any) -> Json:
    """A message of that model with that usage."""
    return Json(message(text("Hello"), model=model, usage=usage))


CACHED = {"prompt_tokens": 2000, "completion_tokens": 300, "prompt_tokens_details": {"cached_tokens": 1500}}
WRITTEN = {
    "input_tokens": 100,
    "cache_read_input_tokens": 5000,
    "cache_creation_input_tokens": 3000,
    "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
    "output_tokens": 400,
}
# The call and its sum, in USD.
LISTED: dict[str, tuple[Json, str, Any, float]] = {
    "cached tokens are cheaper": (plain(GPT_4O, **CACHED), OPENAI, None, (500 * 2.5 + 1500 * 1.25 + 300 * 10) / M),
    "thinking is part of the output": (
        plain(
            "gpt-5",
            prompt_tokens=100,
            completion_tokens=900,
            completion_tokens_details={"reasoning_tokens": 800},
        ),
        OPENAI,
        None,
        (100 * 1.25 + 900 * 10) / M,
    ),
    "sound is dearer": (
        plain(
            "gpt-audio",
            prompt_tokens=500,
            completion_tokens=200,
            prompt_tokens_details={"audio_tokens": 400, "cached_tokens": 0},
            completion_tokens_details={"audio_tokens": 150, "reasoning_tokens": 0},
        ),
        OPENAI,
        None,
        (100 * 2.5 + 400 * 32 + 50 * 10 + 150 * 64) / M,
    ),
    "a tier of service has its price": (
        Json(completion(model=GPT_4O, usage=CACHED, service_tier="priority")),
        OPENAI,
        None,
        (500 * 4.25 + 1500 * 2.125 + 300 * 17) / M,
    ),
    "the usual tier has the usual price": (
        Json(completion(model=GPT_4O, usage=CACHED, service_tier="default")),
        OPENAI,
        None,
        (500 * 2.5 + 1500 * 1.25 + 300 * 10) / M,
    ),
    "a region of OpenAI's, which the list does not have by its URL": (
        plain(GPT_4O, prompt_tokens=1000, completion_tokens=10),
        "https://eu.api.openai.com/v1",
        None,
        (1000 * 2.5 + 10 * 10) / M,
    ),
    "models of OpenAI at Azure": (
        plain(GPT_4O, prompt_tokens=1000, completion_tokens=10),
        "https://acme.openai.azure.com/openai/v1",
        None,
        (1000 * 2.5 + 10 * 10) / M,
    ),
    "a long input costs more for all of it": (
        plain("gemini-2.5-pro", prompt_tokens=300_000, completion_tokens=10, total_tokens=300_010),
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        None,
        (300_000 * 2.5 + 10 * 15) / M,
    ),
    "thinking that Gemini counts in the total alone": (
        plain("gemini-2.5-flash", prompt_tokens=100, completion_tokens=10, total_tokens=160),
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        None,
        (100 * 0.3 + 60 * 2.5) / M,
    ),
    "Anthropic's caches, read and written for 5 minutes and an hour": (
        claude(SONNET, **WRITTEN),
        ANTHROPIC,
        None,
        (100 * 3 + 5000 * 0.3 + 1000 * 3.75 + 2000 * 6 + 400 * 15) / M,
    ),
    "Anthropic's cache without how long it keeps": (
        claude(SONNET, input_tokens=100, cache_creation_input_tokens=3000, output_tokens=400),
        ANTHROPIC,
        None,
        (100 * 3 + 3000 * 3.75 + 400 * 15) / M,
    ),
    "Anthropic's long input, whose length counts the cache": (
        claude(SONNET, input_tokens=1000, cache_read_input_tokens=200_000, output_tokens=10),
        ANTHROPIC,
        None,
        (1000 * 6 + 200_000 * 0.6 + 10 * 22.5) / M,
    ),
    "searches of Anthropic's": (
        claude(SONNET, input_tokens=100, output_tokens=10, server_tool_use={"web_search_requests": 3}),
        ANTHROPIC,
        None,
        (100 * 3 + 10 * 15) / M + 3 * 10 / 1000,
    ),
    "a compaction, which is billed beside the usage": (
        claude(
            SONNET,
            input_tokens=100,
            output_tokens=10,
            iterations=[
                {"type": "compaction", "input_tokens": 70_000, "output_tokens": 900, "cache_read_input_tokens": 50_000},
                {"type": "message", "input_tokens": 100, "output_tokens": 10},
            ],
        ),
        ANTHROPIC,
        None,
        (100 * 3 + 10 * 15) / M + (70_000 * 3 + 50_000 * 0.3 + 900 * 15) / M,
    ),
    "advice of another model": (
        claude(
            SONNET,
            input_tokens=100,
            output_tokens=10,
            iterations=[
                {
                    "type": "advisor_message",
                    "model": "claude-3-haiku-20240307",
                    "input_tokens": 1000,
                    "output_tokens": 100,
                }
            ],
        ),
        ANTHROPIC,
        None,
        (100 * 3 + 10 * 15) / M + (1000 * 0.25 + 100 * 1.25) / M,
    ),
    "embeddings": (
        Json({"object": "list", "model": "text-embedding-3-small", "data": [], "usage": {"prompt_tokens": 500}}),
        OPENAI,
        embeddings,
        500 * 0.02 / M,
    ),
}


@pytest.mark.parametrize("case", LISTED)
def test_by_the_list(cost_of, case):
    """Each unit at its price, and none twice."""
    reply, base_url, call, expected = LISTED[case]

    assert pytest.approx(expected, rel=1e-12) == cost_of(reply, base_url, call)


@pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this SDK has no responses")
def test_responses_by_the_list(cost_of):
    """The Responses API says it in other words."""
    usage = {"input_tokens": 2000, "output_tokens": 300, "input_tokens_details": {"cached_tokens": 1500}}
    reply = Json(response(model=GPT_4O, usage={**usage, "output_tokens_details": {"reasoning_tokens": 0}}))

    assert pytest.approx((500 * 2.5 + 1500 * 1.25 + 300 * 10) / M) == cost_of(reply, OPENAI, responses)


# Calls of which the list must not tell a price.
UNLISTED: dict[str, tuple[Any, str]] = {
    "a model that it does not have": (plain("gpt-of-tomorrow", prompt_tokens=1, completion_tokens=1), OPENAI),
    "a model of another's, at a server that nobody knows": (plain(GPT_4O, **CACHED), "http://localhost:8000/v1"),
    "a host that only looks like one": (plain(GPT_4O, **CACHED), "https://api.openai.example.com/v1"),
    "Anthropic's model at a server that nobody knows": (claude(SONNET, **WRITTEN), "http://anthropic.example.com"),
    "a tier without a price": (Json(completion(model=GPT_4O, usage=CACHED, service_tier="scale")), OPENAI),
    "Anthropic's tier by commitment": (claude(SONNET, **WRITTEN, service_tier="priority"), ANTHROPIC),
    "Anthropic's surcharge for a region": (claude(SONNET, **WRITTEN, inference_geo="us"), ANTHROPIC),
    "another model that took over": (
        claude(SONNET, **WRITTEN, iterations=[{"type": "fallback_message", "model": "claude-3-haiku-20240307"}]),
        ANTHROPIC,
    ),
    "a turn of a kind that nobody knows": (
        claude(SONNET, **WRITTEN, iterations=[{"type": ["message"], "model": SONNET}, {"type": {}}]),
        ANTHROPIC,
    ),
    "sound without a price for it": (
        plain(
            "gpt-4o-audio-preview",
            prompt_tokens=500,
            completion_tokens=20,
            prompt_tokens_details={"audio_tokens": 400},
        ),
        OPENAI,
    ),
    "parts that are more than the whole": (
        plain(GPT_4O, prompt_tokens=10, completion_tokens=1, prompt_tokens_details={"cached_tokens": 11}),
        OPENAI,
    ),
    "searches that are not counted": (
        plain("sonar", prompt_tokens=10, completion_tokens=1),
        "https://api.perplexity.ai",
    ),
}


@pytest.mark.parametrize("case", UNLISTED)
def test_what_the_list_cannot_tell(cost_of, caplog, case):
    """No cost rather than a wrong one; one line says that there is none, and for which model."""
    reply, base_url = UNLISTED[case]

    with caplog.at_level(logging.WARNING, OURS):
        assert [None, None] == [cost_of(reply, base_url), cost_of(reply, base_url)]

    (line,) = [record.getMessage() for record in caplog.records]
    assert reply.body["model"] in line
    assert "OTEL_INSTRUMENTATION_GENAI_PRICES=file:" in line


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 8}, {"completion_tokens": 8}, {"prompt_tokens": "8"}])
def test_without_usage(cost_of, caplog, usage):
    """What was not reported is not guessed, and nothing is wrong with the model."""
    with caplog.at_level(logging.WARNING, OURS):
        assert cost_of(Json(completion(model=GPT_4O, usage=usage))) is None

    assert [] == caplog.records


def test_a_declared_host(cost_of):
    """A gateway of which the user says whom it stands for has that provider's prices."""
    reply = plain(GPT_4O, prompt_tokens=1000, completion_tokens=10)

    found = cost_of(reply, "http://llm.internal:8080/v1", host_providers="llm.internal:8080=openai")

    assert pytest.approx((1000 * 2.5 + 10 * 10) / M) == found


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", (1000 * 3.3 + 10 * 16.5) / M),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", (1000 * 3 + 10 * 15) / M),
        ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/mine", None),
    ],
)
def test_bedrock(server, telemetry, opened, model, expected):
    """Its prices are by the name in the request, which tells where the model may run."""
    OpenAIInstrumentor().instrument(**telemetry.providers, prices="genai-prices")
    server.reply(plain(SONNET, prompt_tokens=1000, completion_tokens=10))
    client = opened.enter_context(openai_at(server, "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1"))

    client.chat.completions.create(**{**CHAT, "model": model})

    assert (None if expected is None else pytest.approx(expected)) == recorded_cost(telemetry)


def test_all_models_cost_what_the_package_says():
    """Our arithmetic returns what the package's does, for each model and each of its variants, such as service tiers.

    It takes a tenth of the time or less, needs no package for prices of a file, and does not depend on the decimal context of
    the application's thread, and the package's results have its precision.
    """
    import genai_prices
    from genai_prices.data_snapshot import get_snapshot

    from opentelemetry_instrumentation_genai._cost.price_list import _Model

    compared = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            for terms in ({}, *(dict(variant.when) for variant in model.price_variants or ())):
                rates = _Model(model, provider).rates(terms)
                if rates is None:
                    continue
                for amounts in AMOUNTS:
                    usage = genai_prices.Usage(**amounts)
                    try:
                        expected = float(model.calc_price(usage, provider, price_context=terms).total_price)
                    except ValueError:
                        expected = None
                    found = rates.cost({**amounts, "requests": 1})
                    assert (pytest.approx(expected, rel=1e-12) if expected else expected) == found, (model.id, terms)
                    compared += 1
    assert compared > 10_000


def test_the_decimal_context_of_the_application_counts_for_no_cost():
    """A thread that computes with three digits has the same cost."""
    from genai_prices.data_snapshot import get_snapshot

    from opentelemetry_instrumentation_genai._cost.price_list import _Model

    provider, model = get_snapshot().find_provider_model(GPT_4O, None, "openai", None)
    with localcontext() as context:
        context.prec = 3
        context.traps[Inexact] = True

        rates = _Model(model, provider).rates({})
        assert rates is not None
        assert pytest.approx((123_457 * 2.5 + 7_891 * 10) / M) == rates.cost(
            {"input_tokens": 123_457, "output_tokens": 7_891}
        )


AMOUNTS: list[dict[str, int]] = [
    {"input_tokens": 100, "output_tokens": 50},
    {"input_tokens": 300_000, "output_tokens": 50, "cache_read_tokens": 250_000},
    {
        "input_tokens": 1000,
        "output_tokens": 50,
        "output_reasoning_tokens": 20,
        "cache_read_tokens": 200,
        "cache_write_tokens": 300,
        "cache_write_5m_tokens": 100,
        "cache_write_1h_tokens": 200,
        "web_searches": 3,
    },
    {"input_tokens": 1000, "output_tokens": 50, "input_audio_tokens": 100, "output_audio_tokens": 20},
    {"input_tokens": 1000, "output_tokens": 50, "input_audio_tokens": 100, "cache_read_tokens": 20},
    {"input_tokens": 10, "output_tokens": 50, "input_audio_tokens": 100},
    {
        "input_tokens": 1000,
        "output_tokens": 50,
        "input_text_tokens": 100,
        "input_image_tokens": 900,
        "cache_read_tokens": 20,
    },
]

TOKENS = {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010}
ROUTED, OF_X = "https://openrouter.ai/api/v1", "https://api.x.ai/v1"
# Provider's answer -> what it billed.
BILLED: dict[str, tuple[str, Mapping[str, Any], float | None]] = {
    "OpenRouter": (
        ROUTED,
        {"cost": 0.00014, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.00014}},
        0.00014,
    ),
    "OpenRouter, a whole number": (ROUTED, {"cost": 0}, 0.0),
    "OpenRouter, with a key of one's own": (
        ROUTED,
        {"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}},
        19.95,
    ),
    "OpenRouter, with a key of one's own and no bill": (ROUTED, {"cost": 0.95, "is_byok": True}, None),
    "OpenRouter, a text": (ROUTED, {"cost": "0.1"}, None),
    "OpenRouter, less than nothing": (ROUTED, {"cost": -1}, None),
    "OpenRouter, true": (ROUTED, {"cost": True}, None),
    "xAI": (OF_X, {"cost_in_usd_ticks": 37_756_000}, 0.0037756),
    "Perplexity": (
        "https://api.perplexity.ai",
        {"cost": {"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006}},
        0.006,
    ),
    "Perplexity, in another currency": (
        "https://api.perplexity.ai",
        {"cost": {"currency": "EUR", "total_cost": 0.006}},
        None,
    ),
    "DeepInfra": ("https://api.deepinfra.com/v1/openai", {"estimated_cost": 1.5e-05}, 1.5e-05),
    "somebody": ("https://llm.example.com/v1", {"cost": 1}, None),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("case", BILLED)
def test_what_the_provider_billed(cost_of, case, streamed):
    """Of a provider that says it, in plain answers and with the last usage of a stream."""
    base_url, usage, expected = BILLED[case]
    body = {"usage": {**TOKENS, **usage}}
    reply = Sse([*chunks("Hello"), chunk(choices=[], **body)]) if streamed else Json(completion(**body))

    assert expected == cost_of(reply, base_url, prices="billed")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.000415", 0.000415), ("0.0", 0.0), ("None", None), ("nan", None), ("-1", None), ("", None)],
)
def test_what_litellm_s_proxy_billed(cost_of, value, expected):
    """Its header, whoever is asked."""
    reply = Json(completion(), headers={"x-litellm-response-cost": value})

    assert expected == cost_of(reply, "http://llm.internal/v1", prices="billed")


def test_streams_of_litellm_s_proxy(cost_of):
    """The header of a stream was sent before anything was billed; the usage may have it, if the proxy is set so."""
    headers = {"x-litellm-response-cost": "0.0", "x-litellm-call-id": "1"}
    usage = chunk(choices=[], usage={**TOKENS, "cost": 0.25})

    assert cost_of(Sse(chunks("Hello"), headers=headers), "http://llm.internal/v1", prices="billed") is None
    assert 0.25 == cost_of(Sse([*chunks("Hello"), usage], headers=headers), "http://llm.internal/v1", prices="billed")


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[..., str]:
    """Writes rows into a file; returns the setting that names it."""

    def written(*rows: Any) -> str:
        path = tmp_path / "prices.json"
        path.write_text(json.dumps({"prices": rows}))
        return f"file:{path}"

    return written


PRICE = {"input": 2, "output": 4}
OF_PRICE = (1000 * 2 + 10 * 4) / M
# The row, and whether it is for a call of gpt-4o-mini at http://llm.internal:8000, which answers as gpt-4o-mini-2024-07-18.
ROWS: list[tuple[dict[str, str], bool]] = [
    ({"model": "gpt-4o-mini"}, True),
    ({"model": "gpt-4o-mini-2024-07-18"}, True),
    ({"model": "GPT-4o*"}, True),
    ({"model": "*"}, True),
    ({"model": "gpt-4o"}, False),
    ({"model": "[g]pt-4o-mini"}, False),
    ({"provider": "vllm"}, True),
    ({"provider": "openai"}, False),
    ({"host": "llm.internal"}, True),
    ({"host": "*.internal:8000"}, True),
    ({"host": "llm.internal:8001"}, False),
    ({"model": "gpt-4o*", "host": "other.internal"}, False),
    ({"model": "gpt-4o*", "provider": "vllm", "host": "llm.internal:8000"}, True),
    ({"model": "*", "service_tier": "priority"}, False),
]


@pytest.mark.parametrize(("row", "fits"), ROWS, ids=repr)
def test_which_row_of_a_file_fits(cost_of, file_of, row, fits):
    """By the model's name in the request or in the response, the provider, the host and the tier, all that it has of these."""
    found = cost_of(
        Json(completion(usage=TOKENS)),
        "http://llm.internal:8000/v1",
        prices=file_of({**row, **PRICE}),
        host_providers="llm.internal=vllm",
    )

    assert (pytest.approx(OF_PRICE) if fits else None) == found


def test_the_first_row_counts(cost_of, file_of):
    """So what is special stands above what is general."""
    prices = file_of({"model": "gpt-4o-mini", **PRICE}, {"model": "*", "input": 100, "output": 100})

    assert pytest.approx(OF_PRICE) == cost_of(Json(completion(usage=TOKENS)), prices=prices)


PRICES_OF_ALL = {
    "input": 1,
    "input_audio": 10,
    "cache_read": 0.5,
    "cache_write": 2,
    "cache_write_1h": 3,
    "output": 5,
    "output_audio": 50,
    "reasoning": 7,
    "request": 0.25,
    "web_search": 0.5,
}
# prices, answer, sum
OWN: dict[str, tuple[Mapping[str, Any], Any, str, float | None]] = {
    "caches and searches": (
        PRICES_OF_ALL,
        claude(SONNET, **WRITTEN, server_tool_use={"web_search_requests": 2}),
        ANTHROPIC,
        (100 * 1 + 5000 * 0.5 + 1000 * 2 + 2000 * 3 + 400 * 5) / M + 2 * 0.5 + 0.25,
    ),
    "sound and thinking": (
        PRICES_OF_ALL,
        plain(
            "gpt-audio",
            prompt_tokens=500,
            completion_tokens=200,
            prompt_tokens_details={"audio_tokens": 400},
            completion_tokens_details={"audio_tokens": 150, "reasoning_tokens": 20},
        ),
        OPENAI,
        (100 * 1 + 400 * 10 + 30 * 5 + 150 * 50 + 20 * 7) / M + 0.25,
    ),
    "what has no price is what it is part of": (
        {"input": 1, "output": 5},
        claude(SONNET, **WRITTEN),
        ANTHROPIC,
        (8100 * 1 + 400 * 5) / M,
    ),
    "nothing for nothing": ({"input": 0, "output": 0}, plain(GPT_4O, **CACHED), OPENAI, 0.0),
    "a flat price": ({"input": 0, "output": 0, "request": 0.01}, plain(GPT_4O, **CACHED), OPENAI, 0.01),
    "a flat price, and a compaction in the same request": (
        {"input": 0, "output": 0, "request": 0.01},
        claude(
            SONNET,
            input_tokens=100,
            output_tokens=10,
            iterations=[{"type": "compaction", "input_tokens": 70_000, "output_tokens": 900}],
        ),
        ANTHROPIC,
        0.01,
    ),
    "output without a price": ({"input": 1}, plain(GPT_4O, **CACHED), OPENAI, None),
}


@pytest.mark.parametrize("case", OWN)
def test_by_the_user_s_prices(cost_of, file_of, case):
    """Each unit at its price, and none twice."""
    prices, reply, base_url, expected = OWN[case]

    found = cost_of(reply, base_url, prices=file_of({"model": "*", **prices}))

    assert (None if expected is None else pytest.approx(expected, rel=1e-12)) == found


BAD: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "no JSON"),
    "another root": ("[]", '{"prices": [...]}'),
    "no rows": ('{"prices": []}', "no prices"),
    "a row that is none": ('{"prices": [1]}', "prices[0] is no object"),
    "a name mistyped": ('{"prices": [{"model": "a", "input": 1, "ouput": 1}]}', "prices[0] has 'ouput'"),
    "no pattern": ('{"prices": [{"input": 1}]}', "prices[0] names no model"),
    "no price": ('{"prices": [{"model": "a"}]}', "prices[0] has a price neither"),
    "a text for a price": ('{"prices": [{"model": "a", "input": "1"}]}', "prices[0].input"),
    "less than nothing": ('{"prices": [{"model": "a", "input": -1}]}', "prices[0].input"),
    "no number": ('{"prices": [{"model": "a", "input": NaN}]}', "prices[0].input"),
    "true": ('{"prices": [{"model": "a", "input": true}]}', "prices[0].input"),
    "a number for a model": ('{"prices": [{"model": 1, "input": 1}]}', "prices[0].model"),
    "in the second row": ('{"prices": [{"model": "a", "input": 1}, {"model": "", "input": 1}]}', "prices[1].model"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_wrong(cost_of, caplog, tmp_path, case):
    """One warning names the setting, the file and what is wrong; then no call has a cost, also none by the list."""
    content, expected = BAD[case]
    path = tmp_path / "prices.json"
    path.write_text(content)

    with caplog.at_level(logging.WARNING, OURS):
        assert cost_of(plain(GPT_4O, **CACHED), prices=f"file:{path},genai-prices") is None

    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("prices=")
    assert expected in line
    assert str(path) in line


def test_a_file_that_is_not_there(cost_of, caplog, tmp_path):
    """The same."""
    with caplog.at_level(logging.WARNING, OURS):
        assert cost_of(plain(GPT_4O, **CACHED), prices=f"file:{tmp_path / 'none.json'}") is None

    (line,) = [record.getMessage() for record in caplog.records]
    assert "No such file" in line


BILL = Json(completion(model="openai/gpt-4o-mini", usage={**TOKENS, "cost": 0.5}))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("{file}", 0.5),
        ("{file},genai-prices", 0.5),
        ("genai-prices", 0.5),
        ("{file},billed", OF_PRICE),
        ("{file},billed,genai-prices", OF_PRICE),
        ("genai-prices,{file},billed", (1000 * 0.15 + 10 * 0.6) / M),
    ],
)
def test_the_order(cost_of, file_of, order, expected):
    """The sources are asked in the order in which they stand; what was billed comes first, unless it has another place."""
    prices = order.format(file=file_of({"model": "*", **PRICE}))

    found = cost_of(BILL, ROUTED, prices=prices)

    assert pytest.approx(expected) == found


def test_the_next_source_knows_better(cost_of, file_of):
    """What one does not know the next one is asked."""
    prices = "billed," + file_of({"model": "another", **PRICE}) + ",genai-prices"

    assert pytest.approx((1000 * 2.5 + 10 * 10) / M) == cost_of(plain(GPT_4O, **TOKENS), prices=prices)


@pytest.mark.parametrize("setting", [None, "off", "", "standard"])
def test_off(cost_of, telemetry, monkeypatch, setting):
    """By default, by word, and by a word that is wrong: no attribute, no metric, and the list is not loaded."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    assert cost_of(BILL, ROUTED, prices=setting) is None

    assert METRIC not in telemetry.metrics
    assert COST not in telemetry.span.attributes


def test_without_the_package(cost_of, caplog, monkeypatch):
    """One line says what to install; what was billed is recorded all the same."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    with caplog.at_level(logging.WARNING, OURS):
        assert [0.5, 0.5] == [cost_of(BILL, ROUTED), cost_of(BILL, ROUTED)]

    (line,) = [record.getMessage() for record in caplog.records]
    assert "opentelemetry-instrumentation-genai[prices]" in line


def test_the_package_reaches_for_nothing(cost_of, monkeypatch):
    """It has its prices with it: no socket but that of the call is opened, and no thread is started for newer ones."""
    import socket
    import threading

    reached: list[Any] = []
    connect = socket.socket.connect

    def connected(this: Any, address: Any) -> Any:
        reached.append(address)
        return connect(this, address)

    monkeypatch.setattr(socket.socket, "connect", connected)
    before = set(threading.enumerate())

    assert cost_of(plain(GPT_4O, **CACHED)) is not None

    assert {"127.0.0.1"} == {address[0] for address in reached}
    assert set() == {thread for thread in set(threading.enumerate()) - before if "price" in thread.name.lower()}


def test_streams(cost_of):
    """A stream with usage has a cost, one without has none."""
    usage = chunk(choices=[], model=GPT_4O, usage=CACHED)

    assert pytest.approx((500 * 2.5 + 1500 * 1.25 + 300 * 10) / M) == cost_of(
        Sse([*(dict(event, model=GPT_4O) for event in chunks("Hello")), usage])
    )
    assert cost_of(Sse([dict(event, model=GPT_4O) for event in chunks("Hello")])) is None


def test_a_stream_of_anthropic_s(cost_of):
    """Its usage comes in two parts."""
    begun = started({"input_tokens": 100, "cache_read_input_tokens": 5000}, model=SONNET)
    reply = Sse(events(begun, ended(output_tokens=400)), event_names=True)

    assert pytest.approx((100 * 3 + 5000 * 0.3 + 400 * 15) / M) == cost_of(reply, ANTHROPIC)


def test_a_stream_that_is_left(server, telemetry, opened):
    """What its output would have cost nobody knows."""
    AnthropicInstrumentor().instrument(**telemetry.providers, prices="genai-prices")
    begun = started({"input_tokens": 100, "cache_read_input_tokens": 5000}, model=SONNET)
    server.reply(Sse(events(begun, ended(output_tokens=400)), event_names=True))
    client = opened.enter_context(anthropic_at(server, ANTHROPIC))

    with client.messages.create(**MESSAGES, stream=True) as stream:
        next(iter(stream))

    assert recorded_cost(telemetry) is None


def test_a_call_that_fails(server, telemetry, opened):
    """No cost is recorded, whatever the headers are."""
    OpenAIInstrumentor().instrument(**telemetry.providers, prices="genai-prices")
    server.reply(Json({"error": {"message": "no"}}, status=429, headers={"x-litellm-response-cost": "0.1"}))

    with pytest.raises(openai.RateLimitError):
        chat(opened.enter_context(openai_at(server, OPENAI)), stream=False)

    assert recorded_cost(telemetry) is None


def test_ollama(server, telemetry, file_of):
    """A server of one's own has the price that one gives it."""
    import ollama

    OllamaInstrumentor().instrument(**telemetry.providers, prices=file_of({"provider": "ollama", **PRICE}))
    answer = {"role": "assistant", "content": "Hello"}
    counts = {"prompt_eval_count": 1000, "eval_count": 10}
    server.reply(Json({"model": "llama3", "message": answer, "done": True, "done_reason": "stop", **counts}))
    client = ollama.Client(host=server.url, verify=False)

    client.chat(model="llama3", messages=[{"role": "user", "content": "Hi"}])

    assert pytest.approx(OF_PRICE) == recorded_cost(telemetry)
    client._client.close()


def test_also_where_nothing_but_metrics_is_reported(server, opened):
    """The metric has all that the span would have, though no span is sampled."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    telemetry = Telemetry(ALWAYS_OFF)
    AnthropicInstrumentor().instrument(**telemetry.providers, prices="genai-prices")
    server.reply(claude(SONNET, **WRITTEN))

    messages(opened.enter_context(anthropic_at(server, ANTHROPIC)), stream=False)

    (point,) = telemetry.metrics[METRIC]
    assert pytest.approx((100 * 3 + 5000 * 0.3 + 1000 * 3.75 + 2000 * 6 + 400 * 15) / M) == point.sum
    telemetry.shutdown()


def test_the_metric(cost_of, telemetry):
    """In USD, from a millionth to ten, with the attributes of the call's other metrics; and in the details event."""
    expected = cost_of(plain(GPT_4O, **CACHED), emit_event=True)

    metric = telemetry.snapshot()["metrics"][METRIC]
    (point,), (duration,) = telemetry.metrics[METRIC], telemetry.metrics["gen_ai.client.operation.duration"]
    assert "{USD}" == metric["unit"]
    assert (1e-06, 10.0, 15) == (point.bounds[0], point.bounds[-1], len(point.bounds))
    assert duration.attributes == point.attributes
    (details,) = telemetry.events
    assert expected == details.attributes[COST]
