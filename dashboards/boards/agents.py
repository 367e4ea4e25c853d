"""Agents and tools: what runs, what it does, and where it gets stuck."""

from __future__ import annotations

from style.board import Board
from style.limits import Limits
from style.panels import COUNT, Column, Query, bars, heat, numbers, rows, series
from style.queries import AGENT, RANGE, SERVICES, TOOL, WORKFLOW, growth, quantile, ratio, share, total

FAILED = Limits(0.05, 0.15)
AGENT_SECONDS = Limits(30, 120)
TOOL_SECONDS = Limits(2, 10)
CALLS = Limits(10, 25)
_FAILED = f'{SERVICES}, error_type!=""'
_MODEL_CALLS = ("gen_ai_invoke_agent_inference_calls",)
_TOOL_CALLS = ("gen_ai_invoke_agent_tool_calls",)


def _grown(names: tuple[str, ...], part: str = "count", *, over: str = "$__rate_interval", failed: bool = False) -> str:
    return growth(names, part, over=over, where=_FAILED if failed else SERVICES)


def _failing(names: tuple[str, ...], by: str = "", *, over: str = "$__rate_interval") -> str:
    return share(total(_grown(names, over=over, failed=True), by), total(_grown(names, over=over), by))


def _slow(names: tuple[str, ...], by: str = "", *, of: float = 0.95, over: str = "$__rate_interval") -> str:
    return quantile(of, names, by, over=over, where=SERVICES)


def _mean(names: tuple[str, ...], by: str = "", *, over: str = "$__rate_interval") -> str:
    return ratio(total(_grown(names, "sum", over=over), by), total(_grown(names, over=over), by))


def board() -> Board:
    """Return the board."""
    made = Board("agents", "Agents and tools", "What runs, what does it do, and where does it get stuck?")
    made.row(
        "Now",
        numbers("Runs of agents", "Runs that ended, in a second.", "si:runs/s", total(_grown(AGENT))),
        numbers(
            "Failed runs",
            "The share of runs that ended with an error.",
            "percentunit",
            _failing(AGENT),
            limits=FAILED,
            decimals=1,
        ),
        numbers("Run, p95", "One run in twenty took longer.", "s", _slow(AGENT), limits=AGENT_SECONDS),
        numbers("Tools", "Tools that were executed, in a second.", "si:calls/s", total(_grown(TOOL))),
        numbers(
            "Failed tools",
            "The share of executions that ended with an error.",
            "percentunit",
            _failing(TOOL),
            limits=FAILED,
            decimals=1,
        ),
        numbers(
            "Model calls in a run",
            "The mean of what agents call themselves; agents within them count for themselves.",
            "short",
            _mean(_MODEL_CALLS),
            limits=CALLS,
            decimals=1,
        ),
    )
    agent, tool = "gen_ai_agent_name", "gen_ai_tool_name"
    made.row(
        "Agents",
        series(
            "Runs by agent",
            "Runs that ended, in a second.",
            "si:runs/s",
            [Query(total(_grown(AGENT), agent), "{{gen_ai_agent_name}}")],
            stacked=True,
            width=8,
        ),
        series(
            "Run by agent, p95",
            "One run in twenty took longer.",
            "s",
            [Query(_slow(AGENT, agent), "{{gen_ai_agent_name}}", exemplars=True)],
            limits=AGENT_SECONDS,
            width=8,
        ),
        series(
            "Failed runs by agent",
            "The share of runs that ended with an error.",
            "percentunit",
            [Query(_failing(AGENT, agent), "{{gen_ai_agent_name}}")],
            limits=FAILED,
            width=8,
        ),
        series(
            "Model calls in a run",
            "The mean by agent. A rise without a change of the code is an agent that goes round in circles.",
            "short",
            [Query(_mean(_MODEL_CALLS, agent), "{{gen_ai_agent_name}}")],
            limits=CALLS,
            width=8,
        ),
        series(
            "Tools in a run",
            "The mean by agent.",
            "short",
            [Query(_mean(_TOOL_CALLS, agent), "{{gen_ai_agent_name}}")],
            limits=CALLS,
            width=8,
        ),
        series(
            "Workflow, p95",
            "How long whole workflows take, of which agents are a part.",
            "s",
            [Query(_slow(WORKFLOW, "gen_ai_workflow_name"), "{{gen_ai_workflow_name}}", exemplars=True)],
            limits=AGENT_SECONDS,
            width=8,
        ),
    )
    made.row(
        "Tools",
        series(
            "Executions by tool",
            "Tools that were executed, in a second.",
            "si:calls/s",
            [Query(total(_grown(TOOL), tool), "{{gen_ai_tool_name}}")],
            stacked=True,
            width=8,
        ),
        series(
            "Duration by tool, p95",
            "One execution in twenty took longer.",
            "s",
            [Query(_slow(TOOL, tool), "{{gen_ai_tool_name}}", exemplars=True)],
            limits=TOOL_SECONDS,
            width=8,
        ),
        series(
            "Failures by tool",
            "The share of executions that ended with an error.",
            "percentunit",
            [Query(_failing(TOOL, tool), "{{gen_ai_tool_name}}")],
            limits=FAILED,
            width=8,
        ),
        heat(
            "Durations of tools",
            "How many executions took how long; the darker, the more.",
            "s",
            f"sum by (le) {_grown(TOOL, 'bucket')}",
            width=16,
        ),
        bars(
            "Failures by type",
            "Executions of the chosen range that failed.",
            COUNT,
            Query(
                total(_grown(TOOL, over=RANGE, failed=True), f"{tool}, error_type"),
                "{{gen_ai_tool_name}}: {{error_type}}",
            ),
        ).tall(8),
    )
    made.row(
        "The chosen range",
        rows(
            "By agent",
            "Runs, and what they do.",
            {agent: "Agent"},
            [
                Column("Runs", total(_grown(AGENT, over=RANGE), agent), COUNT),
                Column("Failed", _failing(AGENT, agent, over=RANGE), "percentunit", FAILED),
                Column("p50", _slow(AGENT, agent, of=0.5, over=RANGE), "s", AGENT_SECONDS),
                Column("p95", _slow(AGENT, agent, over=RANGE), "s", AGENT_SECONDS),
                Column("Model calls", _mean(_MODEL_CALLS, agent, over=RANGE), "none", CALLS),
                Column("Tools", _mean(_TOOL_CALLS, agent, over=RANGE), "none", CALLS),
            ],
            width=12,
        ),
        rows(
            "By tool",
            "Executions, by the agent that ran them.",
            {tool: "Tool", agent: "Agent"},
            [
                Column("Executions", total(_grown(TOOL, over=RANGE), f"{tool}, {agent}"), COUNT),
                Column("Failed", _failing(TOOL, f"{tool}, {agent}", over=RANGE), "percentunit", FAILED),
                Column("p50", _slow(TOOL, f"{tool}, {agent}", of=0.5, over=RANGE), "s", TOOL_SECONDS),
                Column("p95", _slow(TOOL, f"{tool}, {agent}", over=RANGE), "s", TOOL_SECONDS),
            ],
            width=12,
        ),
    )
    return made
