"""The tool runner of the `anthropic` SDK: a run is the run of an agent, and its tools are below it.

The model calls in it are followed by the seam. The application's code between two turns is outside the run; a tool that such code
runs, by reading a stream or by `generate_tool_call_response`, is inside.

A version of the SDK is followed if its runner makes spans of its own: it runs each tool in a step that can be followed.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._operations.framework_run import FrameworkRun
from .._operations.operation import Run, reads_input
from .._operations.turns import AsyncTurns, Turns
from .._runtime.guard import guarded
from .._signals.application import used_by
from ._agents import AGENT, TOOL, answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from opentelemetry.context.context import Context

    from .._signals.application import ApplicationSignals
    from ._native import NativeTracing

    Target = tuple[str, Callable[..., object]]


class Runners:
    """Follows the runners of one instrumentor.

    Args:
        owner: the instrumentor; its settings count.
        provider: a client -> the provider that its calls have.
        native: the SDK's own tracing.
    """

    def __init__(self, owner: object, provider: Callable[[Any], str], native: NativeTracing) -> None:
        self.owner = owner
        self.provider = provider
        self.native = native

    def targets(self, module: str) -> Iterable[Target]:
        """Return the (`Class.method`, wrapper) rows of the module of runners; none of a version that is not followed."""
        if not hasattr(getattr(sys.modules[module], "BaseToolRunner", None), "_tool_use_span"):
            return ()
        return (
            ("BaseToolRunner._start_tool_runner_span", self._start_span),
            ("BaseToolRunner._tool_use_span", self._execute),
            ("BaseSyncToolRunner.__run__", self._iterate),
            ("BaseAsyncToolRunner.__run__", self._async_iterate),
        )

    def _iterate(self, wrapped: Any, runner: Any, args: Any, kwargs: Any) -> Any:
        turns = wrapped(*args, **kwargs)
        run = self._agent(runner)
        return turns if run is None else _Turns(turns, run)

    def _async_iterate(self, wrapped: Any, runner: Any, args: Any, kwargs: Any) -> Any:
        turns = wrapped(*args, **kwargs)
        run = self._agent(runner)
        return turns if run is None else AsyncTurns(turns, run)

    def _start_span(self, wrapped: Any, runner: Any, args: Any, kwargs: Any) -> Any:
        started = _started(runner)
        if started:
            return started[0]
        return wrapped(*(self._args(_run_of(runner), args) or args), **kwargs)

    def _execute(self, wrapped: Any, runner: Any, args: Any, kwargs: Any) -> Any:
        run = self._tool(runner, args, kwargs)
        return wrapped(*args, **kwargs) if run is None else self._executed(run, wrapped, args, kwargs)

    @contextmanager
    def _executed(self, run: _ToolRun, wrapped: Any, args: Any, kwargs: Any) -> Generator[Any, None, None]:
        """Run a tool in our span and in what the SDK has around it, which gives what becomes of the tool."""
        with run, wrapped(*(self._args(run, args) or args), **kwargs) as made:
            yield made
            _returned(run, made)

    @guarded
    def _args(self, run: Run | None, args: Any) -> Any:
        """Return the arguments by which the SDK starts a span, with a client that has the tracer for it."""
        call = None if run is None else run._call
        return args if call is None or not args else (self.native.client_of(args[0], call), *args[1:])

    @guarded
    def _agent(self, runner: Any) -> _AgentRun | None:
        """Return the run of a runner; None where it is not followed."""
        return None if used_by(self.owner) is None else _AgentRun(self, runner)

    @guarded
    def _tool(self, runner: Any, args: Any, kwargs: Any) -> _ToolRun | None:
        """Return the run of a tool that the model calls; None where it is not followed."""
        used = used_by(self.owner)
        if used is None:
            return None
        client, tool, called = _three(*args, **kwargs)
        given = {
            "type": "function",
            "name": called.name,
            "call_id": called.id,
            "description": getattr(tool, "description", None) or None,
            "toolset": getattr(called, "toolset_name", None),
            "conversation": _conversation(client),
            **({"arguments": called.input} if reads_input(TOOL, used) else {}),
        }
        return _ToolRun(_run_of(runner), given, used, adopts=self.native.traces(client))


class _Turns(Turns):
    """The turns of a runner, which keeps them and closes them itself: no generator yields from them."""

    _self_may_be_collected = False


class _AgentRun(Run):
    """One run of a runner.

    Args:
        runners: how runners are followed.
        runner: the runner; what it is given counts when the run begins, and its last message when it ends.
    """

    def __init__(self, runners: Runners, runner: Any) -> None:
        super().__init__(None, AGENT, {})
        self._runners = runners
        self._runner: Any = runner
        self.started_span: tuple[Any, ...] = ()

    def _signals(self) -> ApplicationSignals | None:
        return used_by(self._runners.owner)

    def _within(self, outer: Context) -> Context:
        if self._started:
            return super()._within(outer)
        client, native = self._runner._client, self._runners.native
        self._given, self._adopts = self._input(client), native.traces(client)
        context = super()._within(outer)
        if self._call is None or not self._adopts:
            return context
        # Before the SDK does: the first step already runs in the context with the span.
        self.started_span = (self._runner._start_tool_runner_span(client),)
        return self._call.context

    def _input(self, client: Any) -> Mapping[str, Any]:
        """Return what is known of the run at its start."""
        params = self._runner._params
        given = {name: params.get(name) for name in ("model", "output_format", "output_config")}
        given |= {"provider": self._runners.provider(client), "conversation": _conversation(client)}
        if reads_input(AGENT, self._signals()):  # the list of messages grows while it runs
            given |= {
                "messages": list(params["messages"]),
                "system": params.get("system"),
                "tools": params.get("tools"),
            }
        return given

    @guarded
    def step_ended(self, error: BaseException | None) -> None:
        """End with the runner's loop; the last message is the answer of one that is not left before its end."""
        if self._call is not None and isinstance(error, (StopIteration, StopAsyncIteration)):
            self._answered()
        super().step_ended(error)
        self._runner = None

    @guarded
    def _answered(self) -> None:
        self.finished(answer_of(self._runner._last_message))


