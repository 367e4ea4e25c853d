"""The alerting rules. Each has a section of its own in docs/alerts.md, which its `runbook_url` leads to.

`severity` is `critical` where somebody has to look now, `warning` where somebody has to look today. The other labels are those of what is
wrong (service, provider, model, team), by which Alertmanager groups and routes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from expressions import MODEL, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AT = "{{ $labels.gen_ai_request_model }} of {{ $labels.gen_ai_provider_name }} in {{ $labels.service_name }}"
_SHARE = "{{ $value | humanizePercentage }}"
_SECONDS = "{{ $value | humanizeDuration }}"
_FAST = ((14.4, "5m", "1h"), (6, "30m", "6h"))
_SLOW = ((3, "2h", "1d"), (1, "6h", "3d"))


class Alert(NamedTuple):
    """An alert.

    Attributes:
        name: its name.
        expression: what is true while it holds.
        pending: how long that has to be true until it fires.
        severity: `critical` or `warning`.
        summary: one sentence with the value.
        board: the board to look at, by its uid.
    """

    name: str
    expression: str
    pending: str
    severity: Literal["critical", "warning"]
    summary: str
    board: str


def groups(thresholds: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the groups of alerting rules.

    Args:
        thresholds: the content of thresholds.yaml.
    """
    parts = {
        "gen_ai calls": _calls(thresholds),
        "gen_ai latency": _latency(thresholds),
        "gen_ai budgets": _budgets(thresholds),
        "gen_ai answers": _answers(thresholds),
        "gen_ai objectives": _objectives(thresholds),
        "telemetry": _telemetry(),
    }
    return [
        {"name": f"{name} alerts", "rules": [_rule(alert, thresholds) for alert in alerts]}
        for name, alerts in parts.items()
    ]


def _rule(alert: Alert, thresholds: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.pending,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "runbook_url": f"{thresholds['runbooks']}#{alert.name.lower()}",
            "dashboard_url": f"{thresholds['boards']}/{alert.board}",
        },
    }


def _busy(thresholds: Mapping[str, Any], by: str = MODEL) -> str:
    """Return the condition that there are enough calls for a share or a quantile to mean something."""
    return f"and on ({by})\nsum by ({by}) (gen_ai:calls:rate5m) > {thresholds['calls_per_second']}"


def _calls(thresholds: Mapping[str, Any]) -> Iterator[Alert]:
    busy, calls = _busy(thresholds), f"sum by ({SERVICE}) (gen_ai:calls:rate5m)"
    yield Alert(
        "GenAIErrorShareHigh",
        f"gen_ai:errors:share5m > {thresholds['error_share']}\n{busy}",
        "5m",
        "warning",
        f"{_SHARE} of the calls of {_AT} fail.",
        "genai-errors",
    )
    yield Alert(
        "GenAIRateLimited",
        f"gen_ai:rate_limited:share5m > {thresholds['rate_limited_share']}\n{busy}",
        "5m",
        "warning",
        f"{_SHARE} of the calls of {_AT} end at a rate limit.",
        "genai-errors",
    )
    yield Alert(
        "GenAINoTraffic",
        f"count_over_time(({calls} > {thresholds['traffic_per_second']})[6h:10m] offset 10m) >= {thresholds['traffic_steps']}\n"
        f"unless on ({SERVICE})\n{calls} > 0\n"
        f"unless on ({SERVICE}) (\n  max_over_time(({calls})[1d:1h] offset 1w) > 0\n  unless on ({SERVICE})\n  sum by ({SERVICE}) (gen_ai:calls:rate5m offset 1w) > 0\n)",
        "5m",
        "critical",
        "{{ $labels.service_name }} calls no model any more; it did so nearly all the time in the last hours.",
        "genai-overview",
    )


def _latency(thresholds: Mapping[str, Any]) -> Iterator[Alert]:
    busy, again = _busy(thresholds), "gen_ai:time_to_first_chunk_seconds:p95_1h"
    yield Alert(
        "GenAILatencyHigh",
        f"gen_ai:duration_seconds:p95_5m > {thresholds['latency_p95_seconds']}\n{busy}",
        "10m",
        "warning",
        f"One in twenty calls of {_AT} takes more than {_SECONDS}.",
        "genai-latency",
    )
    yield Alert(
        "GenAITimeToFirstTokenHigh",
        f"gen_ai:time_to_first_chunk_seconds:p95_5m > {thresholds['first_chunk_p95_seconds']}\n{busy}",
        "10m",
        "warning",
        f"One in twenty streams of {_AT} begins after more than {_SECONDS}.",
        "genai-latency",
    )
    yield Alert(
        "GenAITimeToFirstTokenRegression",
        f"{again} > {thresholds['first_chunk_times']} * {again}_last_week\nand\n{again} > {thresholds['first_chunk_seconds']}\n{busy}",
        "30m",
        "warning",
        f"One in twenty streams of {_AT} begins after more than {_SECONDS}: far later than a week ago.",
        "genai-latency",
    )


