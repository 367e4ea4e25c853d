"""An operation of the application: a block of code, or a function, that becomes one span with its metrics.

The block's own code is the operation: what it raises is raised as it is, and makes the span an error. A step of ours that fails
costs the telemetry of that operation only.
"""

from __future__ import annotations

import inspect
from contextlib import ExitStack, suppress
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current
from opentelemetry.trace import set_span_in_context

from .._application.agents import agent_in, within
from .._application.block import Block
from .._application.capture_content import capture_in
from .._application.context_block import entered
from .._runtime.guard import guarded
from .._runtime.lifetime import finish_later
from .._signals.application import in_use
from .._stream.at_exit import end_at_exit
from .calls import NO_SERVER, call_of, end_call, start_call
from .endpoints import RESULT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context.context import Context

    from .._adapter.client_servers import Server
    from .._adapter.endpoint import Endpoint
    from .._call.call import Call
    from .._signals.application import ApplicationSignals

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Operation(Block):
    """Record a block of code, or each call of a function, as one operation. Base class of the public ones.

    It is a context manager, `with` or `async with`, which gives the `Run`, and a decorator of functions, coroutine functions and
    generators. One object may be used again and again, nested and side by side.
    """

    _endpoint: Endpoint

    def __init__(self, **given: Any) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}
        self._open: list[Run] = []

    def __enter__(self) -> Run:
        run = Run(self, self._endpoint, self._given)
        run.__enter__()
        self._open.append(run)
        return run

    def __exit__(self, *error: object) -> None:
        found = (block for block in entered() if isinstance(block, Run) and block.operation is self and not block.over)
        # A block may be left in another context, or thread, than it was entered in: then it is the last that is open.
        run = next(found, None) or next(reversed(self._open), None)
        if run is not None:
            with suppress(ValueError):  # another thread has been faster
                self._open.remove(run)
            run.__exit__(*error)

    async def __aenter__(self) -> Run:
        return self.__enter__()

    def _within(self, outer: Context) -> Context:
        return outer

    def of_call(self, function: Callable[..., object], args: Any, kwargs: Any) -> Run:
        """Return the run for one call of a decorated function."""
        return Run(self, self._endpoint, {**self._given, **(self._of_function(function, args, kwargs) or _NOTHING)})

    @guarded
    def _of_function(self, function: Callable[..., object], _args: Any, _kwargs: Any) -> Mapping[str, Any]:
        """Return what is known of an operation by its decorated function: its name, if none was given."""
        name = getattr(function, "__name__", None)
        return _NOTHING if name is None or "name" in self._given else {"name": name}


def reads_input(endpoint: Endpoint, used: ApplicationSignals | None) -> bool:
    """Return whether anything reads the content that an operation is given here.

    Args:
        endpoint: of the operation.
        used: the signals that record it, if there are any.
    """
    return used is not None and used.signals.reads_input(capture_in(get_current()), endpoint.kind)


def arguments_of(function: Callable[..., object], args: Any, kwargs: Any) -> Mapping[str, Any]:
    """Return the arguments of a call by the names of the function's parameters, without `self` and `cls`.

    Of a call that does not fit the function, which it raises for, they are `args` and the keywords.
    """
    try:
        bound = inspect.signature(function, follow_wrapped=False).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return {**({"args": list(args)} if args else {}), **kwargs}
    return {name: value for name, value in bound.arguments.items() if name not in ("self", "cls")}


