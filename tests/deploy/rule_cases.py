"""The unit tests of the rules: what the series of an application are, and what the rules make of them.

Each case is written for v1.41; `test_rules` runs it with the names of the latest generation and with both at once as well. Series grow by
so much a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

SERVICE = {"deployment_environment_name": "prod", "service_name": "planner"}
AT = {**SERVICE, "gen_ai_provider_name": "openai", "gen_ai_request_model": "gpt-4.1-mini"}
"""The labels of a model in a service, which most of the rules keep."""
_INSTANCE = {"job": "planner", "instance": "1"}
CALL = {**AT, **_INSTANCE, "gen_ai_operation_name": "chat", "gen_ai_tag_team": "search"}
"""The labels of a series of the plugin."""
_TIER = {"openai_response_service_tier": "default"}
_DURATION = "gen_ai_client_operation_duration_seconds"
_FIRST = "gen_ai_client_operation_time_to_first_chunk_seconds"
_MODEL = "gpt-4.1-mini of openai in planner"


class Alerting(NamedTuple):
    """An alert that fires.

    Attributes:
        summary: what it says.
        labels: those of its own, without its severity.
    """

    summary: str
    labels: Mapping[str, str] = AT


class Case(NamedTuple):
    """A unit test.

    Attributes:
        name: what it is about.
        series: (name, labels, values) of the input, one value for each minute.
        at: when it is looked at.
        records: name of what is recorded -> (labels, value) of all its samples.
        alerts: name -> the alerts of that name that fire, of those that are looked at.
        every: how often rules are evaluated.
        thresholds: those that differ.
        groups: those that are evaluated, where all of them would take long; none for all.
    """

    name: str
    series: Sequence[tuple[str, Mapping[str, str], str]]
    at: str
    records: Mapping[str, Sequence[tuple[Mapping[str, str], float]]] = {}
    alerts: Mapping[str, Sequence[Alerting]] = {}
    every: str = "1m"
    thresholds: Mapping[str, Any] = {}
    groups: frozenset[str] = frozenset()


def _calls(per_minute: float, minutes: int = 60, **labels: str) -> tuple[str, Mapping[str, str], str]:
    return f"{_DURATION}_count", {**CALL, **_TIER, **labels}, f"0+{per_minute}x{minutes}"


def _buckets(metric: str, until: Mapping[str, float], minutes: int = 60) -> list[tuple[str, Mapping[str, str], str]]:
    """A histogram: bounds -> how many a minute are not longer."""
    tier = _TIER if metric == _DURATION else {}
    return [(f"{metric}_bucket", {**CALL, **tier, "le": le}, f"0+{many}x{minutes}") for le, many in until.items()]


_AGENT = {**SERVICE, **_INSTANCE, "gen_ai_agent_name": "booker"}
_SLOW = {"10.24": 0, "20.48": 0, "40.96": 12, "+Inf": 12}
_TEAM = {"gen_ai_tag_team": "search"}
_COLLECTOR = {"job": "otelcol", "instance": "collector:8888"}
SLO = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


CASES = (
    Case(
        "calls, errors and rate limits",
        [
            _calls(6),
            _calls(3, error_type="rate_limit_exceeded"),
            _calls(2, error_type="server_error"),
            _calls(1, error_type="invalid_request_error"),
            # What an application does itself, without a provider, is no call of a model.
            (f"{_DURATION}_count", {**_INSTANCE, **SERVICE, "gen_ai_operation_name": "retrieval"}, "0+60x60"),
        ],
        "30m",
        records={
            "gen_ai:calls:rate5m": [
                ({**AT, **_TEAM, "gen_ai_operation_name": "chat", **error}, rate)
                for error, rate in (
                    ({}, 0.1),
                    ({"error_type": "rate_limit_exceeded"}, 0.05),
                    ({"error_type": "server_error"}, 2 / 60),
                    ({"error_type": "invalid_request_error"}, 1 / 60),
                )
            ],
            "gen_ai:errors:share5m": [(AT, 0.5)],
            "gen_ai:errors_by_type:share5m": [
                ({**AT, "error_type": "rate_limit_exceeded"}, 0.25),
                ({**AT, "error_type": "server_error"}, 2 / 12),
                ({**AT, "error_type": "invalid_request_error"}, 1 / 12),
            ],
            "gen_ai:rate_limited:share5m": [(AT, 0.25)],
            # What the caller has done wrong does not count against the objective.
            **{f"gen_ai:slo_errors:ratio{window}": [(SERVICE, 5 / 12)] for window in SLO},
        },
        alerts={
            "GenAIErrorShareHigh": [Alerting(f"50% of the calls of {_MODEL} fail.")],
            "GenAIRateLimited": [Alerting(f"25% of the calls of {_MODEL} end at a rate limit.")],
            "GenAIErrorBudgetBurnFast": [
                Alerting("41.67% of the calls of planner fail; the objective allows 1% over 30 days.", SERVICE)
            ],
            "GenAIErrorBudgetBurnSlow": [
                Alerting("41.67% of the calls of planner fail; the objective allows 1% over 30 days.", SERVICE)
            ],
            "GenAILatencyBudgetBurnFast": [],
        },
    ),
    Case(
        "a service without errors",
        [_calls(12), *_buckets(_DURATION, {"0.64": 6, "1.28": 12, "20.48": 12, "+Inf": 12})],
        "45m",
        records={
            "gen_ai:errors:share5m": [(AT, 0)],
            "gen_ai:errors_by_type:share5m": [],
            "gen_ai:rate_limited:share5m": [(AT, 0)],
            "gen_ai:duration_seconds:p95_5m": [(AT, 0.64 + 0.64 * 0.9)],
            **{f"gen_ai:slo_errors:ratio{window}": [(SERVICE, 0)] for window in SLO},
            **{f"gen_ai:slo_slow:ratio{window}": [(SERVICE, 0)] for window in SLO},
        },
        alerts={
            name: []
            for name in (
                "GenAIErrorShareHigh",
                "GenAIRateLimited",
                "GenAINoTraffic",
                "GenAILatencyHigh",
                "GenAIErrorBudgetBurnFast",
                "GenAIErrorBudgetBurnSlow",
                "GenAILatencyBudgetBurnFast",
                "GenAILatencyBudgetBurnSlow",
            )
        },
    ),
    Case(
        "a few calls, all of which fail",
        [_calls(0.5, error_type="server_error")],
        "45m",
        records={"gen_ai:errors:share5m": [(AT, 1)]},
        alerts={"GenAIErrorShareHigh": [], "GenAIErrorBudgetBurnFast": [], "GenAIErrorBudgetBurnSlow": []},
    ),
    Case(
        "slow calls",
        [_calls(12), *_buckets(_DURATION, _SLOW)],
        "45m",
        records={
            "gen_ai:duration_seconds_bucket:rate5m": [
                ({**AT, "gen_ai_operation_name": "chat", "le": le}, many / 60) for le, many in _SLOW.items()
            ],
            "gen_ai:duration_seconds:p50_5m": [(AT, 20.48 * 1.5)],
            "gen_ai:duration_seconds:p95_5m": [(AT, 20.48 * 1.95)],
            "gen_ai:duration_seconds:p99_5m": [(AT, 20.48 * 1.99)],
            **{f"gen_ai:slo_slow:ratio{window}": [(SERVICE, 1)] for window in SLO},
        },
        alerts={
            "GenAILatencyHigh": [Alerting(f"One in twenty calls of {_MODEL} takes more than 39.94s.")],
            **{
                f"GenAILatencyBudgetBurn{speed}": [
                    Alerting(
                        "100% of the calls of planner take longer than 20.48 s; the objective allows 5% over 30 days.",
                        SERVICE,
                    )
                ]
                for speed in ("Fast", "Slow")
            },
        },
    ),
    Case(
        "streams that begin late",
        [_calls(12), *_buckets(_FIRST, {"5.12": 0, "10.24": 12, "+Inf": 12})],
        "45m",
        records={
            "gen_ai:time_to_first_chunk_seconds_bucket:rate5m": [
                ({**AT, "le": le}, many / 60) for le, many in {"5.12": 0, "10.24": 12, "+Inf": 12}.items()
            ],
            "gen_ai:time_to_first_chunk_seconds:p50_5m": [(AT, 5.12 * 1.5)],
            "gen_ai:time_to_first_chunk_seconds:p95_5m": [(AT, 5.12 * 1.95)],
            "gen_ai:time_to_first_chunk_seconds:p99_5m": [(AT, 5.12 * 1.99)],
            "gen_ai:time_to_first_chunk_seconds:p95_1h": [(AT, 5.12 * 1.95)],
            # A week ago there was nothing.
            "gen_ai:time_to_first_chunk_seconds:p95_1h_last_week": [],
        },
        alerts={
            "GenAITimeToFirstTokenHigh": [
                Alerting(f"One in twenty streams of {_MODEL} begins after more than 9.984s.")
            ],
            "GenAITimeToFirstTokenRegression": [],
        },
    ),
    Case(
        "streams that begin later than a week ago",
        [
            # An hour and a half, a week without samples, two hours in the second of which they begin late.
            (f"{_DURATION}_count", {**CALL, **_TIER}, "0+12x90 _x9990 1080+12x120"),
            *(
                (f"{_FIRST}_bucket", {**CALL, "le": le}, f"0+{was}x90 _x9990 {was * 90}+{now}x120")
                for le, was, now in (("0.64", 12, 0), ("1.28", 12, 0), ("2.56", 12, 12), ("+Inf", 12, 12))
            ),
        ],
        "10140m",
        every="5m",
        groups=frozenset({"gen_ai calls", "gen_ai latency", "gen_ai last week", "gen_ai latency alerts"}),
        records={
            "gen_ai:time_to_first_chunk_seconds:p95_1h": [(AT, 1.28 * 1.95)],
            "gen_ai:time_to_first_chunk_seconds:p95_1h_last_week": [(AT, 0.64 * 0.95)],
        },
        alerts={
            "GenAITimeToFirstTokenRegression": [
                Alerting(f"One in twenty streams of {_MODEL} begins after more than 2.496s: far later than a week ago.")
            ],
            "GenAITimeToFirstTokenHigh": [],
        },
    ),
    Case(
        "no traffic any more",
        [_calls(12, 390)],
        "430m",
        alerts={
            "GenAINoTraffic": [
                Alerting("planner calls no model any more; it did so nearly all the time in the last hours.", SERVICE)
            ]
        },
    ),
    Case(
        "a service that runs for an hour",
        [_calls(12, 60)],
        "100m",
        alerts={"GenAINoTraffic": []},
    ),
    Case(
        "a service that is closed at this time of the week",
        [(f"{_DURATION}_count", {**CALL, **_TIER}, "0+12x390 _x9690 5000+12x390")],
        "10510m",
        every="5m",
        groups=frozenset({"gen_ai calls", "gen_ai calls alerts"}),
        alerts={"GenAINoTraffic": []},
    ),
    Case(
        "tokens and cost",
        [
            _calls(6),
            ("gen_ai_client_token_usage_sum", {**CALL, **_TIER, "gen_ai_token_type": "input"}, "0+6000x60"),
            ("gen_ai_client_token_usage_sum", {**CALL, **_TIER, "gen_ai_token_type": "output"}, "0+600x60"),
            ("gen_ai_client_operation_cost_sum", CALL, "0+0.75x60"),
            ("gen_ai_client_operation_cost_count", CALL, "0+6x60"),
        ],
        "60m",
        records={
            "gen_ai:tokens:rate5m": [
                ({**AT, **_TEAM, "gen_ai_token_type": kind}, rate) for kind, rate in (("input", 100), ("output", 10))
            ],
            "gen_ai:cost_usd:rate5m": [({**AT, **_TEAM}, 0.0125)],
            "gen_ai:cost_usd_per_hour:rate1h": [({**AT, **_TEAM}, 45)],
            "gen_ai:cost_usd_per_request:rate1h": [(AT, 0.125)],
            "gen_ai:cost_usd_per_1000_requests:rate1h": [(AT, 125)],
            "gen_ai:cost_budget:used1h": [
                ({**_TEAM, "budget": "team"}, 45 * 24 / 100),
                ({"gen_ai_request_model": "gpt-4.1-mini", "budget": "model"}, 45 * 24 / 200),
            ],
            "gen_ai:cost_budget:used1d": [
                ({**_TEAM, "budget": "team"}, 0.45),
                ({"gen_ai_request_model": "gpt-4.1-mini", "budget": "model"}, 0.225),
            ],
            "gen_ai:token_budget:used1h": [
                ({**_TEAM, "budget": "team"}, 396_000 * 24 / 50e6),
                ({"gen_ai_request_model": "gpt-4.1-mini", "budget": "model"}, 396_000 * 24 / 100e6),
            ],
            "gen_ai:token_budget:used1d": [
                ({**_TEAM, "budget": "team"}, 396_000 / 50e6),
                ({"gen_ai_request_model": "gpt-4.1-mini", "budget": "model"}, 396_000 / 100e6),
            ],
        },
        alerts={
            "GenAICostBudgetBurn": [
                Alerting(
                    "Team search would use 1080% of the cost budget of a day if all hours were as the last one.",
                    {**_TEAM, "budget": "team"},
                ),
                Alerting(
                    "Model gpt-4.1-mini would use 540% of the cost budget of a day if all hours were as the last one.",
                    {"gen_ai_request_model": "gpt-4.1-mini", "budget": "model"},
                ),
            ],
            "GenAICostBudgetSpent": [],
            "GenAITokenBudgetBurn": [],
            "GenAITokenBudgetSpent": [],
        },
    ),
    Case(
        "budgets of a team and of a model",
        [
            _calls(6),
            ("gen_ai_client_token_usage_sum", {**CALL, **_TIER, "gen_ai_token_type": "input"}, "0+6000x60"),
            ("gen_ai_client_operation_cost_sum", CALL, "0+0.75x60"),
        ],
        "60m",
        thresholds={
            "cost_budget": {
                "burn": 2,
                "default_team": 1e6,
                "teams": {"search": 18, "support": 1},
                "default_model": 1e6,
                "models": {"gpt-5-mini": 1},
            },
            "token_budget": {
                "burn": 2,
                "default_team": 1e12,
                "teams": {},
                "default_model": 1e12,
                "models": {"gpt-4.1-mini": 180_000},
            },
        },
        records={
            "gen_ai:cost_budget:day": [
                ({**_TEAM, "budget": "team"}, 18),
                ({"gen_ai_tag_team": "support", "budget": "team"}, 1),
                ({"gen_ai_request_model": "gpt-5-mini", "budget": "model"}, 1),
            ],
        },
        alerts={
            "GenAICostBudgetSpent": [
                Alerting(
                    "Team search has used 250% of the cost budget of a day in 24 hours.", {**_TEAM, "budget": "team"}
                )
            ],
            "GenAITokenBudgetSpent": [
                Alerting(
                    "Model gpt-4.1-mini has used 200% of the token budget of a day in 24 hours.",
                    {"gen_ai_request_model": "gpt-4.1-mini", "budget": "model"},
                )
            ],
            "GenAITokenBudgetBurn": [
                Alerting(
                    "Model gpt-4.1-mini would use 4800% of the token budget of a day if all hours were as the last one.",
                    {"gen_ai_request_model": "gpt-4.1-mini", "budget": "model"},
                )
            ],
        },
    ),
    Case(
        "answers that are cut far more often than before",
        [
            _calls(12, 300),
            *(
                ("gen_ai_collector_answers_total", {**AT, **_INSTANCE, "gen_ai_response_finish_reason": reason}, values)
                for reason, values in (("stop", "0+9x240 2160+6x60"), ("length", "0+1x240 240+4x60"))
            ),
        ],
        "290m",
        records={
            "gen_ai:answers:rate30m": [
                ({**AT, "gen_ai_response_finish_reason": reason}, rate)
                for reason, rate in (("stop", 0.1), ("length", 4 / 60))
            ],
            "gen_ai:truncated:share30m": [(AT, 0.4)],
        },
        alerts={
            "GenAITruncationJump": [
                Alerting(
                    f"40% of the answers of {_MODEL} are cut at the limit of tokens, far more than over the last day."
                )
            ]
        },
    ),
    Case(
        "answers that are cut as often as ever",
        [
            _calls(12, 300),
            ("gen_ai_collector_answers_total", {**AT, **_INSTANCE, "gen_ai_response_finish_reason": "stop"}, "0+6x300"),
            (
                "gen_ai_collector_answers_total",
                {**AT, **_INSTANCE, "gen_ai_response_finish_reason": "length"},
                "0+4x300",
            ),
        ],
        "290m",
        alerts={"GenAITruncationJump": []},
    ),
    Case(
        "a cache that is not hit any more",
        [
            _calls(12, 300),
            ("gen_ai_client_token_usage_sum", {**CALL, **_TIER, "gen_ai_token_type": "input"}, "0+1000x300"),
            ("gen_ai_client_token_usage_sum", {**CALL, **_TIER, "gen_ai_token_type": "output"}, "0+1000x300"),
            ("gen_ai_client_inference_usage_cache_read_input_tokens_total", CALL, "0+500x240 120000+50x60"),
        ],
        "290m",
        records={"gen_ai:cache_read:share30m": [(AT, 0.05)]},
        alerts={
            "GenAICacheHitCollapse": [
                Alerting(f"Only 5% of the input of {_MODEL} is read from the cache, far less than over the last day.")
            ]
        },
    ),
    Case(
        "a cache that is not hit at all after a release",
        [
            _calls(12, 300),
            ("gen_ai_client_token_usage_sum", {**CALL, **_TIER, "gen_ai_token_type": "input"}, "0+1000x300"),
            # The new processes have another instance, and no such counter.
            ("gen_ai_client_inference_usage_cache_read_input_tokens_total", CALL, "0+500x240"),
        ],
        "290m",
        records={"gen_ai:cache_read:share30m": [(AT, 0)]},
        alerts={
            "GenAICacheHitCollapse": [
                Alerting(f"Only 0% of the input of {_MODEL} is read from the cache, far less than over the last day.")
            ]
        },
    ),
    Case(
        "a conversation that does not end",
        [
            (
                "gen_ai_collector_conversation_calls_total",
                {**SERVICE, **_INSTANCE, **_TEAM, "gen_ai_conversation_id": name},
                values,
            )
            for name, values in (("c1", "0+10x60"), ("c2", "0+1x60"))
        ],
        "30m",
        alerts={
            "GenAIConversationRunaway": [
                Alerting(
                    "Conversation c1 in planner has made 100 calls in ten minutes.",
                    {**SERVICE, **_TEAM, "gen_ai_conversation_id": "c1"},
                )
            ]
        },
    ),
    Case(
        "an agent that does not end",
        [
            ("gen_ai_invoke_agent_inference_calls_count", _AGENT, "0+2x60"),
            ("gen_ai_invoke_agent_inference_calls_bucket", {**_AGENT, "le": "64.0"}, "0+1x60"),
            ("gen_ai_invoke_agent_inference_calls_count", {**_AGENT, "gen_ai_agent_name": "planner"}, "0+2x60"),
            (
                "gen_ai_invoke_agent_inference_calls_bucket",
                {**_AGENT, "gen_ai_agent_name": "planner", "le": "64.0"},
                "0+2x60",
            ),
        ],
        "30m",
        alerts={
            "GenAIAgentRunaway": [
                Alerting(
                    "Agent booker in planner makes more than 64 calls of models in one run.",
                    {**SERVICE, "gen_ai_agent_name": "booker"},
                )
            ]
        },
    ),
    Case(
        "telemetry that is lost",
        [
            ("up", _COLLECTOR, "1x60"),
            ("otelcol_exporter_send_failed_spans", {**_COLLECTOR, "exporter": "otlp_grpc/traces"}, "0+60x60"),
            # The same Collector, by OTLP.
            (
                "otelcol_exporter_send_failed_spans_total",
                {"job": "otelcol", "instance": "1d0c", "exporter": "otlp_grpc/traces"},
                "0+60x60",
            ),
            ("otelcol_receiver_refused_log_records_total", {**_COLLECTOR, "receiver": "otlp"}, "0+120x60"),
            (
                "otelcol_exporter_enqueue_failed_metric_points",
                {**_COLLECTOR, "exporter": "otlp_http/prometheus"},
                "0x60",
            ),
            (
                "gen_ai_client_completion_hook_dropped_total",
                {**SERVICE, **_INSTANCE, "error_type": "queue_full"},
                "0+1x60",
            ),
        ],
        "30m",
        records={
            "otelcol:lost:rate5m": [
                ({**_COLLECTOR, "exporter": "otlp_grpc/traces", "loss": "not sent", "signal": "spans"}, 1),
                ({**_COLLECTOR, "receiver": "otlp", "loss": "refused", "signal": "log_records"}, 2),
                (
                    {**_COLLECTOR, "exporter": "otlp_http/prometheus", "loss": "not queued", "signal": "metric_points"},
                    0,
                ),
            ]
        },
        alerts={
            "GenAITelemetryDropped": [
                Alerting(
                    "1 spans a second are not sent by the Collector collector:8888.",
                    {**_COLLECTOR, "exporter": "otlp_grpc/traces", "loss": "not sent", "signal": "spans"},
                ),
                Alerting(
                    "2 log_records a second are refused by the Collector collector:8888.",
                    {**_COLLECTOR, "receiver": "otlp", "loss": "refused", "signal": "log_records"},
                ),
            ],
            "GenAICompletionsDropped": [
                Alerting(
                    "15 completions of planner did not reach the completion hook (queue_full).",
                    {**SERVICE, "error_type": "queue_full"},
                )
            ],
            "GenAICollectorDown": [],
        },
    ),
    Case(
        "a Collector that is down",
        [("up", _COLLECTOR, "1x10 0x60")],
        "30m",
        alerts={
            "GenAICollectorDown": [
                Alerting(
                    "The Collector collector:8888 does not answer: what applications send is lost once their queues are full.",
                    _COLLECTOR,
                )
            ]
        },
    ),
)