def _budgets(thresholds: Mapping[str, Any]) -> Iterator[Alert]:
    whose = "{{ if $labels.gen_ai_tag_team }}Team {{ $labels.gen_ai_tag_team }}{{ else }}Model {{ $labels.gen_ai_request_model }}{{ end }}"
    for kind, named in (("cost", "Cost"), ("token", "Token")):
        yield Alert(
            f"GenAI{named}BudgetSpent",
            f"gen_ai:{kind}_budget:used1d > 1",
            "5m",
            "critical",
            f"{whose} has used {_SHARE} of the {kind} budget of a day in 24 hours.",
            "genai-cost",
        )
        yield Alert(
            f"GenAI{named}BudgetBurn",
            f"gen_ai:{kind}_budget:used1h > {thresholds[f'{kind}_budget']['burn']}",
            "15m",
            "warning",
            f"{whose} would use {_SHARE} of the {kind} budget of a day if all hours were as the last one.",
            "genai-cost",
        )


def _answers(thresholds: Mapping[str, Any]) -> Iterator[Alert]:
    busy, calls = _busy(thresholds), thresholds["agent_calls"]
    truncated, read = "gen_ai:truncated:share30m", "gen_ai:cache_read:share30m"
    runs = f"sum by ({SERVICE}, gen_ai_agent_name) (increase(gen_ai_invoke_agent_inference_calls_"
    yield Alert(
        "GenAITruncationJump",
        f"{truncated} > {thresholds['truncated_share']}\nand\n"
        f"{truncated} > {thresholds['truncated_times']} * avg_over_time({truncated}[1d] offset 1h)\n{busy}",
        "10m",
        "warning",
        f"{_SHARE} of the answers of {_AT} are cut at the limit of tokens, far more than over the last day.",
        "genai-overview",
    )
    yield Alert(
        "GenAICacheHitCollapse",
        f"{read} < {thresholds['cache_read_left']} * (avg_over_time({read}[1d] offset 1h) >= {thresholds['cache_read_share']})\n{busy}",
        "15m",
        "warning",
        f"Only {_SHARE} of the input of {_AT} is read from the cache, far less than over the last day.",
        "genai-cost",
    )
    yield Alert(
        "GenAIConversationRunaway",
        f"sum by ({SERVICE}, gen_ai_tag_team, gen_ai_conversation_id) (increase(gen_ai_collector_conversation_calls_total[10m])) "
        f"> {thresholds['conversation_calls']}",
        "1m",
        "critical",
        'Conversation {{ $labels.gen_ai_conversation_id }} in {{ $labels.service_name }} has made {{ printf "%.0f" $value }} calls in ten minutes.',
        "genai-conversation",
    )
    yield Alert(
        "GenAIAgentRunaway",
        f'{runs}count[15m]))\n- on ({SERVICE}, gen_ai_agent_name)\n{runs}bucket{{le=~"{calls}([.]0)?"}}[15m])) > 0.5',
        "0m",
        "warning",
        f"Agent {{{{ $labels.gen_ai_agent_name }}}} in {{{{ $labels.service_name }}}} makes more than {calls} calls of models in one run.",
        "genai-agents",
    )


def _objectives(thresholds: Mapping[str, Any]) -> Iterator[Alert]:
    """Multi-window burn rates: how fast the errors that 30 days may have are used up, over a long window and still over a short one."""
    slo, busy = thresholds["slo"], _busy(thresholds, SERVICE)
    for name, ratio, objective, what in (
        ("Error", "gen_ai:slo_errors:ratio", slo["errors"], "fail"),
        ("Latency", "gen_ai:slo_slow:ratio", slo["fast_enough"], f"take longer than {slo['seconds']} s"),
    ):
        allowed = round(1 - objective, 6)
        for speed, windows, pending, severity in (("Fast", _FAST, "2m", "critical"), ("Slow", _SLOW, "15m", "warning")):
            burning = "\nor\n".join(
                f"({ratio}{short} > {times} * {allowed} and {ratio}{long} > {times} * {allowed})"
                for times, short, long in windows
            )
            yield Alert(
                f"GenAI{name}BudgetBurn{speed}",
                f"(\n{burning}\n)\n{busy}",
                pending,
                severity,  # type: ignore[arg-type]
                f"{_SHARE} of the calls of {{{{ $labels.service_name }}}} {what}; the objective allows {allowed:.0%} over 30 days.",
                "genai-overview",
            )


def _telemetry() -> Iterator[Alert]:
    yield Alert(
        "GenAICollectorDown",
        'up{job="otelcol"} == 0\nor\nabsent(up{job="otelcol"})',
        "2m",
        "critical",
        "The Collector {{ $labels.instance }} does not answer: what applications send is lost once their queues are full.",
        "genai-overview",
    )
    yield Alert(
        "GenAITelemetryDropped",
        "otelcol:lost:rate5m > 0",
        "5m",
        "warning",
        '{{ printf "%.2g" $value }} {{ $labels.signal }} a second are {{ $labels.loss }} by the Collector {{ $labels.instance }}.',
        "genai-overview",
    )
    yield Alert(
        "GenAICompletionsDropped",
        f"sum by ({SERVICE}, error_type) (increase(gen_ai_client_completion_hook_dropped_total[15m])) > 0",
        "0m",
        "warning",
        '{{ printf "%.0f" $value }} completions of {{ $labels.service_name }} did not reach the completion hook ({{ $labels.error_type }}).',
        "genai-overview",
    )
