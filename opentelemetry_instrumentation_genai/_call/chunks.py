"""The chunks of one response, as the application reads them."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._adapter.endpoint import Accumulator


class Timed(Protocol):
    """What is known here of a call.

    Attributes:
        started: when the SDK's code was called, in seconds of `perf_counter`. A stream may be opened before that.
    """

    started: float

    @property
    def over(self) -> bool:
        """Return whether it has ended; in the child of a fork, calls of the parent have."""
        ...


class Chunks:
    """Puts the chunks of a response together, and measures when they are received.

    Args:
        accumulator: puts them together; None where nothing of the response is recorded.
        observers: called with each chunk: with the seconds since the one before it, None for the first one.
        call: the call that they belong to.

    Attributes:
        first: seconds from the start to the first chunk; None before it.
        last: when the last one was received, in seconds of `perf_counter`; before the first one, when reading began.
        noted: whether something was received that is no chunk.
    """

    __slots__ = ("_accumulator", "_add", "_call", "_observers", "first", "last", "noted")

    def __init__(
        self, accumulator: Accumulator | None, observers: Sequence[Callable[[float | None], object]], call: Timed
    ) -> None:
        self._accumulator = accumulator
        self._add: Callable[[Any], None] | None = None if accumulator is None else accumulator.add
        self._observers = observers
        self._call = call
        self.first: float | None = None
        self.last = perf_counter()
        self.noted = False

    @guarded
    def add(self, chunk: Any) -> None:
        """Add a chunk, and pass its time to the observers."""
        if self._add is None:
            return
        self._add(chunk)
        now = perf_counter()
        since = None if self.first is None else now - self.last
        self.last = now
        if since is None:
            self.first = now - self._call.started
            if self._call.over:  # in the child of a fork it is the parent's
                self._observers = ()
        for observe in self._observers:
            observe(since)

    @guarded
    def note(self, event: Any) -> None:
        """Add what is part of the response, and is no chunk: no time is measured by it."""
        if self._add is not None:
            self._add(event)
            self.noted = True

    def touch(self) -> None:
        """Restart the clock: a part of the response was read that is no chunk, before the first one."""
        if self.first is None:
            self.last = perf_counter()

    def give_up(self) -> None:
        """Record nothing more of the response: a part of it is too large to be read, so the rest may be wrong."""
        self._accumulator = self._add = None
        self._observers = ()

    @guarded
    def response(self) -> Any:
        """Return the response as far as it was received; None where nothing of it is recorded."""
        return None if self._accumulator is None else self._accumulator.result()
