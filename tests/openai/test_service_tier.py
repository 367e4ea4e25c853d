"""The service tier on metrics: on those to which the page of OpenAI adds it, in both generations, and few values of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from loopback import Json, Point, Reply, Sse, Telemetry
from loopback.openai_bodies import CHAT, chunk, completion, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

TIER = "openai.response.service_tier"
GENERATIONS = {
    "default": {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"},
    "gen_ai_latest_experimental": {"gen_ai.client.inference.duration"},
    "gen_ai_latest_experimental/dup": {
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "gen_ai.client.inference.duration",
    },
}
USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
PLAIN = Json(completion(service_tier="priority"))
STREAM = Sse(
    [chunk({"content": "Hel"}), chunk({"content": "lo"}), chunk(reason="stop", service_tier="priority", usage=USAGE)]
)


def tiers(metrics: Mapping[str, list[Point]]) -> dict[str, Any]:
    """Metric -> the one tier of all its points; metrics without one are left out."""
    found = {name: {point.attributes.get(TIER) for point in points} for name, points in metrics.items()}
    assert all(len(values) == 1 for values in found.values())
    return {name: value for name, [value] in found.items() if value is not None}


@pytest.mark.parametrize("sampled", [True, False], ids=["sampled", "unsampled"])
@pytest.mark.parametrize("reply", [PLAIN, STREAM], ids=["plain", "stream"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_metrics_have_the_service_tier(server: Any, openai_client: Any, generation: str, reply: Reply, sampled: bool):
    """Durations, and tokens where the generation says so; whether or not the span is sampled."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    telemetry = Telemetry(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
    OpenAIInstrumentor().instrument(**telemetry.providers, semconv_stability_opt_in=generation)
    server.reply(reply)

    answer = openai_client().chat.completions.create(**CHAT, **({"stream": True} if reply is STREAM else {}))
    if reply is STREAM:
        list(answer)

    assert dict.fromkeys(GENERATIONS[generation], "priority") == tiers(telemetry.metrics)
    telemetry.shutdown()


@pytest.mark.parametrize("tier", ["tier-8f1c2a77b3", "x" * 40, "", None, 7, ["default"]])
def test_a_tier_that_nobody_knows_reaches_no_metric(server: Any, telemetry: Telemetry, openai_client: Any, tier: Any):
    """Each would be a series of its own; the span has what the server says, where that is a text."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(completion(service_tier=tier)))

    openai_client().chat.completions.create(**CHAT)

    assert {} == tiers(telemetry.metrics)
    assert (tier if tier and isinstance(tier, str) else None) == telemetry.span.attributes.get(TIER)


def test_responses_have_the_service_tier_on_metrics(server: Any, telemetry: Telemetry, openai_client: Any):
    """The Responses API says it as well; a fingerprint of the system stays on the span alone."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(response(service_tier="flex", system_fingerprint="fp_1")))

    openai_client().post("/responses", cast_to=object, body={"model": "m", "input": "Hi"})

    assert dict.fromkeys(GENERATIONS["default"], "flex") == tiers(telemetry.metrics)
    assert "fp_1" == telemetry.span.attributes["openai.response.system_fingerprint"]
    assert "fp_1" not in json.dumps([dict(p.attributes) for points in telemetry.metrics.values() for p in points])