class Run(Block):
    """One run of an operation.

    Args:
        operation: the operation.
        endpoint: which attributes and content it has.
        given: what the application gave: the input that the endpoint reads.

    Attributes:
        operation: as given; None after the end.
    """

    over: bool
    _call: Call | None = None
    _left = False
    """Whether the garbage collector may be what ends it: then the finisher thread ends the call."""
    _adopts = False
    """Whether the SDK starts its span."""
    _server: Server = NO_SERVER

    def __init__(self, operation: Operation | None, endpoint: Endpoint, given: Mapping[str, Any]) -> None:
        self.operation = operation
        self._endpoint = endpoint
        self._given = given
        self._response: dict[str, Any] = {}
        self._postponed = self._started = False

    def _signals(self) -> ApplicationSignals | None:
        """Return the signals that record it."""
        return in_use()

    def _begun(self, call: Call, _outer: Context) -> Context:
        """Start the call. Return the context of the operation."""
        return start_call(call, self._adopts)

    def set_result(self, value: object) -> None:
        """Set the result of the operation, which is recorded where content is captured.

        Args:
            value: of a tool, what it returns; of an agent or a workflow, its answer: a text, or messages; of a retrieval, its
                documents. Values that JSON does not have are recorded as texts.
        """
        self._response[RESULT] = value

    def _within(self, outer: Context) -> Context:
        if not self._started:
            self._started = True
            used = self._signals()
            self._call = None if used is None else call_of(used, self._endpoint, self._given, outer, self._server)
            if self._call is not None:
                end_at_exit(self)
                return self._begun(self._call, outer)
        return outer if self._call is None else _again(self._call, outer)

    def around(self, outer: Context) -> Context:
        """Return the context of code of the operation that may run outside of its steps: `outer`, within the operation.

        Args:
            outer: the context in which the code is called; what is current in the operation stays current.
        """
        call = self._call
        if call is None or agent_in(outer) is agent_in(call.context):
            return outer
        return _again(call, outer)

    def __exit__(self, *error: object) -> None:
        call = self._call
        if call is not None:
            call.stopped = perf_counter()
        super().__exit__(*error)
        if self._postponed and not any(error):
            self._postponed = False
            if call is not None:
                call.stopped = None
            return
        self._end_with(next((one for one in error if isinstance(one, BaseException)), None))

    # Of decorated functions.

    @guarded
    def finished(self, value: object) -> None:
        """Set what the function has returned as the result, unless it is None."""
        if value is not None and RESULT not in self._response:
            self._response[RESULT] = value

    def postponed(self) -> None:
        """Go on after the block is left."""
        self._postponed = True

    @guarded
    def closing(self) -> None:
        """Leave the end to the finisher thread: the generator is being closed, perhaps by the garbage collector."""
        self._left = True

    @guarded
    def step_ended(self, error: BaseException | None) -> None:
        """End with a generator: it has returned, was closed, or has raised."""
        if isinstance(error, StopIteration):
            self.finished(error.value)
        self._end_with(None if isinstance(error, (StopIteration, StopAsyncIteration)) else error)

    @guarded
    def _end_with(self, error: BaseException | None) -> None:
        """End with an exception, if there is one. GeneratorExit is no failure, and the garbage collector may have raised it."""
        if isinstance(error, GeneratorExit):
            self._left, error = True, None
        self._end(error)

    @guarded
    def _end(self, error: BaseException | None) -> None:
        call = self._call
        if call is None:
            return
        is_left_to_finisher = False
        try:
            if self._left:
                call.stopped = call.stopped or perf_counter()
                later = ExitStack()
                later.callback(call.settle)
                later.callback(end_call, call, self._response, error)
                finish_later(later.close)
                is_left_to_finisher = True
            else:
                end_call(call, self._response, error)
        finally:
            if not is_left_to_finisher:  # an interrupt within the steps above ends it, too
                call.settle()
            # Tasks that were started in the block keep it in their context.
            self.over = True
            self.operation = None
            self._call, self._given, self._response = None, _NOTHING, {}

    @guarded
    def exit(self) -> None:
        """End it: the process ends while it goes on, in a thread or between two steps of a generator."""
        call = self._call
        if call is not None:
            call.leave()

    def __del__(self) -> None:
        call = self._call
        if call is not None and not call.over:  # of a coroutine or a generator that nobody has run to its end
            finish_later(call.leave)


def _again(call: Call, outer: Context) -> Context:
    """Return the context of a later step of an operation: what is current where the step is made, with the operation in it."""
    context, agent = set_span_in_context(call.span, outer), agent_in(call.context)
    return context if agent is None else within(agent, context)
