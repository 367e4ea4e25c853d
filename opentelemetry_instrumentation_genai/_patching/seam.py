"""The frame around a method of an SDK: the steps of a call before and after the SDK's code, and the handling of our own failures.

The application gets what the SDK returns or raises, whatever our steps do. An interrupt (KeyboardInterrupt, CancelledError,
SystemExit) can occur between any two lines. It is passed on to the application, after the context is restored and the call ended.
"""

from __future__ import annotations

import functools
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from .._call.context import Current
from .._runtime.guard import report

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .._call.call import Call


class Scope(Current):
    """One run of the SDK's method: its arguments, result and error. The call and its span are current during it.

    The call ends when the run ends, unless the application reads the response later.

    Args:
        seam: its `sends_again` and `end` are used here.
        wrapped: the SDK's method, bound to its client.
        client: the SDK's client.
        args: the positional arguments of the caller.
        kwargs: the keyword arguments of the caller.

    Attributes:
        args: the positional arguments that the SDK gets.
        kwargs: the keyword arguments that the SDK gets.
        client: the SDK's client.
        substitute: the (args, kwargs) to send first, with injected members; None to send `args` and `kwargs`.
        call: the call; None if it is not followed.
        deferred: for a stream that sends its request only when it is read, as Ollama's: starts the call then; else None.
        result: what the SDK returned.
        error: what it raised.
    """

    __slots__ = (
        "_left",
        "_seam",
        "_sent",
        "_wrapped",
        "args",
        "call",
        "client",
        "deferred",
        "error",
        "kwargs",
        "result",
        "substitute",
    )

    def __init__(self, seam: Seam, wrapped: Any, client: Any, args: Any, kwargs: Any) -> None:
        super().__init__()
        if client is None:  # called as Client.request(client, ...): the first argument is the client
            client, *args = args
            wrapped = functools.partial(wrapped, client)
        self._seam = seam
        self._wrapped = wrapped
        self.client = client
        self.args = args
        self.kwargs = kwargs
        self.substitute: tuple[Any, Any] | None = None
        self.call: Call | None = None
        self.deferred: Any = None
        self.result: Any = None
        self.error: BaseException | None = None
        self._sent = self._left = False

    def start(self) -> None:
        """Make the call current, and start its clock: the SDK's code runs next."""
        call = self.call
        self.enter(call)
        if call is not None:
            call.started = perf_counter()

    def send(self) -> None:
        """Call the SDK's method, and keep what it returns or raises. Call it again if `sends_again` says so."""
        while True:
            args, kwargs = self.substitute or (self.args, self.kwargs)
            self._sent, self.error = True, None
            try:
                self.result = self._wrapped(*args, **kwargs)
            except BaseException as error:
                self.error = error
                if not self._seam.sends_again(self, error):
                    raise
            else:
                return

    async def async_send(self) -> None:
        """Do the same with `await`."""
        while True:
            args, kwargs = self.substitute or (self.args, self.kwargs)
            self._sent, self.error = True, None
            try:
                self.result = await self._wrapped(*args, **kwargs)
            except BaseException as error:
                self.error = error
                if not self._seam.sends_again(self, error):
                    raise
            else:
                return

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._left:
            return
        call = self.call
        if call is not None and not call.open:
            call.stopped = perf_counter()
        self.leave()
        if call is not None:
            try:
                if not call.over:
                    # An exception here may be our own: then the SDK's result or exception counts. An interrupt counts in any case.
                    self._seam.end(call, self.result, self.error if isinstance(error, Exception) else error)
            finally:
                call.settle()
                call.exchange.release()
        self._left = True

    def outcome(self) -> Any:
        """Return what the SDK returned, or raise what it raised. If a step of ours failed before it was called, call it now."""
        if not self._sent:
            self.substitute = None
            self.send()
        if self.error is not None:
            raise self.error
        return self.result

    async def async_outcome(self) -> Any:
        """Do the same with `await`."""
        if not self._sent:
            self.substitute = None
            await self.async_send()
        if self.error is not None:
            raise self.error
        return self.result


class Seam(Protocol):
    """The steps of a seam around the SDK's method. Only `received` may raise.

    Attributes:
        active: whether calls are followed.
    """

    active: bool

    def begin(self, scope: Scope, /) -> object:
        """Start the call, if it is followed, and set the arguments for the SDK's method in the scope."""

    def sends_again(self, scope: Scope, error: BaseException, /) -> bool | None:
        """Return whether to call the SDK's method again after `error`, with the arguments now in the scope."""

    def received(self, scope: Scope, /) -> object:
        """Process what the SDK returned. It may replace `scope.result`, which the application gets."""

    def end(self, call: Call, result: Any, error: BaseException | None, /) -> None:
        """End a call with what the SDK returned or raised, unless its response is read later."""


def following(seam: Seam) -> Callable[..., Any]:
    """Return a wrapper for wrapt around the SDK's method that all calls go through."""

    def wrapper(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        if not seam.active:
            return wrapped(*args, **kwargs)
        scope = None
        try:
            try:
                scope = Scope(seam, wrapped, client, args, kwargs)
                with scope, scope:  # twice: see `Current`
                    seam.begin(scope)
                    scope.start()
                    scope.send()
                    seam.received(scope)
                return scope.result
            except Exception as error:
                if scope is not None and error is scope.error:
                    raise
                report(type(seam).__qualname__, error)
            return wrapped(*args, **kwargs) if scope is None else scope.outcome()
        finally:
            if scope is not None:
                scope.error = None  # breaks the cycle of error, traceback, this frame and scope

    return wrapper


def async_following(seam: Seam) -> Callable[..., Any]:
    """Do the same with `await`."""

    async def wrapper(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        if not seam.active:
            return await wrapped(*args, **kwargs)
        scope = None
        try:
            try:
                scope = Scope(seam, wrapped, client, args, kwargs)
                with scope, scope:  # twice: see `Current`
                    seam.begin(scope)
                    scope.start()
                    await scope.async_send()
                    seam.received(scope)
                return scope.result
            except Exception as error:
                if scope is not None and error is scope.error:
                    raise
                report(type(seam).__qualname__, error)
            return await (wrapped(*args, **kwargs) if scope is None else scope.async_outcome())
        finally:
            if scope is not None:
                scope.error = None

    return wrapper
