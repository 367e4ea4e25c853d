"""The interface between a call and the observers that record its signals. A call knows no signal; an observer knows no seam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.trace import Span

    from .._adapter.counted_usage import Counted
    from .outcome import Outcome
    from .request import Request
    from .state import CallState

_STEPS = ("started", "answered", "opened", "chunk", "ended", "closed")
_OF_EACH_CALL = ("started", "answered", "closed")


class Observer:
    """Follows one call for one purpose, such as its span, its metrics or its cost. Creating one has no effect. A step that a class does not define does nothing.

    Each step is guarded: what it raises is dropped, and affects no other observer.

    Attributes:
        attends: whether its class defines a step of each call besides its end; most record that alone.
    """

    __slots__ = ()
    attends: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        for name in _STEPS:
            if name in vars(cls):
                setattr(cls, name, guarded(vars(cls)[name]))
                cls.attends = cls.attends or name in _OF_EACH_CALL

    def started(self, request: Request) -> None:
        """Record the start of the call. `call.span` is set by now."""

    def answered(self, headers: Any) -> None:
        """Record the headers of an HTTP response, `httpx.Headers` or alike. Its body may not have been read yet."""

    def opened(self) -> None:
        """Prepare for chunks. Called again if the application starts a second reading: earlier chunks do not count."""

    def chunk(self, seconds: float | None) -> None:
        """Record a chunk.

        Args:
            seconds: since the previous one; None for the first.
        """

    def ended(self, outcome: Outcome) -> None:
        """Record the end of the call. Earlier observers may have added attributes to the outcome."""

    def closed(self) -> None:
        """Undo what `started` did, such as a count of active calls, if `ended` has not. Always the last step, also after an interrupt."""


class Signals(Protocol):
    """Makes the observers of calls.

    Attributes:
        counted: the ids of responses with usage that was counted; several calls may receive one response, and only one counts it.
    """

    counted: Counted

    def describe(self, call: CallState, request: Request, /) -> None:
        """Set the attributes of a call that are known at its start."""

    def start_span(self, call: CallState, /) -> Span | None:
        """Start the span of a call."""
        ...

    def observers(self, call: CallState, request: Request, hook_span: Span | None, /) -> Sequence[Observer]:
        """Return the observers of a call, in the order in which their steps run.

        Args:
            call: the call, with its span.
            request: its request.
            hook_span: the span that the application's hooks get; None if the SDK was to make the span and did not.
        """
        ...
