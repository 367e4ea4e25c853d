"""Operations of a framework, such as an agent of an SDK: recorded by the settings of the instrumentor that follows it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from .._application.block import Block
from .._runtime.guard import guarded
from .calls import NO_SERVER
from .endpoints import FAILED
from .operation import Run
from .outer_span import OuterSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context.context import Context
    from opentelemetry.trace import Span

    from .._adapter.client_servers import Server
    from .._adapter.endpoint import Endpoint
    from .._call.call import Call
    from .._signals.application import ApplicationSignals


_Run = TypeVar("_Run", bound=Block)


def recorded(
    begun: Callable[[Any, Any], _Run | None], returned: Callable[[_Run, Any], object]
) -> Callable[..., object]:
    """Return a wrapper for wrapt around a function of a framework of which each call is one run.

    Args:
        begun: the positional and keyword arguments -> the run; None where it is not followed.
        returned: called with the run and what the function returns, within the run.
    """

    def wrapper(wrapped: Callable[..., object], _instance: object, args: Any, kwargs: Any) -> object:
        run = begun(args, kwargs)
        if run is None:
            return wrapped(*args, **kwargs)
        with run:
            result = wrapped(*args, **kwargs)
            returned(run, result)
        return result

    return wrapper


def async_recorded(
    begun: Callable[[Any, Any], _Run | None], returned: Callable[[_Run, Any], object]
) -> Callable[..., object]:
    """Do the same with `await`."""

    async def wrapper(wrapped: Callable[..., Any], _instance: object, args: Any, kwargs: Any) -> object:
        run = begun(args, kwargs)
        if run is None:
            return await wrapped(*args, **kwargs)
        with run:
            result = await wrapped(*args, **kwargs)
            returned(run, result)
        return result

    return wrapper


class FrameworkRun(Run):
    """One run of an operation of a framework.

    Args:
        endpoint: which attributes and content it has.
        given: the input that the endpoint reads.
        used: the signals that record it.
        server: that runs it, if it is remote.
        span: the current span, where that is of the same operation: what is recorded is added to it, and no other is made.
        secrets: returns the credentials that a message of its failure may quote.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        given: Mapping[str, Any],
        used: ApplicationSignals,
        server: Server = NO_SERVER,
        span: Span | None = None,
        *,
        secrets: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        super().__init__(None, endpoint, given)
        self._used = used
        self._server = server
        self._span = span
        self._secrets = secrets

    def _signals(self) -> ApplicationSignals | None:
        return self._used

    def failed(self) -> None:
        """Let it be one that has failed, though it raises nothing: the model gets an error as the result of a tool."""
        self._response[FAILED] = True

    def _begun(self, call: Call, outer: Context) -> Context:
        call.secrets = self._secrets
        span, self._span = self._span, None  # tasks keep this object longer than it runs
        if span is None:
            return super()._begun(call, outer)
        call.start(True)
        outer_span: Any = OuterSpan(span)
        call.adopt(outer_span, span)
        call.started = perf_counter()
        return outer

    @property
    def context(self) -> Context | None:
        """Return the context of the operation while it runs; None if it is not recorded."""
        call = self._call
        return None if call is None else call.context

    @guarded
    def begin(self, outer: Context) -> None:
        """Begin without a block, so that it is current nowhere; `end` ends it.

        Args:
            outer: the context that it begins in.
        """
        self._within(outer)

    def leave(self) -> None:
        """Leave the block, and go on: `end` ends the operation."""
        self.postponed()
        self.__exit__()

    def end(self, error: BaseException | None = None) -> None:
        """End the operation after its block was left.

        Args:
            error: the exception that ended it, if one did.
        """
        self._end(error)
