"""Overview: whether it works, how fast it is, and what it costs."""

from __future__ import annotations

from style import limits
from style.board import Board
from style.panels import COUNT, Column, Place, Query, bars, numbers, rows, series, sums
from style.queries import (
    COST,
    DURATION,
    RANGE,
    errors,
    growth,
    quantile,
    ratio,
    share,
    tokens,
    top,
    total,
)

ERRORS = limits.ERROR_SHARE
SECONDS = limits.DURATION

_CALLS = growth(DURATION, "count")
_CALLS_IN_RANGE = growth(DURATION, "count", over=RANGE)


def _table(title: str, about: str, label: str, name: str, *, width: int = 24) -> Place:
    """Return a table of the values of a label."""
    calls = total(_CALLS_IN_RANGE, label)
    columns = [
        Column("Requests", top(20, calls), COUNT),
        Column("Errors", share(total(errors(over=RANGE), label), calls), "percentunit", ERRORS),
        Column("p95", quantile(0.95, DURATION, label, over=RANGE), "s", SECONDS),
    ]
    if width == 24:
        columns += [
            Column("Input tokens", total(tokens("input", over=RANGE), label), "short"),
            Column("Output tokens", total(tokens("output", over=RANGE), label), "short"),
            Column(
                "Cost per 1,000 requests",
                f"1000 * {ratio(total(growth(COST, 'sum', over=RANGE), label), calls)}",
                "currencyUSD",
            ),
        ]
    columns.append(Column("Cost", total(growth(COST, "sum", over=RANGE), label), "currencyUSD"))
    return rows(title, about, {label: name}, columns, width=width)


def board() -> Board:
    """Return the board."""
    made = Board("overview", "Overview", "Is it working, how fast is it, and what does it cost?")
    made.row(
        "Now",
        numbers("Requests", "Calls that ended, in a second, whatever their outcome.", "reqps", total(_CALLS), width=3),
        numbers(
            "Errors",
            "The share of calls that failed after all retries.",
            "percentunit",
            share(total(errors()), total(_CALLS)),
            limits=ERRORS,
            width=3,
            decimals=1,
        ),
        numbers(
            "p50",
            "Half of the calls took no longer, the reading of their streams included.",
            "s",
            quantile(0.5, DURATION),
            limits=SECONDS,
            width=3,
        ),
        numbers("p95", "One call in twenty took longer.", "s", quantile(0.95, DURATION), limits=SECONDS, width=3),
        numbers(
            "Input tokens",
            "Tokens of input in a second, those from a cache included.",
            "si:tok/s",
            total(tokens("input")),
            width=3,
            decimals=1,
        ),
        numbers(
            "Output tokens",
            "Tokens of output in a second, those of reasoning included.",
            "si:tok/s",
            total(tokens("output")),
            width=3,
            decimals=1,
        ),
        sums(
            "Cost",
            "What the calls of the chosen range cost: those with a known price.",
            "currencyUSD",
            total(growth(COST, "sum", over=RANGE)),
            width=3,
        ),
        numbers(
            "Cost per hour",
            "What an hour costs at the pace of now.",
            "currencyUSD",
            f"3600 * {total(growth(COST, 'sum'))}",
            width=3,
        ),
    )
    made.row(
        "Requests",
        series(
            "Requests by provider",
            "Calls that ended, in a second.",
            "reqps",
            [Query(total(_CALLS, "gen_ai_provider_name"), "{{gen_ai_provider_name}}")],
            stacked=True,
            width=8,
        ),
        series(
            "Errors by type",
            "Calls that failed, in a second. The type is the provider's code, or the name of the exception.",
            "reqps",
            [Query(total(errors(), "error_type"), "{{error_type}}")],
            stacked=True,
            width=8,
        ),
        series(
            "Latency",
            "How long calls take, from the application's request to the last chunk. Points are exemplars: one call each, with its trace.",
            "s",
            [
                Query(quantile(0.95, DURATION), "p95", exemplars=True),
                Query(quantile(0.5, DURATION), "p50"),
            ],
            limits=SECONDS,
            width=8,
        ),
        series(
            "Tokens",
            "Tokens in a second.",
            "si:tok/s",
            [Query(total(tokens("input")), "input"), Query(total(tokens("output")), "output")],
            stacked=True,
            width=8,
        ),
        series(
            "Cost per hour by model",
            "What an hour costs at the pace of that moment.",
            "currencyUSD",
            [Query(f"3600 * {total(growth(COST, 'sum'), 'gen_ai_request_model')}", "{{gen_ai_request_model}}")],
            stacked=True,
            width=8,
        ),
        bars(
            "Requests by operation",
            "Calls of the chosen range by what they do.",
            COUNT,
            Query(total(_CALLS_IN_RANGE, "gen_ai_operation_name"), "{{gen_ai_operation_name}}"),
        ).tall(8),
    )
    made.row(
        "Who and what",
        _table("Top models", "The models of the chosen range, the most used first.", "gen_ai_request_model", "Model"),
        _table("By service", "The services of the chosen range.", "service_name", "Service", width=12).tall(6),
        _table(
            "By environment",
            "The environments of the chosen range.",
            "deployment_environment_name",
            "Environment",
            width=12,
        ).tall(6),
    )
    return made
