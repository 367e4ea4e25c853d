"""The interface between a call and what records its signals: the call knows no signal, and a signal knows no seam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .._guard import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.trace import Span

    from .._adapter.counted_usage import Counted
    from .outcome import Outcome
    from .request import Request
    from .state import CallState

_STEPS = ("started", "answered", "opened", "chunk", "ended", "closed")


class Observer:
    """Records one signal of one call. To make one has no effect; a step that a class does not define does nothing.

    Each step is guarded: what it raises is dropped, and affects no other observer.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        for name in _STEPS:
            if name in vars(cls):
                setattr(cls, name, guarded(vars(cls)[name]))

    def started(self, request: Request) -> None:
        """The call has started, and its span is known."""

    def answered(self, headers: Any) -> None:
        """An HTTP response was received: its headers, of httpx or alike; its body may be unread."""

    def opened(self) -> None:
        """The application reads the response, and its chunks follow. Where it begins to read again, earlier chunks do not count."""

    def chunk(self, seconds: float | None) -> None:
        """A chunk was received, so many seconds after the one before it; None for the first one."""

    def ended(self, outcome: Outcome) -> None:
        """The call has ended. The observers before this one may have added attributes to the outcome."""

    def closed(self) -> None:
        """Undo what `started` began and `ended` has not ended: the last step of all, also where others were interrupted."""


class Signals(Protocol):
    """What makes the observers of calls.

    Attributes:
        counted: the responses with usage that has been counted, of those that several calls receive.
    """

    counted: Counted

    def describe(self, call: CallState, request: Request, /) -> None:
        """Set the attributes of a call that are known at its start."""

    def start_span(self, call: CallState, /) -> Span | None:
        """Start the span of a call."""
        ...

    def observers(self, call: CallState, request: Request, own: Span | None, /) -> Sequence[Observer]:
        """Return what records a call, in the order of its end.

        Args:
            call: the call, with its span.
            request: its request.
            own: the span as the application sees it; None where the SDK should have made one, and has not.
        """
        ...
