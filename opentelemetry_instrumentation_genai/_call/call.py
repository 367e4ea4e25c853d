"""The life of one call: one instrumented operation, with all its retries and the reading of its stream.

Creating a `Call` has no effect; `start` starts the span. The call ends exactly once, in any thread: when the SDK's method returns or
raises, or, if the application reads the response later, when it has read it to the end, closed it or dropped it. Each step is guarded
by itself. A KeyboardInterrupt or CancelledError during a step still ends the span. The child of a `fork` ends no call of its parent.
"""

from __future__ import annotations

from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import ref

from opentelemetry.trace import INVALID_SPAN, set_span_in_context

from .._runtime import lifetime
from .._runtime.guard import guarded
from .chunks import Chunks
from .context import running
from .observer import Observer
from .outcome import outcome_of
from .state import CallState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from .observer import Signals
    from .outcome import Ending, Outcome
    from .request import Request

current_call = cast("Callable[[], Call | None]", running)
"""Return the call of the SDK method that runs in the current context, or None."""


class Reading(Protocol):
    """The application's reading of a response after the SDK's method has returned. It ends the call."""

    def forget(self) -> None:
        """Do not end the call any more: another reading has begun."""


class Call(CallState):
    """One call. Creating it has no effect: `start` starts its span.

    Args:
        signals: makes the observers of the call.
        request: the request, as the seam describes it.
        context: the OpenTelemetry context in which it is made.
        exchange: the HTTP side of the call, which only the seam reads.

    Attributes:
        exchange: as given.
        running: whether the SDK's method still runs. Nothing ends the call before it returns.
        early: whether something tried to end the call before the SDK's method returned, such as middleware that reads the response.
            The seam ends the call then.
    """

    __slots__ = (
        "_adopted",
        "_attending",
        "_closed",
        "_observers",
        "_reading",
        "_request",
        "_signals",
        "early",
        "exchange",
        "running",
    )

    def __init__(self, signals: Signals, request: Request, context: Context, exchange: Any = None) -> None:
        super().__init__(request, context, signals.counted)
        self._signals = signals
        self._request: Request | None = request
        self._observers: Sequence[Observer] = ()
        self._attending: Sequence[Observer] = ()
        self._adopted = self._closed = self.early = self.running = False
        self._reading: ref[Reading] | None = None
        self.exchange = exchange

    @guarded
    def start(self, adopts: bool = False) -> None:
        """Start its span.

        Args:
            adopts: whether the SDK starts the span. Then this starts none, and `adopt` receives that of the SDK.
        """
        self._signals.describe(self, cast("Request", self._request))
        if not adopts:
            self.span = self._signals.start_span(self) or INVALID_SPAN
            self._observe(self.span)

    @guarded
    def adopt(self, span: Span, hook_span: Span) -> None:
        """Take the span that the SDK has made for the call.

        Args:
            span: the span to set attributes on and to end: a proxy of the SDK's span, or a span that records nothing.
            hook_span: the SDK's span itself, which the application's hooks get.
        """
        if self._request is not None:
            self.span, self._adopted = span, True
            span.set_attributes(self.attributes)
            self._observe(hook_span)

    @guarded
    def _observe(self, hook_span: Span | None = None) -> None:
        """Create and start the observers, once.

        Args:
            hook_span: the span that the application's hooks get; None if the SDK was to start the span and did not.
        """
        request, self._request = self._request, None
        if request is None:
            return
        self.context = set_span_in_context(self.span, self.context)
        self._observers = observers = self._signals.observers(self, request, hook_span)
        self._attending = [observer for observer in observers if observer.attends]
        for observer in self._attending:
            observer.started(request)

    def answered(self, headers: Any) -> None:
        """Pass on the headers of an HTTP response."""
        if self._request is not None:
            self._observe()
        for observer in self._attending:
            observer.answered(headers)

    def opened(self, reading: Reading) -> Chunks:
        """From now on, only `reading` ends the call; an earlier reading no longer does. Return the `Chunks` to which `reading` adds."""
        earlier = None if self._reading is None else self._reading()
        if earlier is not None:
            earlier.forget()
        self._reading = ref(reading)
        self._observe()
        self.open, self.early = True, False
        make = self.endpoint.accumulator
        accumulator = None if make is None else make(self.needs_messages)
        # Only of observers that define it: an empty step would take time at every chunk.
        chunk_steps = [one.chunk for one in self._observers if type(one).chunk is not Observer.chunk]
        self.chunks = chunks = Chunks(accumulator, chunk_steps, self)
        for observer in self._observers:
            observer.opened()
        return chunks

    # How it ends.

    def succeed(self, response: Any) -> None:
        """End with the response of a plain call."""
        self._end("returned", response)

    def finish(self, response: Any = None) -> None:
        """End the call: its response was read to the end. The outcome is made of the chunks, or of `response` if there are none."""
        self._end("read", response)

    def leave(self, response: Any = None) -> None:
        """End the call: the application reads no more of its response.

        The outcome is made of the chunks, or of `response` if there are none: what is known without the body, by headers.
        """
        self._end("left", response)

    def collected(self, response: Any = None) -> None:
        """End the call: its response was garbage-collected. It ended with its last chunk, because nobody knows when the reading stopped."""
        if not self.over and self.chunks is not None:
            self.stopped = self.chunks.last
        self._end("left", response)

    def fail(self, error: BaseException, response: Any = None) -> None:
        """End the call: the SDK raised `error`, in its method or while the response was read.

        Args:
            error: the exception.
            response: what the SDK received and could not parse, if anything: its tokens are billed too.
        """
        self._end("failed", response, error)

    def settle(self) -> None:
        """End the call and its span if the step that should have ended them failed. While the application reads the response, they go on."""
        self.running = False
        if self.open or self._closed:
            return
        if not self.over:
            self._end("left")
        self._close()

    def _end(self, ending: Ending, response: Any = None, error: BaseException | None = None) -> None:
        """End the call, if it has not ended: the first caller wins. While the SDK's method runs, only set `early`."""
        if self._forks != lifetime.forks:
            return
        if self.running:
            self.early = True
            return
        first = False
        try:
            first = self._lock.acquire(blocking=False)  # never released: that it is held means that the call is over
            if first:
                self._end_once(ending, response, error)
        finally:
            if first:
                self._done = True
                if not self._closed:
                    self._close()

    def _end_once(self, ending: Ending, response: Any, error: BaseException | None) -> None:
        self.stopped = stopped = self.stopped or perf_counter()
        if self._request is not None:
            self._observe()
        outcome = outcome_of(self, ending, response, error, stopped - self.started)
        _record(iter(self._observers), outcome)
        self._close()

    @guarded
    def _close(self) -> None:
        """Close the observers. End the span, if it is still open, with `stopped` as its end time."""
        if self._forks != lifetime.forks:
            return
        for observer in self._attending:
            observer.closed()
        # An adopted span may not be recording, and has to be ended nevertheless.
        if self.span.is_recording() or self._adopted:
            seconds_since_stop = 0.0 if self.stopped is None else perf_counter() - self.stopped
            self.span.end(time_ns() - int(seconds_since_stop * 1e9))
        self._observers = self._attending = ()
        self.secrets = tuple
        if self.chunks is not None:
            self.chunks.give_up()
        self.chunks, self._closed = None, True  # breaks the cycle: the chunks refer to the call


def _record(observers: Iterator[Observer], outcome: Outcome) -> None:
    """Pass the outcome to each observer, also to those after one that raised a BaseException, such as KeyboardInterrupt."""
    try:
        for observer in observers:
            observer.ended(outcome)
    finally:
        for observer in observers:  # the same iterator: only those that are left
            observer.ended(outcome)
