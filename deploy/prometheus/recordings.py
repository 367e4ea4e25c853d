"""The recording rules: what alerts and boards ask for again and again, by one name for both generations of the conventions.

Names are `gen_ai:WHAT:HOW`, `HOW` with the window. Those of Collectors are `otelcol:…`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from expressions import CALLS, MODEL, SERVICE, TEAM, duration, first_chunk, input_tokens, share, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Rule = dict[str, Any]
_BUDGETS = {"team": TEAM, "model": "gen_ai_request_model"}
SLO_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_LOSSES = {
    "refused": ("otelcol_receiver_refused", "receiver"),
    "not queued": ("otelcol_exporter_enqueue_failed", "exporter"),
    "not sent": ("otelcol_exporter_send_failed", "exporter"),
}
_SIGNALS = ("spans", "metric_points", "log_records")


def groups(thresholds: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the groups of recording rules.

    Args:
        thresholds: the content of thresholds.yaml.
    """
    return [
        {"name": "gen_ai calls", "rules": [*_calls(thresholds)]},
        {"name": "gen_ai latency", "rules": [*_latency()]},
        {"name": "gen_ai last week", "interval": "5m", "rules": [*_last_week()]},
        {"name": "gen_ai tokens and cost", "rules": [*_tokens_and_cost()]},
        {"name": "gen_ai budgets", "interval": "5m", "rules": [*_budgets(thresholds)]},
        {"name": "gen_ai answers", "rules": [*_answers()]},
        {"name": "gen_ai objectives", "interval": "1m", "rules": [*_objectives(thresholds["slo"])]},
        {"name": "telemetry", "rules": [*_telemetry()]},
    ]


def _rule(name: str, expression: str, **labels: str) -> Rule:
    return {"record": name, "expr": expression, **({"labels": labels} if labels else {})}


def _calls(thresholds: Mapping[str, Any]) -> Iterator[Rule]:
    calls = f"sum by ({MODEL}) (gen_ai:calls:rate5m)"
    limited = f"error_type=~{_quoted(thresholds['rate_limit_errors'])}"
    yield _rule("gen_ai:calls:rate5m", duration("count", f"{MODEL}, gen_ai_operation_name, {TEAM}, error_type", "5m"))
    yield _rule("gen_ai:errors:share5m", share(f'sum by ({MODEL}) (gen_ai:calls:rate5m{{error_type!=""}})', calls))
    yield _rule(
        "gen_ai:errors_by_type:share5m",
        f'sum by ({MODEL}, error_type) (gen_ai:calls:rate5m{{error_type!=""}})\n/ on ({MODEL}) group_left ()\n({calls} > 0)',
    )
    yield _rule("gen_ai:rate_limited:share5m", share(f"sum by ({MODEL}) (gen_ai:calls:rate5m{{{limited}}})", calls))


def _latency() -> Iterator[Rule]:
    duration_buckets = "gen_ai:duration_seconds_bucket:rate5m"
    first_buckets = "gen_ai:time_to_first_chunk_seconds_bucket:rate5m"
    yield _rule(duration_buckets, duration("bucket", f"{MODEL}, gen_ai_operation_name, le", "5m"))
    yield _rule(first_buckets, first_chunk("bucket", f"{MODEL}, le", "5m"))
    for name, buckets in (
        ("gen_ai:duration_seconds", duration_buckets),
        ("gen_ai:time_to_first_chunk_seconds", first_buckets),
    ):
        for of, quantile in (("50", 0.5), ("95", 0.95), ("99", 0.99)):
            yield _rule(f"{name}:p{of}_5m", f"histogram_quantile({quantile}, sum by ({MODEL}, le) ({buckets}))")


def _last_week() -> Iterator[Rule]:
    for name, offset in (("p95_1h", ""), ("p95_1h_last_week", "1w")):
        yield _rule(
            f"gen_ai:time_to_first_chunk_seconds:{name}",
            f"histogram_quantile(0.95, {first_chunk('bucket', f'{MODEL}, le', '1h', offset)})",
        )


