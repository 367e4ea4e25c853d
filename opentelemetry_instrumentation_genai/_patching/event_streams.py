"""The event streams that `stream()` of an SDK returns: they read the chunks of a stream, and make events and a response of them.

What they raise themselves, above the chunks, goes to the application: a length, a content filter, a text of another structure.
All of their events come from `__stream__`, of which a step that raises fails the call. What the application raises between two
steps does not.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import wrapt

from .._runtime.guard import guarded, transformed
from .._stream.body import body_of
from .patch import Patches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from types import ModuleType

    from .._stream.body import Body

_active: list[EventStreams] = []
_awaited: set[str] = set()  # modules with a registered import hook: wrapt cannot remove one


class EventStreams:
    """Follows the event streams of one SDK.

    Args:
        classes: (module, class) pairs; a version of the SDK need not have all of them.
        parsing: methods that read a stream to its end, and parse it then.
    """

    def __init__(self, classes: Sequence[tuple[str, str]], parsing: Sequence[str] = ()) -> None:
        self._classes = classes
        self._parsing = parsing
        self._patches = Patches()

    def start(self) -> None:
        """Follow them: those that have been imported, and the others when they are."""
        _active.append(self)
        for name in dict.fromkeys(module for module, _ in self._classes):
            if name in sys.modules:
                self.patch(sys.modules[name])
            elif name not in _awaited:
                _awaited.add(name)
                wrapt.register_post_import_hook(_imported, name)

    def stop(self) -> None:
        """Follow them no more."""
        if self in _active:
            _active.remove(self)
        self._patches.remove()

    @guarded
    def patch(self, module: ModuleType) -> None:
        """Wrap those that a module has."""
        for name, kind in self._classes:
            owner = getattr(module, kind, None) if name == module.__name__ else None
            if owner is not None and hasattr(owner, "__stream__"):
                self._patches.wrap(owner, "__stream__", transformed(self._events))
                for method in self._parsing:
                    if hasattr(owner, method):
                        final = self._async_final if iscoroutinefunction(getattr(owner, method)) else self._final
                        self._patches.wrap(owner, method, final)

    def _events(self, events: Any, stream: object) -> object:
        """Return the events of `__stream__`, followed: a step that raises fails the call."""
        if self not in _active:
            return events
        return _AsyncSteps(stream, events) if hasattr(events, "__anext__") else _steps(stream, events)

    # The wrappers, as wrapt calls them.

    def _final(
        self, wrapped: Callable[..., object], stream: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> object:
        """Run a method that reads to the end and then parses; the call ends only after both."""
        body, raised = _held(stream), None
        try:
            return wrapped(*args, **kwargs)
        except BaseException as error:
            raised = error
            raise
        finally:
            _let_go(body, raised)
            del raised

    async def _async_final(
        self,
        wrapped: Callable[..., Awaitable[object]],
        stream: object,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> object:
        """Do the same for an asynchronous method."""
        body, raised = _held(stream), None
        try:
            return await wrapped(*args, **kwargs)
        except BaseException as error:
            raised = error
            raise
        finally:
            _let_go(body, raised)
            del raised


def _imported(module: ModuleType) -> None:
    for streams in [*_active]:
        streams.patch(module)


@guarded
def _body(stream: object) -> Body | None:
    """Return the body that an event stream reads, if it is followed; else None."""
    return body_of(getattr(getattr(stream, "_raw_stream", None), "response", None))


@guarded
def _failed(stream: object, error: BaseException) -> None:
    body = _body(stream)
    if body is not None:
        body.failed_above(error)


@guarded
def _held(stream: object) -> Body | None:
    body = _body(stream)
    if body is not None:
        body.hold()
    return body


@guarded
def _let_go(body: Body | None, error: BaseException | None) -> None:
    if body is not None:
        body.let_go(error)


def _steps(stream: object, events: Iterator[object]) -> Iterator[object]:
    while True:
        try:
            event = next(events)
        except StopIteration:
            return
        except BaseException as error:
            _failed(stream, error)
            raise
        yield event


class _AsyncSteps(AsyncGenerator[object, object]):
    """The asynchronous twin of `_steps`. It is no generator, since the event loop would finalise that beside the SDK's."""

    __slots__ = ("_events", "_stream")

    def __init__(self, stream: object, events: AsyncIterator[object]) -> None:
        self._stream = stream
        self._events: Any = events

    async def __anext__(self) -> object:
        try:
            return await self._events.__anext__()
        except StopAsyncIteration:
            raise
        except BaseException as error:
            _failed(self._stream, error)
            raise

    async def asend(self, value: object) -> object:
        return await self._events.asend(value)

    async def athrow(self, *error: object) -> object:
        return await self._events.athrow(*error)

    async def aclose(self) -> None:
        await self._events.aclose()
