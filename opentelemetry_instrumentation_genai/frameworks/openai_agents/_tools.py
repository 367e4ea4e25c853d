"""The function tools of the SDK: each call of one is an operation, with the id and the arguments that the model gave."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current, set_value

from ..._adapter.fields import string
from ..._operations.endpoints import TOOL
from ..._operations.framework_run import FrameworkRun, async_recorded
from ..._operations.operation import reads_input
from ..._runtime.guard import guarded
from ..._signals.application import used_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.context.context import Context

    from ..._signals.application import ApplicationSignals

_TOOL = "opentelemetry_instrumentation_genai.frameworks.openai_agents.tool"


class ToolRun(FrameworkRun):
    """One call of a tool. The SDK makes a span for it, which learns of exceptions that become the tool's answer.

    Attributes:
        has_span: whether that span has started.
    """

    def __init__(self, given: Mapping[str, Any], used: ApplicationSignals) -> None:
        super().__init__(TOOL, given, used)
        self.has_span = False
        self._outer = sys.exc_info()[1]
        self._error: BaseException | None = None

    def handled(self) -> None:
        """Take the exception that the SDK handles here: it becomes the answer, or the SDK raises another one for it."""
        error = sys.exc_info()[1]
        if (
            error is not None and error is not self._outer
        ):  # the application may run the SDK while it handles one of its own
            self._error = error

    def _within(self, outer: Context) -> Context:
        return set_value(_TOOL, self, super()._within(outer))

    @guarded
    def _end(self, error: BaseException | None) -> None:
        super()._end(self._error or error)
        self._outer = self._error = None


def tool_of_span() -> ToolRun | None:
    """Return the call of a tool that the span which starts in this context stands for; None if there is none."""
    tool = get_current().get(_TOOL)
    if not isinstance(tool, ToolRun) or tool.over or tool.has_span:
        return None
    tool.has_span = True
    return tool


class Tools:
    """Follows the function tools.

    Args:
        owner: the instrumentor; its settings count.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the (module, `Class.method`, wrapper) rows."""
        execute = async_recorded(self._begun, _returned)
        return (("agents.run_internal.tool_execution", "_FunctionToolBatchExecutor._run_single_tool", execute),)

    @guarded
    def _begun(self, args: Any, kwargs: Any) -> ToolRun | None:
        """Return the operation of a call; None where it is not followed."""
        used = used_by(self._owner)
        if used is None:
            return None
        tool, call = args or (kwargs["func_tool"], kwargs["tool_call"])
        given = {
            "type": "function",
            "name": tool.name,
            "call_id": call.call_id,
            "description": string(tool.description),
        }
        if reads_input(TOOL, used):
            given["arguments"] = _parsed(call.arguments)
        return ToolRun(given, used)


@guarded
def _returned(run: ToolRun, output: Any) -> None:
    """Record what a tool gives to the model. What has not run, since it waits for approval or was refused, has a result around it."""
    if type(output).__name__ == "FunctionToolResult":
        output = output.output
    run.finished(output)


def _parsed(arguments: Any) -> Any:
    """Return the arguments of a tool as JSON values; what is not JSON stays as it is."""
    try:
        return json.loads(arguments)
    except (TypeError, ValueError):
        return arguments
