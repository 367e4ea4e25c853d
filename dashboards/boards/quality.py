"""Quality: what evaluations and users say of the answers."""

from __future__ import annotations

from style.board import Board
from style.limits import Limits
from style.panels import COUNT, Column, Query, bars, heat, rows, series, sums
from style.queries import AGENT, EVALUATION, RANGE, SERVICES, growth, ratio, share, total
from style.variables import values

NAME, LABEL = "gen_ai_evaluation_name", "gen_ai_evaluation_score_label"
SCORE = Limits(0.7, 0.5, falling=True)
FEEDBACK = Limits(0.8, 0.6, falling=True)
EVALUATED = f'{SERVICES}, {NAME}=~"$evaluation"'
# The words for what is good and what is bad, of feedback and of evaluations.
GOOD = f'{LABEL}=~"(?i)thumbs_?up|up|positive|good|like|pass|passed|yes"'
UP = f'{SERVICES}, {NAME}=~"(?i).*(feedback|thumbs|rating).*", {GOOD}'
FED_BACK = f'{SERVICES}, {NAME}=~"(?i).*(feedback|thumbs|rating).*"'
PASSED = f"{EVALUATED}, {GOOD}"


def _grown(part: str = "count", *, over: str = "$__rate_interval", where: str = EVALUATED) -> str:
    return growth(EVALUATION, part, over=over, where=where)


def board() -> Board:
    """Return the board."""
    made = Board(
        "quality",
        "Quality",
        "What do evaluations and users say of the answers?",
        [values("evaluation", "Evaluation", f"gen_ai_evaluation_score_count{{{SERVICES}}}", NAME)],
    )
    made.row(
        "The chosen range",
        sums(
            "Evaluations",
            "Results that were recorded, feedback of users among them.",
            COUNT,
            total(_grown(over=RANGE)),
            decimals=0,
        ),
        sums(
            "Mean score",
            "The mean of all chosen evaluations: choose one, if their scores do not have the same scale.",
            "none",
            ratio(total(_grown("sum", over=RANGE)), total(_grown(over=RANGE))),
            limits=SCORE,
            decimals=2,
        ),
        sums(
            "Passed",
            "The share of results with a label that is a good one.",
            "percentunit",
            share(total(_grown(over=RANGE, where=PASSED)), total(_grown(over=RANGE))),
            limits=FEEDBACK,
            decimals=1,
        ),
        sums(
            "Feedback",
            "The share of the users' feedback that is good.",
            "percentunit",
            share(total(_grown(over=RANGE, where=UP)), total(_grown(over=RANGE, where=FED_BACK))),
            limits=FEEDBACK,
            decimals=1,
        ),
        sums(
            "Users who gave feedback",
            "How many results are feedback of users.",
            COUNT,
            total(_grown(over=RANGE, where=FED_BACK)),
            decimals=0,
        ),
        sums(
            "Runs with feedback",
            "Feedback by runs of agents.",
            "percentunit",
            share(total(_grown(over=RANGE, where=FED_BACK)), total(growth(AGENT, "count", over=RANGE, where=SERVICES))),
            decimals=1,
        ),
    )
    made.row(
        "Over time",
        series(
            "Mean score by evaluation",
            "The mean of the scores of that moment.",
            "none",
            [Query(ratio(total(_grown("sum"), NAME), total(_grown(), NAME)), "{{gen_ai_evaluation_name}}")],
            limits=SCORE,
        ),
        series(
            "Results by label",
            "Results in a second.",
            "si:results/s",
            [
                Query(
                    total(_grown(), f"{NAME}, {LABEL}"), "{{gen_ai_evaluation_name}}: {{gen_ai_evaluation_score_label}}"
                )
            ],
            stacked=True,
        ),
        heat(
            "Scores",
            "How many results have which score; the darker, the more. Points are exemplars: the traces of what was evaluated.",
            "none",
            f"sum by (le) {_grown('bucket')}",
        ),
        series(
            "Feedback",
            "The share of the users' feedback that is good.",
            "percentunit",
            [
                Query(
                    share(total(_grown(where=UP), "service_name"), total(_grown(where=FED_BACK), "service_name")),
                    "{{service_name}}",
                )
            ],
            limits=FEEDBACK,
            most=1,
        ),
    )
    both = f"service_name, {NAME}"
    made.row(
        "By evaluation",
        rows(
            "Evaluations by service",
            "The chosen range. Results without a score are events alone.",
            {"service_name": "Service", NAME: "Evaluation"},
            [
                Column("Results", total(_grown(over=RANGE), both), COUNT),
                Column(
                    "Mean score",
                    ratio(total(_grown("sum", over=RANGE), both), total(_grown(over=RANGE), both)),
                    "none",
                    SCORE,
                ),
                Column(
                    "Passed",
                    share(total(_grown(over=RANGE, where=PASSED), both), total(_grown(over=RANGE), both)),
                    "percentunit",
                    FEEDBACK,
                ),
            ],
            width=16,
        ),
        bars(
            "Results by label",
            "Results of the chosen range.",
            COUNT,
            Query(
                total(_grown(over=RANGE), f"{NAME}, {LABEL}"),
                "{{gen_ai_evaluation_name}}: {{gen_ai_evaluation_score_label}}",
            ),
        ).tall(7),
    )
    return made