def _tokens_and_cost() -> Iterator[Rule]:
    of_team = f"{MODEL}, {TEAM}"
    spent, priced = (f"sum by ({MODEL}) (rate(gen_ai_client_operation_cost_{part}[1h]))" for part in ("sum", "count"))
    yield _rule("gen_ai:tokens:rate5m", tokens("rate", f"{of_team}, gen_ai_token_type", "5m"))
    yield _rule("gen_ai:cost_usd:rate5m", f"sum by ({of_team}) (rate(gen_ai_client_operation_cost_sum[5m]))")
    yield _rule(
        "gen_ai:cost_usd_per_hour:rate1h", f"sum by ({of_team}) (rate(gen_ai_client_operation_cost_sum[1h])) * 3600"
    )
    # Of the requests whose price is known; those that failed have none.
    yield _rule("gen_ai:cost_usd_per_request:rate1h", f"{spent}\n/\n({priced} > 0)")
    yield _rule("gen_ai:cost_usd_per_1000_requests:rate1h", "gen_ai:cost_usd_per_request:rate1h * 1000")


def _budgets(thresholds: Mapping[str, Any]) -> Iterator[Rule]:
    """How much of the budget of a day was used in the last one, and how much would be if it were as the last hour was."""
    for budget, label in _BUDGETS.items():
        for name, of in (("cost", partial(_cost, label)), ("token", partial(_tokens, label))):
            given = thresholds[f"{name}_budget"]
            for value, amount in given[f"{budget}s"].items():
                yield _rule(f"gen_ai:{name}_budget:day", f"vector({amount})", **{label: value, "budget": budget})
            for window, times in (("1d", ""), ("1h", " * 24")):
                used = of(window) + times
                own = f'{used}\n/ on ({label})\ngen_ai:{name}_budget:day{{budget="{budget}"}}\nor\n'
                yield _rule(
                    f"gen_ai:{name}_budget:used{window}",
                    f"{own if given[f'{budget}s'] else ''}{used} / {given[f'default_{budget}']}",
                    budget=budget,
                )


def _cost(label: str, window: str) -> str:
    return f'sum by ({label}) (increase(gen_ai_client_operation_cost_sum{{{label}!=""}}[{window}]))'


def _tokens(label: str, window: str) -> str:
    return tokens("increase", label, window, f'{label}!=""')


def _answers() -> Iterator[Rule]:
    """Why answers end, of the Collector's counts of spans, and how much of what goes in is read from a cache."""
    reasons = f"sum by ({MODEL}) (gen_ai:answers:rate30m)"
    yield _rule(
        "gen_ai:answers:rate30m",
        f"sum by ({MODEL}, gen_ai_response_finish_reason) (rate(gen_ai_collector_answers_total[30m]))",
    )
    yield _rule(
        "gen_ai:truncated:share30m",
        share(f'sum by ({MODEL}) (gen_ai:answers:rate30m{{gen_ai_response_finish_reason="length"}})', reasons),
    )
    read = f"sum by ({MODEL}) (rate(gen_ai_client_inference_usage_cache_read_input_tokens_total[30m]))"
    # 0 where nothing is read from it: the counter of an application that never did is not there at all.
    yield _rule("gen_ai:cache_read:share30m", share(read, input_tokens(MODEL, "30m")))


def _objectives(slo: Mapping[str, Any]) -> Iterator[Rule]:
    failed = f'{CALLS}, error_type!="", error_type!~{_quoted(slo["not_counted"])}'
    fast = f'{CALLS}, le="{float(slo["seconds"])}"'
    for window in SLO_WINDOWS:
        every = duration("count", SERVICE, window)
        yield _rule(f"gen_ai:slo_errors:ratio{window}", share(duration("count", SERVICE, window, failed), every))
        yield _rule(
            f"gen_ai:slo_slow:ratio{window}", f"1 - (\n{duration('bucket', SERVICE, window, fast)}\n/\n({every} > 0)\n)"
        )


def _telemetry() -> Iterator[Rule]:
    """What Collectors could not take or hand on, in items a second.

    `_total` is at the end of the name where a Collector sends its own metrics by OTLP. Those are left out where it is scraped as well, or
    each loss would be there twice.
    """
    for loss, (metric, part) in _LOSSES.items():
        for signal in _SIGNALS:
            scraped, sent = (f"rate({metric}_{signal}{total}[5m])" for total in ("", "_total"))
            yield _rule(
                "otelcol:lost:rate5m",
                f"sum by (job, instance, {part}) (\n  {scraped}\n  or\n  ({sent} unless on (job) {scraped})\n)",
                loss=loss,
                signal=signal,
            )


def _quoted(text: str) -> str:
    """Return a text as PromQL writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
