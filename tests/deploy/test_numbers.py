"""From the load through the real Collector into the real Prometheus over OTLP: the numbers that come out are those that went in."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from stack import Stack

import emitted
from asking import query, value, wait_until
from promql import rules_of

PROVES = "what Prometheus has is what the load sent: calls, errors and tokens exactly, cost to the cent, quantiles within their bucket"

CALLS = 'gen_ai_provider_name!=""'
# What each generation calls a thing. The load sends both.
DURATION = {
    emitted.V1_41: "gen_ai_client_operation_duration_seconds",
    emitted.LATEST: "gen_ai_client_inference_duration_seconds",
}
LAST_WEEK = {"gen_ai:time_to_first_chunk_seconds:p95_1h_last_week"}
"""Recorded of a time before the load; `test_alerts` has samples of it."""


def counted(stack: Stack, expression: str, label: str) -> Counter[str]:
    """A sum by a label, without what is nothing."""
    found = query(stack, f"sum by ({label}) ({expression})")
    return Counter(
        {one["metric"].get(label, ""): round(float(one["value"][1])) for one in found if float(one["value"][1])}
    )


def test_calls(loaded):
    """Requests by model, tenant and team, in all."""
    stack, report = loaded.stack, loaded.report
    calls = f"{DURATION[emitted.V1_41]}_count{{{CALLS}}}"

    assert report["requests"] == value(stack, f"sum({calls})")
    for label, name in (
        ("gen_ai_request_model", "models"),
        ("gen_ai_tag_tenant", "tenants"),
        ("gen_ai_tag_team", "teams"),
    ):
        assert Counter(report[name]) == counted(stack, calls, label)


def test_errors(loaded):
    """Each `error.type` as often as the provider answered with it."""
    stack, report = loaded.stack, loaded.report

    for metric in (f'{DURATION[emitted.V1_41]}_count{{{CALLS}, error_type!=""}}', "llm_request_errors_total"):
        assert Counter(report["error_types"]) == counted(stack, metric, "error_type")


def test_tokens(loaded):
    """Each token of input and output, and of the cache; in the latest generation those of embeddings have no metric."""
    stack, tokens = loaded.stack, loaded.report["tokens"]
    chat = 'gen_ai_operation_name="chat"'

    found = counted(stack, "gen_ai_client_token_usage_sum", "gen_ai_token_type")
    assert Counter(input=tokens["input"], output=tokens["output"]) == found
    cached = "gen_ai_client_inference_usage_cache_read_input_tokens_total"
    assert tokens["cached"] == value(stack, f"sum({cached})")
    for kind in ("input", "output"):
        first = value(stack, f'sum(gen_ai_client_token_usage_sum{{{chat}, gen_ai_token_type="{kind}"}})')
        assert 0 < first == value(stack, f"sum(gen_ai_client_inference_operation_{kind}_tokens_sum)")
        assert first == value(stack, f"sum(gen_ai_client_inference_usage_{kind}_tokens_total)")


def test_both_generations_count_the_same(loaded):
    """The calls by which a model generates something are in the durations of either generation."""
    chat = '{gen_ai_operation_name="chat"}'

    old, new = (counted(loaded.stack, f"{name}_count{chat}", "error_type") for name in DURATION.values())
    assert old == new
    assert old.total() > loaded.report["requests"] / 2


def test_cost(loaded):
    """By team, to a hundredth of a cent; the report has computed it from the SDKs' usage and the price list by itself."""
    found = query(loaded.stack, "sum by (gen_ai_tag_team) (gen_ai_client_operation_cost_sum)")
    costs = {one["metric"]["gen_ai_tag_team"]: float(one["value"][1]) for one in found}

    assert costs == pytest.approx(loaded.report["cost"], abs=1e-4)
    assert sum(costs.values()) > 0.01
    # As the load is cheap, to a millionth of it as well.
    assert sum(costs.values()) == pytest.approx(sum(loaded.report["cost"].values()), rel=1e-6)


