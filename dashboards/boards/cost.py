"""Cost and tokens: where the money goes, and whether it is well spent."""

from __future__ import annotations

from style.board import Board
from style.limits import Limits
from style.panels import COUNT, Column, Query, bars, numbers, rows, series, sums
from style.queries import (
    COST,
    DURATION,
    RANGE,
    growth,
    part_of_tokens,
    quantile,
    ratio,
    share,
    tokens,
    total,
)
from style.variables import tag

MODEL = "gen_ai_request_model"
_BY_MODEL = "{{gen_ai_request_model}}"
CACHED = Limits(0.2, 0.05, falling=True)
PRICED = Limits(0.9, 0.5, falling=True)
_SPENT = growth(COST, "sum", over=RANGE)
_CALLS = growth(DURATION, "count", over=RANGE)


def _both_tokens(over: str = RANGE, by: str = "") -> str:
    return f"({total(tokens('input', over=over), by)} + {total(tokens('output', over=over), by)})"


def board() -> Board:
    """Return the board."""
    made = Board(
        "cost",
        "Cost and tokens",
        "Where does the money go, and is it well spent?",
        [tag("team", "By tag")],
    )
    made.row(
        "The chosen range",
        sums(
            "Cost",
            "What all calls with a known price cost. Needs PRICES, which is off by default.",
            "currencyUSD",
            total(_SPENT),
        ),
        sums(
            "Per request",
            "The mean cost of a call, of those with a known price.",
            "currencyUSD",
            ratio(total(_SPENT), total(growth(COST, "count", over=RANGE))),
        ),
        sums(
            "Per 1,000,000 tokens",
            "Cost by tokens of input and output together.",
            "currencyUSD",
            f"1000000 * {ratio(total(_SPENT), _both_tokens())}",
        ),
        numbers(
            "30 days at this pace",
            "What 30 days cost at the pace of now.",
            "currencyUSD",
            f"2592000 * {total(growth(COST, 'sum'))}",
        ),
        sums(
            "Cached input",
            "The share of the input that was read from a cache. Needs METRICS=extended, or the latest generation of names.",
            "percentunit",
            share(total(part_of_tokens("cache_read_input", over=RANGE)), total(tokens("input", over=RANGE))),
            limits=CACHED,
            decimals=1,
        ),
        sums(
            "Calls with a price",
            "The share of calls that have a cost: failed calls, and those of models without a price, have none.",
            "percentunit",
            share(total(growth(COST, "count", over=RANGE)), total(_CALLS)),
            limits=PRICED,
            decimals=1,
        ),
    )
    made.row(
        "Where it goes",
        series(
            "Cost per hour by model",
            "What an hour costs at the pace of that moment.",
            "currencyUSD",
            [Query(f"3600 * {total(growth(COST, 'sum'), MODEL)}", _BY_MODEL)],
            stacked=True,
            width=12,
        ),
        series(
            "Cost per hour by tag",
            "What an hour costs at the pace of that moment, by the tag that is chosen above.",
            "currencyUSD",
            [Query(f"3600 * {total(growth(COST, 'sum'), '$team')}", "{{$team}}")],
            stacked=True,
            width=12,
        ),
        bars(
            "Cost by tag",
            "What the calls of the chosen range cost, by the tag that is chosen above.",
            "currencyUSD",
            Query(total(_SPENT, "$team"), "{{$team}}"),
        ),
        bars(
            "Cost by service",
            "What the calls of the chosen range cost.",
            "currencyUSD",
            Query(total(_SPENT, "service_name"), "{{service_name}}"),
        ),
        bars(
            "Cost by provider",
            "What the calls of the chosen range cost.",
            "currencyUSD",
            Query(total(_SPENT, "gen_ai_provider_name"), "{{gen_ai_provider_name}}"),
        ),
    )
    made.row(
        "Tokens",
        series(
            "Input tokens by model",
            "Tokens in a second, those from a cache included.",
            "si:tok/s",
            [Query(total(tokens("input"), MODEL), _BY_MODEL)],
            stacked=True,
            width=8,
        ),
        series(
            "Output tokens by model",
            "Tokens in a second, those of reasoning included.",
            "si:tok/s",
            [Query(total(tokens("output"), MODEL), _BY_MODEL)],
            stacked=True,
            width=8,
        ),
        series(
            "Cached input by model",
            "The share of the input that was read from a cache. A fall to nothing is often a prompt that has changed at its beginning.",
            "percentunit",
            [Query(share(total(part_of_tokens("cache_read_input"), MODEL), total(tokens("input"), MODEL)), _BY_MODEL)],
            limits=CACHED,
            most=1,
            width=8,
        ),
    )
    made.row(
        "Cost against tokens",
        series(
            "Per 1,000,000 tokens",
            "Cost by tokens of input and output together, by model: it rises with the share of output, and falls with the cache.",
            "currencyUSD",
            [
                Query(
                    f"1000000 * {ratio(total(growth(COST, 'sum'), MODEL), _both_tokens('$__rate_interval', MODEL))}",
                    _BY_MODEL,
                )
            ],
            width=8,
        ),
        series(
            "Cost of a call",
            "What calls cost: the median, and what one in twenty exceeds.",
            "currencyUSD",
            [Query(quantile(0.95, COST), "p95", exemplars=True), Query(quantile(0.5, COST), "p50")],
            width=8,
        ),
        series(
            "Output by input",
            "Tokens of output for each token of input, by model.",
            "none",
            [Query(ratio(total(tokens("output"), MODEL), total(tokens("input"), MODEL)), _BY_MODEL)],
            width=8,
        ),
    )
    calls = total(_CALLS, MODEL)
    spent = total(_SPENT, MODEL)
    given = total(tokens("input", over=RANGE), MODEL)
    made.row(
        "By model",
        rows(
            "Cost by model",
            "The chosen range.",
            {MODEL: "Model"},
            [
                Column("Cost", spent, "currencyUSD"),
                Column("Requests", calls, COUNT),
                Column("Per 1,000 requests", f"1000 * {ratio(spent, calls)}", "currencyUSD"),
                Column("Input tokens", given, "short"),
                Column(
                    "Cached",
                    share(total(part_of_tokens("cache_read_input", over=RANGE), MODEL), given),
                    "percentunit",
                    CACHED,
                ),
                Column("Output tokens", total(tokens("output", over=RANGE), MODEL), "short"),
                Column("Per 1,000,000 tokens", f"1000000 * {ratio(spent, _both_tokens(by=MODEL))}", "currencyUSD"),
            ],
        ),
    )
    return made
