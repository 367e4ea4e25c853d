"""A run of an agent: its tools, the request to the model, and what is made of the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from opentelemetry_instrumentation_genai import (
    current_call,
    execute_tool,
    invoke_agent,
    invoke_workflow,
    record_evaluation,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .agent_plan import PlannedRun, PlannedTool
    from .report import Report

_Answer = TypeVar("_Answer")


async def run_agent(run: PlannedRun, ask: Callable[[], Awaitable[_Answer]], report: Report) -> _Answer:
    """Run an agent of the workflow `weekend`, and return the answer.

    Args:
        run: what it does.
        ask: makes its request to the model; what that raises ends the run, and is raised.
        report: what counts it.
    """
    report.agents[run.agent] += 1
    async with invoke_workflow("weekend"), invoke_agent(run.agent):
        call = current_call()
        for tool in run.tools:
            await _execute(tool, report)
        answer = await ask()
        if run.relevance is not None:
            record_evaluation("relevance", score=run.relevance, label=run.verdict)
            report.evaluations[f"relevance {run.verdict}"] += 1
    if run.thumbs:
        record_evaluation("user_feedback", score=float(run.thumbs == "thumbs_up"), label=run.thumbs, call=call)
        report.evaluations[f"user_feedback {run.thumbs}"] += 1
    return answer


async def _execute(tool: PlannedTool, report: Report) -> None:
    """Execute a tool; the agent goes on if it fails."""
    report.tools[tool.name] += 1
    try:
        async with execute_tool(tool.name):
            await _work(tool)
    except ConnectionError:
        report.tool_errors[tool.name] += 1


async def _work(tool: PlannedTool) -> None:
    await asyncio.sleep(tool.seconds)
    if tool.failing:
        raise ConnectionError("There is no answer from the station.")
