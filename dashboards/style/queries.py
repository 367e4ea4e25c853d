"""PromQL over the metrics of the instrumentation, by the names of both generations of the conventions.

A service emits v1.41, the latest generation, or both. `or` joins the series of both names: of series with the same labels the
first is taken, so that a service that emits both counts once. It stands below each sum, where the labels are still there.
"""

from __future__ import annotations

import re

RATE = "$__rate_interval"
RANGE = "$__range"
SERVICES = 'service_name=~"$service", deployment_environment_name=~"$environment"'
CALLS = f'{SERVICES}, gen_ai_provider_name=~"$provider", gen_ai_request_model=~"$model"'

# v1.41, latest.
DURATION = ("gen_ai_client_operation_duration_seconds", "gen_ai_client_inference_duration_seconds")
FIRST_CHUNK = (
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "gen_ai_client_inference_time_to_first_chunk_seconds",
)
PER_CHUNK = (
    "gen_ai_client_operation_time_per_output_chunk_seconds",
    "gen_ai_client_inference_time_per_output_chunk_seconds",
)
WORKFLOW = ("gen_ai_workflow_duration_seconds", "gen_ai_invoke_workflow_duration_seconds")
# The same in both.
COST = ("gen_ai_client_operation_cost",)
AGENT = ("gen_ai_invoke_agent_duration_seconds",)
TOOL = ("gen_ai_execute_tool_duration_seconds",)
EVALUATION = ("gen_ai_evaluation_score",)
_USAGE = "gen_ai_client_token_usage"
_METRIC = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{")


def growth(names: tuple[str, ...], part: str, *, over: str = RATE, where: str = CALLS, function: str = "") -> str:
    """Return the growth of a counter, or of a part of a histogram, by whichever name it has.

    Args:
        names: of the metric, that of v1.41 first.
        part: `bucket`, `count` or `sum` of a histogram, `total` of a counter.
        over: the time that is looked at.
        where: the matchers.
        function: `rate` or `increase`; empty for the one that fits the time: a rate, of the whole range an increase.
    """
    function = function or ("increase" if over == RANGE else "rate")
    return "(" + " or ".join(f"{function}({name}_{part}{{{where}}}[{over}])" for name in names) + ")"


def tokens(kind: str, *, over: str = RATE, function: str = "") -> str:
    """Return the growth of the tokens of one kind, by either name.

    In v1.41 the kind and the service tier are labels; in the latest generation the kind is a part of the name, and there is no tier.

    Args:
        kind: `input` or `output`.
        over: the time that is looked at.
        function: as of `growth`.
    """
    v141 = growth((_USAGE,), "sum", over=over, where=f'{CALLS}, gen_ai_token_type="{kind}"', function=function)
    latest = growth((f"gen_ai_client_inference_operation_{kind}_tokens",), "sum", over=over, function=function)
    return f"(sum without (gen_ai_token_type, openai_response_service_tier) {v141} or {latest})"


def part_of_tokens(kind: str, *, over: str = RATE, function: str = "") -> str:
    """Return the growth of tokens that are part of the others: `cache_read_input`, `cache_write_input` or `reasoning_output`."""
    return growth((f"gen_ai_client_inference_usage_{kind}_tokens",), "total", over=over, function=function)


def total(growing: str, by: str = "") -> str:
    """Return the sum of what grows, by labels."""
    return f"sum by ({by}) {growing}" if by else f"sum{growing}"


def quantile(share: float, names: tuple[str, ...], by: str = "", *, over: str = RATE, where: str = CALLS) -> str:
    """Return a quantile of a histogram, by labels. Without observations it is NaN, which panels show as what it is."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) {growth(names, 'bucket', over=over, where=where, function='rate')})"


def ratio(part: str, whole: str) -> str:
    """Return a part by a whole; where the whole is zero there is nothing, rather than 0/0."""
    return f"{part} / ({whole} > 0)"


def share(part: str, whole: str) -> str:
    """Return a share of a whole: zero where there is no such part, nothing where there is no whole."""
    return f"({part} or {whole} * 0) / ({whole} > 0)"


def top(number: int, ordered: str) -> str:
    """Return the largest ones."""
    return f"topk({number}, {ordered})"


def errors(more: str = 'error_type!=""', *, over: str = RATE, where: str = CALLS) -> str:
    """Return the growth of calls that failed.

    Args:
        more: which failures.
        over: the time that is looked at.
        where: the matchers of the calls.
    """
    return growth(DURATION, "count", over=over, where=f"{where}, {more}")


def metrics_of(query: str) -> list[str]:
    """Return the names of the metrics in a query, in its order, without the parts of histograms."""
    names = (re.sub(r"_(bucket|count|sum)$", "", name) for name in _METRIC.findall(query))
    return list(dict.fromkeys(names))
