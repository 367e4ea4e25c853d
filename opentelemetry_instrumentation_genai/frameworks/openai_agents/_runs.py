"""The runs of the SDK, by `Runner.run` and its likes: each is a workflow, unless it is a part of one, with agents that take turns.

The span of an agent ends when the next one starts or the run ends: only then its answer is known, or the exception that ended it.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current, set_value

from ..._application.block import Block
from ..._operations.framework_run import FrameworkRun, async_recorded, recorded
from ..._runtime.guard import guarded
from ..._signals.application import used_by
from ._agents import described, model_of
from ._endpoints import AGENT_OF_SDK, WORKFLOW_OF_SDK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.context.context import Context

    from ..._signals.application import ApplicationSignals

_RUN = "opentelemetry_instrumentation_genai.frameworks.openai_agents.run"
_WORKFLOW = "opentelemetry_instrumentation_genai.frameworks.openai_agents.workflow"


class Workflow(FrameworkRun):
    """A workflow: one run of the SDK, or the application's `trace` around several."""

    def __init__(self, given: Mapping[str, Any], used: ApplicationSignals) -> None:
        super().__init__(WORKFLOW_OF_SDK, given, used)

    def _within(self, outer: Context) -> Context:
        return set_value(_WORKFLOW, self, super()._within(outer))


def is_in_workflow() -> bool:
    """Return whether a workflow goes on in this context."""
    workflow = get_current().get(_WORKFLOW)
    return isinstance(workflow, Workflow) and not workflow.over


def run_here() -> AgentsRun | None:
    """Return the run of the SDK that goes on in this context; None outside of runs."""
    run = get_current().get(_RUN)
    return run if isinstance(run, AgentsRun) and not run.over else None


class AgentsRun(Block):
    """One run of the SDK.

    Args:
        workflow: its workflow; None where it is a part of another.
        given: the arguments of the run by their names.
        used: the signals that record it.
    """

    def __init__(self, workflow: Workflow | None, given: Mapping[str, Any], used: ApplicationSignals) -> None:
        self._workflow = workflow
        self._used = used
        self._agent: FrameworkRun | None = None
        self._input = given.get("input")
        self._known = given.get("starting_agent")
        self._model = model_of(given.get("run_config"))
        self._agent_left = self._goes_on = False

    def _within(self, outer: Context) -> Context:
        return set_value(_RUN, self, outer)

    def __enter__(self) -> object:
        if self._workflow is not None:
            self._workflow.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self._goes_on and not any(error):
            if self._workflow is not None:
                self._workflow.leave()
            return
        self._end(next((one for one in error if isinstance(one, BaseException)), None))
        if self._workflow is not None:
            self._workflow.__exit__(*error)

    def agent(self, name: str) -> FrameworkRun:
        """Return the operation of the agent that takes its turn; the one before it ends.

        Args:
            name: its name.
        """
        if self._agent is not None and not self._agent_left:  # code within its turn makes a span of its own
            return FrameworkRun(AGENT_OF_SDK, {"name": name}, self._used)
        self._end_agent(None)
        self._known, given = described(self._known, name)
        if self._model is not None:
            given["model"] = self._model
        if self._input is not None:
            given["input"], self._input = self._input, None
        self._agent = agent = FrameworkRun(AGENT_OF_SDK, given, self._used)
        return agent

    def keeps(self, operation: FrameworkRun) -> bool:
        """Return whether an operation, which is current no more, is the agent that had its turn: it ends with the next, or with the run."""
        if operation is not self._agent:
            return False
        self._agent_left = True
        return True

    @guarded
    def returned(self, result: Any) -> None:
        """Take the result: its output is that of the last agent and of the workflow."""
        output = result.final_output
        for operation in (self._agent, self._workflow):
            if operation is not None:
                operation.finished(output)

    @guarded
    def goes_on(self, result: Any) -> None:
        """Go on until the task of a streamed run is done."""
        task = result.run_loop_task
        if task is not None:
            task.add_done_callback(partial(self._done, result))
            self._goes_on = True

    @guarded
    def _done(self, result: Any, task: Any) -> None:
        error = _failure(result, task)
        self.returned(result)
        self._end(error)
        if self._workflow is not None:
            self._workflow.end(error)

    @guarded
    def _end(self, error: BaseException | None) -> None:
        """End with the last agent. Tasks that were started in the run keep it in their context."""
        self.over = True
        self._known = self._input = None
        self._end_agent(error)

    def _end_agent(self, error: BaseException | None) -> None:
        agent, self._agent, self._agent_left = self._agent, None, False
        if agent is not None:
            agent.end(error)


@guarded
def _failure(result: Any, task: Any) -> BaseException | None:
    """Return the exception that ended a streamed run. One that the application left has none.

    It is read without `exception()`, after which asyncio would not log an exception that nobody retrieves.
    """
    error = getattr(task, "_exception", None) or getattr(result, "_stored_exception", None)
    if isinstance(error, BaseException):
        return error
    exceeded = result.max_turns is not None and result.current_turn > result.max_turns
    if exceeded and not getattr(result, "_max_turns_handled", False):
        made: BaseException = import_module("agents.exceptions").MaxTurnsExceeded(
            f"Max turns ({result.max_turns}) exceeded"
        )
        return made
    return None


class Runs:
    """Follows the runs of the SDK.

    Args:
        owner: the instrumentor; its settings count.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the (module, `Class.method`, wrapper) rows."""
        return (
            ("agents.run", "AgentRunner.run", async_recorded(self._begun, AgentsRun.returned)),
            ("agents.run", "AgentRunner.run_streamed", recorded(self._begun, AgentsRun.goes_on)),
        )

    @guarded
    def _begun(self, args: Any, kwargs: Any) -> AgentsRun | None:
        """Return the run of a call; None where it is not followed."""
        used = used_by(self._owner)
        if used is None:
            return None
        given = {**dict(zip(("starting_agent", "input"), args, strict=False)), **kwargs}
        if not isinstance(given.get("input"), (str, list)):  # the state of a run that is resumed
            given["input"] = None
        if is_in_workflow():
            return AgentsRun(None, given, used)
        name = _workflow_name(given.get("run_config"))
        workflow = {"name": name, **({} if given["input"] is None else {"input": given["input"]})}
        return AgentsRun(Workflow(workflow, used), given, used)


def _workflow_name(config: Any) -> str:
    """Return the name of a workflow by the configuration of its run."""
    named = config.get("workflow_name") if isinstance(config, dict) else getattr(config, "workflow_name", None)
    return named if isinstance(named, str) else "Agent workflow"
