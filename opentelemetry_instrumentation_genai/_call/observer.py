"""The interface between a call and the observers that record its signals. A call knows no signal; an observer knows no seam."""

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
    """Records one signal of one call. Creating one has no effect. A step that a class does not define does nothing.

    Each step is guarded: what it raises is dropped, and affects no other observer.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        for name in _STEPS:
            if name in vars(cls):
                setattr(cls, name, guarded(vars(cls)[name]))

    def started(self, request: Request) -> None:
        """Record the start of the call. Its span is known."""

    def answered(self, headers: Any) -> None:
        """Record the headers of an HTTP response, as httpx has them. Its body may be unread."""

    def opened(self) -> None:
        """Prepare for the chunks of a response. If the application begins to read it again, earlier chunks do not count."""

    def chunk(self, seconds: float | None) -> None:
        """Record a chunk that was received so many seconds after the one before it; None for the first one."""

    def ended(self, outcome: Outcome) -> None:
        """Record the end of the call. Earlier observers may have added attributes to the outcome."""

    def closed(self) -> None:
        """Release what `started` took and `ended` has not released. This is the last step, also if another was interrupted."""


class Signals(Protocol):
    """Makes the observers of calls.

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
