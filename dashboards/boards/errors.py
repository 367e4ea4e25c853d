"""Errors and limits: what fails, why, and what is about to."""

from __future__ import annotations

from style import limits
from style.board import Board
from style.limits import THRESHOLDS, Limits
from style.panels import COUNT, Column, Query, bars, numbers, rows, series, sums
from style.queries import CALLS, DURATION, RANGE, errors, growth, share, total

ALL = limits.ERROR_SHARE
KIND = Limits(0.01, 0.03)
LEFT = Limits(50, 10, falling=True)
# `error.type` is the provider's code where it is a word, else the name of the exception.
RATE_LIMITED = f'error_type=~"{THRESHOLDS["rate_limit_errors"]}"'
TIMED_OUT = 'error_type=~"(?i).*time_?d?_?out.*|408|504"'
FILTERED = 'error_type=~"(?i).*(content_filter|content_policy|safety|policy_violation|guardrail|blocked).*"'
BROKEN = (
    'error_type=~"(?i).*(server_?error|api_error|overloaded|internal|service_?unavailable|connection).*|5[0-9][0-9]"'
)
ANSWERS = ("gen_ai_collector_answers",)
REMAINING = "gen_ai_client_rate_limit_remaining"
_MODEL = "{{gen_ai_provider_name}} {{gen_ai_request_model}}"
_CALLED = growth(DURATION, "count")
_IN_RANGE = growth(DURATION, "count", over=RANGE)


def _share(of: str, *, over: str | None = None, by: str = "") -> str:
    if over is None:
        return share(total(errors(of), by), total(_CALLED, by))
    return share(total(errors(of, over=over), by), total(_IN_RANGE, by))


def board() -> Board:
    """Return the board."""
    made = Board("errors", "Errors and limits", "What fails, why, and what is about to?")
    failed = 'error_type!=""'
    made.row(
        "Now",
        numbers(
            "Errors",
            "The share of calls that failed after all retries.",
            "percentunit",
            _share(failed),
            limits=ALL,
            decimals=1,
        ),
        numbers(
            "Rate limits",
            "The share of calls that a rate limit or a quota ended. Retries that worked are not in it.",
            "percentunit",
            _share(RATE_LIMITED),
            limits=limits.RATE_LIMITED,
            decimals=1,
        ),
        numbers(
            "Timeouts",
            "The share of calls that took longer than the client waits.",
            "percentunit",
            _share(TIMED_OUT),
            limits=KIND,
            decimals=1,
        ),
        numbers(
            "Policy",
            "The share of calls that a filter or a policy of the provider ended.",
            "percentunit",
            _share(FILTERED),
            limits=KIND,
            decimals=1,
        ),
        numbers(
            "Provider",
            "The share of calls that ended with an error of the server, or of the connection to it.",
            "percentunit",
            _share(BROKEN),
            limits=KIND,
            decimals=1,
        ),
        sums(
            "Failed calls",
            "How many calls of the chosen range failed.",
            COUNT,
            f"{total(errors(over=RANGE))} or {total(_IN_RANGE)} * 0",
            decimals=0,
        ),
    )
    made.row(
        "What fails",
        series(
            "Errors by type",
            "Calls that failed, in a second, by the provider's code or the name of the exception.",
            "reqps",
            [Query(total(errors(), "error_type"), "{{error_type}}")],
            stacked=True,
        ),
        series(
            "Share of errors by provider",
            "The share of calls that failed.",
            "percentunit",
            [Query(_share(failed, by="gen_ai_provider_name"), "{{gen_ai_provider_name}}")],
            limits=ALL,
        ),
        series(
            "Rate limits by model",
            "The share of calls that a rate limit or a quota ended.",
            "percentunit",
            [Query(_share(RATE_LIMITED, by="gen_ai_request_model"), "{{gen_ai_request_model}}")],
            limits=limits.RATE_LIMITED,
            width=8,
        ),
        series(
            "Timeouts by model",
            "The share of calls that took longer than the client waits.",
            "percentunit",
            [Query(_share(TIMED_OUT, by="gen_ai_request_model"), "{{gen_ai_request_model}}")],
            limits=KIND,
            width=8,
        ),
        series(
            "Policy by model",
            "The share of calls that a filter or a policy of the provider ended. An answer that a filter cuts short is no error: it is "
            "below.",
            "percentunit",
            [Query(_share(FILTERED, by="gen_ai_request_model"), "{{gen_ai_request_model}}")],
            limits=KIND,
            width=8,
        ),
    )
    model = "gen_ai_request_model"
    made.row(
        "How answers end",
        series(
            "Answers by reason",
            "Answers in a second, by the finish reason: `length` was cut at a limit of tokens, `content_filter` by a filter. The Collector counts "
            "them on spans, by `deploy/collector/derived.yaml`.",
            "si:answers/s",
            [
                Query(
                    total(growth(ANSWERS, "total"), "gen_ai_response_finish_reason"),
                    "{{gen_ai_response_finish_reason}}",
                )
            ],
            stacked=True,
        ),
        series(
            "Cut answers by model",
            "The share of answers that were cut at a limit of tokens. They are no errors, and often useless: a limit is too low, or a prompt has "
            "grown. The alert compares with the day before as well.",
            "percentunit",
            [
                Query(
                    share(
                        total(
                            growth(ANSWERS, "total", where=f'{CALLS}, gen_ai_response_finish_reason="length"'), model
                        ),
                        total(growth(ANSWERS, "total"), model),
                    ),
                    "{{gen_ai_request_model}}",
                )
            ],
            limits=limits.TRUNCATED,
        ),
    )
    made.row(
        "What is left of the providers' limits",
        series(
            "Requests left",
            "What the last responses reported; the lowest of all processes. Needs METRICS=extended, and a provider that reports it.",
            "short",
            [Query(f"min by (gen_ai_provider_name, gen_ai_request_model) ({REMAINING}_requests{{{CALLS}}})", _MODEL)],
            limits=LEFT,
        ),
        series(
            "Tokens left",
            "As the requests.",
            "short",
            [Query(f"min by (gen_ai_provider_name, gen_ai_request_model) ({REMAINING}_tokens{{{CALLS}}})", _MODEL)],
            limits=Limits(10_000, 1_000, falling=True),
        ),
    )
    by = "service_name, gen_ai_provider_name, gen_ai_request_model, error_type"
    made.row(
        "The chosen range",
        rows(
            "Failures",
            "Who fails at what, the most frequent first.",
            {
                "error_type": "Error",
                "gen_ai_provider_name": "Provider",
                "gen_ai_request_model": "Model",
                "service_name": "Service",
            },
            [
                Column("Calls", total(errors(over=RANGE), by), COUNT),
                Column(
                    "Of the model's calls",
                    f"{total(errors(over=RANGE), by)} / on (service_name, gen_ai_provider_name, gen_ai_request_model) group_left () "
                    f"({total(_IN_RANGE, 'service_name, gen_ai_provider_name, gen_ai_request_model')} > 0)",
                    "percentunit",
                    KIND,
                ),
            ],
            width=16,
        ),
        bars(
            "Errors by type",
            "Calls of the chosen range that failed.",
            COUNT,
            Query(total(errors(over=RANGE), "error_type"), "{{error_type}}"),
        ).tall(7),
    )
    return made