class _ToolRun(FrameworkRun):
    """One run of a tool.

    Args:
        agent: the run of its runner, if that is followed.
        given: the input that the endpoint reads.
        used: the signals that record it.
        adopts: whether the SDK starts its span.
    """

    def __init__(
        self, agent: _AgentRun | None, given: Mapping[str, Any], used: ApplicationSignals, *, adopts: bool
    ) -> None:
        super().__init__(TOOL, given, used)
        self._agent = agent
        self._adopts = adopts

    def _within(self, outer: Context) -> Context:
        agent, self._agent = self._agent, None
        return super()._within(outer if agent is None else agent.around(outer))


def _three(client: Any, tool: Any, tool_use: Any) -> tuple[Any, Any, Any]:
    """Return the arguments of the step that runs a tool, in their order."""
    return client, tool, tool_use


def _run_of(runner: Any) -> _AgentRun | None:
    """Return the run that a runner is in; None if it is not followed."""
    run = getattr(getattr(runner, "_iterator", None), "_self_block", None)
    return run if isinstance(run, _AgentRun) else None


@guarded
def _started(runner: Any) -> tuple[Any, ...]:
    """Return the SDK's span that was started for a run and that the SDK does not have yet, if there is one."""
    run = _run_of(runner)
    if run is None:
        return ()
    started, run.started_span = run.started_span, ()
    return started


def _conversation(client: Any) -> Any:
    return getattr(getattr(client, "_otel", None), "conversation_id", None)


@guarded
def _returned(run: _ToolRun, made: Any) -> None:
    """Record what a tool gives to the model."""
    result = made.result
    if result is None:
        return
    run.finished(result.get("content"))
    if result.get("is_error") is True:
        run.failed()
