"""The application's reading of a response after the SDK's method has returned.

The SDK closes the response within the step that reads the last event or that fails. So a close during a step is ignored, and the step
itself reports the end.
"""

from __future__ import annotations

import sys
from functools import partial
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any

from .._runtime.guard import guarded
from .._runtime.lifetime import finish_later
from .at_exit import end_at_exit
from .followed import AsyncFollowed, followed, within_step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import CodeType

    from .._call.call import Call


class Reading:
    """The application's reading of the response of one call, until its end or until it is left.

    Args:
        call: the call, which ends with the reading.
        known: the response as far as its headers tell; None if they tell nothing.

    Attributes:
        stepping: whether a step runs: one `next()` of an iterator that is followed.
    """

    __slots__ = ("__weakref__", "_call", "_chunks", "_complete", "_held", "_known", "_sources", "_stopped", "stepping")

    def __init__(self, call: Call, known: Any = None) -> None:
        self._call = call
        self._known = known
        self._sources: list[CodeType] = []  # the code of the asynchronous generators that are followed
        self.stepping = False
        self._stopped = False
        self._held = self._complete = False
        self._chunks = call.opened(self)
        end_at_exit(self)

    def chunks(self, chunks: Any) -> Any:
        """Return an iterator like that of the SDK, sync or async, which passes each chunk to the call as it is read."""
        return self._follow(chunks, self._chunks.add, self.ended)

    def _follow(
        self, source: Any, take: Callable[[Any], object], end: Callable[[], object]
    ) -> Iterator[object] | AsyncIterator[object]:
        if not hasattr(source, "__anext__"):
            return followed(self, source, take, end)
        if isinstance(source, AsyncGeneratorType):
            self._sources.append(source.ag_code)
        return AsyncFollowed(self, source, take, end)

    def forget(self) -> None:
        """Stop reporting to the call: another reading has replaced this one."""
        self._call = _DETACHED
        self._chunks.give_up()

    @guarded
    def ended(self) -> None:
        """End the call: the response was read to its end."""
        if self._held:
            self._complete = True
        else:
            self._call.finish()

    def hold(self) -> None:
        """Keep the call open at the end of the response, until `let_go`: the SDK still parses what it has read, and may fail."""
        self._held = True

    @guarded
    def let_go(self, error: BaseException | None) -> None:
        """Undo `hold`. If the response was read to its end meanwhile, end the call: as failed with `error`, if there is one, else as read."""
        self._held = False
        if self._complete and error is not None:
            self._call.fail(error)
        elif self._complete:
            self._call.finish()

    @guarded
    def failed_above(self, error: BaseException) -> None:
        """End the call with an exception that the SDK raised while it processed the chunks."""
        self._call.fail(error)

    @guarded
    def exit(self) -> None:
        """End the call, because the process exits."""
        self._call.leave(self._known)

    @guarded
    def failed(self, error: BaseException) -> None:
        """End the call after an exception. The call has failed only if a step raised the exception.

        Not failures: GeneratorExit, what the application throws between two steps, and the error of a step that waits while the
        application closes the response.
        """
        if isinstance(error, GeneratorExit) or not self.stepping or self._stopped:
            self.left()
        else:
            self._call.fail(error)

    @guarded
    def closing(self) -> None:
        """Record that the application closes the response while a step waits in another thread or task."""
        if self.stepping and not within_step(self._sources):
            self._stopped = True

    @guarded
    def closed(self) -> None:
        """End the call when the response was closed, unless the SDK did so within a step."""
        if not self.stepping or self._stopped:
            self.left()

    def left(self) -> None:
        """End the call: the application has left the response, maybe before its end.

        GeneratorExit may come from the garbage collector, where nothing may block: then the finisher thread ends the call.
        """
        if isinstance(sys.exc_info()[1], GeneratorExit):
            self._collected()
        else:
            self._call.leave(self._known)

    def _collected(self) -> None:
        if not self._call.over:
            finish_later(self._call.collected if self._known is None else partial(self._call.collected, self._known))

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self._collected()


class _DetachedCall:
    """Takes the place of the call in a reading that another has replaced. Does nothing."""

    over = True

    def finish(self, _response: object = None) -> None:
        pass

    def leave(self, _response: object = None) -> None:
        pass

    def fail(self, _error: BaseException) -> None:
        pass


_DETACHED: Any = _DetachedCall()