def _buckets(stack: Stack, metric: str, model: str) -> list[tuple[float, float]]:
    """The buckets of a histogram: (bound, how many are not longer)."""
    found = query(stack, f'sum by (le) ({metric}_bucket{{gen_ai_request_model="{model}"}})')
    return sorted((float(one["metric"]["le"]), float(one["value"][1])) for one in found)


def test_quantiles(loaded):
    """p50 and p95 of each model are in the bucket in which the application measured them, or at its edge."""
    stack = loaded.stack
    compared = 0
    for model, measured in loaded.report["seconds"].items():
        buckets = _buckets(stack, DURATION[emitted.V1_41], model)
        bounds = [0.0, *(bound for bound, _ in buckets)]
        assert measured["count"] == buckets[-1][1]
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            selected = f'sum by (le) ({DURATION[emitted.V1_41]}_bucket{{gen_ai_request_model="{model}"}})'
            found = value(stack, f"histogram_quantile({share}, {selected})")
            place = next(i for i, bound in enumerate(bounds) if bound >= measured[name])
            # The application measures a little more than the call: some milliseconds may lie on the other side of an edge.
            lowest = bounds[place - 2] if place > 1 and measured[name] - bounds[place - 1] < 0.02 else bounds[place - 1]
            assert lowest <= found <= bounds[place], (model, name, measured[name], found)
            compared += 1
    assert compared >= 10


def test_answers_of_the_collector(loaded):
    """What the Collector counts in spans: each truncated answer, and each call with a conversation."""
    stack, report = loaded.stack, loaded.report
    # As large as it was at any time: what nothing is added to any more is dropped after a while.
    last = "max_over_time({}[10m])"

    answers = counted(stack, last.format("gen_ai_collector_answers_total"), "gen_ai_response_finish_reason")
    assert report["truncated"] == answers["length"]
    chats = value(stack, f'sum({DURATION[emitted.V1_41]}_count{{gen_ai_operation_name="chat"}})')
    calls = counted(stack, last.format("gen_ai_collector_conversation_calls_total"), "gen_ai_conversation_id")
    assert chats == calls.total()
    assert len(calls) <= report["conversations"]
    assert 1 < max(calls.values()) <= report["longest_conversation"]


def test_series_are_those_that_are_listed(loaded):
    """All names and labels of the plugin in Prometheus are in the list that rules and boards are checked against, with the same spelling."""
    found = query(loaded.stack, '{__name__=~"gen_ai_.+|llm_.+|mcp_.+", __name__!~"gen_ai:.+"}')
    known = {**emitted.samples(), **emitted.derived()}
    wrong = {
        complaint
        for one in found
        for complaint in emitted.complaints(one["metric"]["__name__"], {*one["metric"]} - {"__name__"})
    }

    assert set() == wrong
    there = {one["metric"]["__name__"] for one in found}
    # What a load of these SDKs cannot have: no MCP, no completion hook, no thinking, nothing written to a cache.
    never = ("mcp_", "target_info", "gen_ai_client_completion_hook")
    others = {name for name in known if name.startswith(never) or "cache_write" in name or "reasoning" in name}
    # The limits of the model server are of requests and of tokens of either direction.
    others |= {name for name in known if re.fullmatch("gen_ai_client_rate_limit_remaining_(input|output)_tokens", name)}
    assert set() == {*known} - there - others


def test_every_recording_rule_has_data(loaded):
    """Each recorded name has samples of the load, but those of a week ago."""
    names = {rule["record"] for rule in rules_of(emitted.DEPLOY / "prometheus" / "recording.yaml")} - LAST_WEEK

    def missing() -> list[str]:
        return [name for name in sorted(names) if not query(loaded.stack, f"last_over_time({name}[10m])")]

    assert wait_until(lambda: not missing() or None, 60, f"no data for {missing()}")


def test_exemplars_lead_to_traces(loaded):
    """The buckets of the durations have exemplars with the ids of traces."""
    from asking import ask

    found = ask(
        loaded.stack.prometheus,
        "/api/v1/query_exemplars",
        query=f"{DURATION[emitted.V1_41]}_bucket",
        start=str(loaded.began),
        end=str(loaded.ended + 10),
    )["data"]

    assert any(one["labels"].get("trace_id") for series in found for one in series["exemplars"])
