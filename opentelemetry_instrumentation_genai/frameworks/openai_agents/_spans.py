"""The SDK's own spans and traces, which it makes while what they stand for runs: also where its tracing is disabled, as no-ops.

Nothing of them is changed, and nothing that exports them. The classes are patched, rather than a processor added, since a processor
learns nothing where tracing is disabled, and applications replace the list of processors.
"""

from __future__ import annotations

import asyncio
from threading import get_ident
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..._operations.endpoints import AGENT, APPLICATION_STEP, TOOL
from ..._operations.framework_run import FrameworkRun
from ..._runtime.guard import guarded
from ..._signals.application import used_by
from ._runs import Workflow, is_in_workflow, run_here
from ._tools import tool_of_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..._signals.application import ApplicationSignals
    from ._tools import ToolRun

_SPANS = "agents.tracing.spans"
_TRACES = "agents.tracing.traces"


class _Open:
    """An operation that goes on.

    Args:
        operation: the operation.

    Attributes:
        operation: as given.
        error: the exception that left the block of the SDK's span.
    """

    def __init__(self, operation: FrameworkRun) -> None:
        self.operation = operation
        self.error: BaseException | None = None
        self._where = _here()

    def end(self) -> None:
        """End the operation, unless it is the agent of a run, which ends it."""
        kept = False
        try:
            if self._where == _here():  # elsewhere it is not current: a generator that was closed by another task
                self.operation.leave()
            run = run_here()
            kept = run is not None and run.keeps(self.operation)
        finally:
            if not kept:
                self.operation.end(self.error)


def _here() -> tuple[int, int]:
    """Return the thread and the task that run."""
    try:
        return get_ident(), id(asyncio.current_task())
    except RuntimeError:
        return get_ident(), 0


def _agent(data: Any, used: ApplicationSignals) -> FrameworkRun:
    run = run_here()
    return FrameworkRun(AGENT, {"name": data.name}, used) if run is None else run.agent(data.name)


def _tool(data: Any, used: ApplicationSignals) -> FrameworkRun:
    """Return the operation of a tool that is no function tool, such as a shell: its name is all that is known."""
    return FrameworkRun(TOOL, {"type": "function", "name": data.name}, used)


def _handoff(data: Any, used: ApplicationSignals) -> FrameworkRun:
    return FrameworkRun(APPLICATION_STEP, {"name": f"handoff from {data.from_agent}"}, used)


def _guardrail(data: Any, used: ApplicationSignals) -> FrameworkRun:
    return FrameworkRun(APPLICATION_STEP, {"name": f"guardrail {data.name}"}, used)


# By the type of the span's data. The model calls are followed where they are made, by the instrumentor of the SDK that makes them.
_OPERATIONS: dict[str, Callable[[Any, ApplicationSignals], FrameworkRun]] = {
    "agent": _agent,
    "function": _tool,
    "handoff": _handoff,
    "guardrail": _guardrail,
}


class Spans:
    """Follows the spans and traces.

    Args:
        owner: the instrumentor; its settings count.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner
        self._open: WeakKeyDictionary[Any, _Open] = WeakKeyDictionary()
        self._tools: WeakKeyDictionary[Any, ToolRun] = WeakKeyDictionary()
        self._names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the (module, `Class.method`, wrapper) rows."""
        for kind in ("SpanImpl", "NoOpSpan"):
            yield _SPANS, f"{kind}.start", self._start_span
            yield _SPANS, f"{kind}.set_error", self._set_error
            yield from self._endings(_SPANS, kind)
        for kind in ("TraceImpl", "NoOpTrace"):
            yield _TRACES, f"{kind}.start", self._start_trace
            yield from self._endings(_TRACES, kind)
        yield "agents.tracing.provider", "DefaultTraceProvider.create_trace", self._create_trace

    def _endings(self, module: str, kind: str) -> Iterable[tuple[str, str, Callable[..., object]]]:
        yield module, f"{kind}.__exit__", self._exit
        yield module, f"{kind}.finish", self._finish

    def _start_span(self, wrapped: Any, span: Any, args: Any, kwargs: Any) -> Any:
        operation = self._of_span(span, args, kwargs)
        if operation is not None:
            operation.__enter__()
        return wrapped(*args, **kwargs)

    def _start_trace(self, wrapped: Any, trace: Any, args: Any, kwargs: Any) -> Any:
        operation = self._of_trace(trace, args, kwargs)
        if operation is not None:
            operation.__enter__()
        return wrapped(*args, **kwargs)

    def _exit(self, wrapped: Any, span: Any, args: Any, kwargs: Any) -> Any:
        self._left(span, args)
        return wrapped(*args, **kwargs)

    def _finish(self, wrapped: Any, span: Any, args: Any, kwargs: Any) -> Any:
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._finished(span)

    def _set_error(self, wrapped: Any, span: Any, args: Any, kwargs: Any) -> Any:
        self._handled(span)
        return wrapped(*args, **kwargs)

    def _create_trace(self, wrapped: Any, _provider: Any, args: Any, kwargs: Any) -> Any:
        trace = wrapped(*args, **kwargs)
        self._named(trace, args, kwargs)
        return trace

    @guarded
    def _of_span(self, span: Any, args: Any, kwargs: Any) -> FrameworkRun | None:
        """Return the operation of a span that starts; None if it has none of its own."""
        data, used = span.span_data, self._used(span, args, kwargs)
        make = _OPERATIONS.get(data.type)
        if used is None or make is None:
            return None
        tool = tool_of_span() if make is _tool else None
        if tool is not None:
            self._tools[span] = tool
            return None
        return self._opened(span, make(data, used))

    @guarded
    def _of_trace(self, trace: Any, args: Any, kwargs: Any) -> FrameworkRun | None:
        """Return the workflow of a trace of the application; None for that of a run, which has one."""
        used = self._used(trace, args, kwargs)
        if used is None or is_in_workflow():
            return None
        return self._opened(trace, Workflow({"name": self._names.get(trace, trace.name)}, used))

    def _used(self, span: Any, args: Any, kwargs: Any) -> ApplicationSignals | None:
        """Return the signals that record a span that starts; None if it is not to be current, or has started before."""
        current = args[0] if args else kwargs.get("mark_as_current", False)
        started = span in self._open or getattr(span, "started_at", None) is not None
        return used_by(self._owner) if current and not started else None

    def _opened(self, span: Any, operation: FrameworkRun) -> FrameworkRun:
        self._open[span] = _Open(operation)
        return operation

    @guarded
    def _left(self, span: Any, error: Any) -> None:
        """Take the exception that leaves the block of a span."""
        opened = self._open.get(span)
        if opened is not None and len(error) > 1 and not isinstance(error[1], GeneratorExit):
            opened.error = error[1]

    @guarded
    def _finished(self, span: Any) -> None:
        self._tools.pop(span, None)
        opened = self._open.pop(span, None)
        if opened is not None:
            opened.end()

    @guarded
    def _handled(self, span: Any) -> None:
        tool = self._tools.get(span)
        if tool is not None:
            tool.handled()

    @guarded
    def _named(self, trace: Any, args: Any, kwargs: Any) -> None:
        """Keep the name of a trace that has none, since tracing is disabled."""
        if type(trace).__name__ == "NoOpTrace":
            self._names[trace] = args[0] if args else kwargs["name"]
