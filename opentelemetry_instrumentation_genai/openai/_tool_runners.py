"""The tool runners of the `openai` SDK: a run is the run of an agent, its functions, actions, browser and computer are tools.

The model calls in it are followed by the seam. The application's code between two steps of an iteration is outside the run.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from .._operations.endpoints import AGENT, TOOL
from .._operations.framework_run import FrameworkRun, async_recorded, recorded
from .._operations.operation import reads_input
from .._operations.turns import AsyncTurns, Turns
from .._runtime.guard import guarded
from .._signals.application import used_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._signals.application import ApplicationSignals

    Target = tuple[str, Callable[..., object]]

_COMPUTER = "computer"


class Runners:
    """Follows the runners of one instrumentor.

    Args:
        owner: the instrumentor; its settings count.
        provider: a client -> the provider that its calls have.
    """

    def __init__(self, owner: object, provider: Callable[[Any], str]) -> None:
        self._owner = owner
        self._provider = provider
        execute, async_execute = recorded(self._tool, _returned), async_recorded(self._tool, _returned)
        run, async_run = recorded(self._agent, _ended), async_recorded(self._agent, _ended)
        self._targets: dict[str, tuple[Target, ...]] = {
            "responses_tool_runner": (
                ("ResponsesToolRunner.iterate", self._iterate),
                ("ResponsesToolRunner._execute_function", execute),
                ("AsyncResponsesToolRunner.iterate", self._async_iterate),
                ("AsyncResponsesToolRunner._execute_function", async_execute),
            ),
            "decisions_tool_runner": (
                ("DecisionsToolRunner.run", run),
                ("AsyncDecisionsToolRunner.run", async_run),
                ("_Run.candidates", self._candidates),
            ),
            "computer": (
                ("ComputerToolset.run", run),
                ("ComputerToolset._dispatch", execute),
                ("AsyncComputerToolset.run", async_run),
                ("AsyncComputerToolset._dispatch", async_execute),
            ),
            "browser": (
                ("BrowserToolset._dispatch", execute),
                ("AsyncBrowserToolset._dispatch", async_execute),
            ),
        }

    def targets(self, module: str) -> Iterable[Target]:
        """Return the (`Class.method`, wrapper) rows of a module of runners."""
        return self._targets[module.rpartition(".")[2]]

    def _iterate(self, wrapped: Any, _runner: Any, args: Any, kwargs: Any) -> Any:
        turns = wrapped(*args, **kwargs)
        run = self._agent(args, kwargs)
        return turns if run is None else _Turns(turns, run)

    def _async_iterate(self, wrapped: Any, _runner: Any, args: Any, kwargs: Any) -> Any:
        turns = wrapped(*args, **kwargs)
        run = self._agent(args, kwargs)
        return turns if run is None else _AsyncTurns(turns, run)

    def _candidates(self, wrapped: Any, _run: Any, args: Any, kwargs: Any) -> Any:
        candidates = wrapped(*args, **kwargs)
        followed = self._actions(candidates)
        return candidates if followed is None else followed

    @guarded
    def _agent(self, args: Any, kwargs: Any) -> FrameworkRun | None:
        """Return the run of a runner; None where it is not followed."""
        used = used_by(self._owner)
        if used is None:
            return None
        client, params = _given(args, kwargs, 0, "client"), _given(args, kwargs, 1, "params")
        given = {"model": params.get("model"), "input": params.get("input"), "provider": self._provider(client)}
        return FrameworkRun(AGENT, {name: value for name, value in given.items() if value is not None}, used)

    @guarded
    def _tool(self, args: Any, kwargs: Any) -> FrameworkRun | None:
        """Return the run of a tool that the model calls; None where it is not followed, or not run after the failure of another."""
        used = used_by(self._owner)
        if used is None or kwargs.get("skip"):
            return None
        # The call is the last argument by position: the run of the runner may be before it.
        call = args[-1] if args else kwargs.get("item", kwargs.get("call"))
        content = {"arguments": _arguments(call)} if reads_input(TOOL, used) else {}
        name = _COMPUTER if call.type == "computer_call" else call.name
        return FrameworkRun(TOOL, {"type": "function", "name": name, "call_id": call.call_id, **content}, used)

    @guarded
    def _actions(self, candidates: list[Any]) -> list[Any]:
        """Return the candidates of a decision so that each action is a tool."""
        used = used_by(self._owner)
        if used is None:
            return candidates
        return [one if one.execute is None else _action(one, used) for one in candidates]


class _Turns(Turns):
    """The turns of a run, of which the last one has the answer."""

    def send(self, value: object) -> object:
        turn = super().send(value)
        _answered(self._self_block, turn)
        return turn


class _AsyncTurns(AsyncTurns):
    """The asynchronous counterpart of `_Turns`."""

    async def asend(self, value: object) -> object:
        turn = await super().asend(value)
        _answered(self._self_block, turn)
        return turn


def _action(candidate: Any, used: ApplicationSignals) -> Any:
    given = {"type": "function", "name": candidate.id, "description": candidate.description}
    return dataclasses.replace(candidate, execute=FrameworkRun(TOOL, given, used)(candidate.execute))


def _given(args: Any, kwargs: Any, place: int, name: str) -> Any:
    """Return an argument of a call."""
    return args[place] if len(args) > place else kwargs[name]


def _arguments(call: Any) -> Any:
    """Return the arguments of a call: the actions of a computer, or JSON values; what is not JSON stays as it is."""
    if call.type == "computer_call":
        actions = getattr(call, "actions", None)
        return getattr(call, "action", None) if actions is None else {"actions": actions}
    try:
        return json.loads(call.arguments)
    except (TypeError, ValueError):
        return call.arguments


@guarded
def _returned(run: FrameworkRun, output: Any) -> None:
    """Record what a tool gives to the model; a browser gives it with whether it has done what it should."""
    output, done = output if isinstance(output, tuple) else (output, True)
    run.finished(output["output"])
    if not done:
        run.failed()


@guarded
def _answered(run: Any, turn: Any) -> None:
    """Record the answer of the last turn."""
    if turn.final:
        _ended(run, turn.response)


@guarded
def _ended(run: Any, response: Any) -> None:
    """Record the answer in the last response; decisions have none."""
    run.finished(getattr(response, "output_text", None) or None)
