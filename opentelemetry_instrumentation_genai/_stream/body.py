"""Follows a response that the application reads after the SDK's method has returned.

The end of a body shows in three places: its events, its bytes, and its close. A `Body` watches all three; the first to report an end
ends the call.

- Events: every stream class of the SDKs makes them in `__stream__`; all its helpers read through it.
- Bytes: an application that reads lines or bytes never makes events. Then we decode the bytes as they pass.
- Close: the HTTP response's byte stream is closed on exhaustion, `close()` and errors, and is garbage-collected with the SDK's
  stream object, if the application drops that.

A step is one `next()` of the body. The SDK closes the response within the step that reads the last event or that fails. So a close
during a step is ignored, and the step itself reports the end.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import AsyncGenerator
from functools import partial
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet, ref

import wrapt

from .._runtime.guard import guarded
from .._runtime.lifetime import finish_later, finish_pending
from .decoding import Wire
from .usage_filter import BytesFilter, EventAccess, UsageFilter, filtered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
    from types import CodeType, FrameType

    from .._adapter.stream_usage import StreamUsage
    from .._call.call import Call


class Unfinished(Protocol):
    """What ends at the exit of the process, if it has not ended before."""

    def exit(self) -> None:
        """End it, because the process exits."""


_unfinished: WeakSet[Unfinished] = WeakSet()
_callbacks_seen = -1


class Reading:
    """The application's reading of the response of one call, until its end or until it is left.

    Args:
        call: the call, which ends with the reading.
        known: the response as far as its headers tell; None if they tell nothing.
    """

    __slots__ = ("__weakref__", "_call", "_chunks", "_complete", "_held", "_known", "_sources", "_stepping", "_stopped")

    def __init__(self, call: Call, known: Any = None) -> None:
        self._call = call
        self._known = known
        self._sources: list[CodeType] = []  # the code of the asynchronous generators that are followed
        self._stepping = False
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
            return _followed(self, source, take, end)
        if isinstance(source, AsyncGeneratorType):
            self._sources.append(source.ag_code)
        return _AsyncFollowed(self, source, take, end)

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
        if isinstance(error, GeneratorExit) or not self._stepping or self._stopped:
            self.left()
        else:
            self._call.fail(error)

    @guarded
    def closing(self) -> None:
        """Record that the application closes the response while a step waits in another thread or task."""
        if self._stepping and not _within_step(self._sources):
            self._stopped = True

    @guarded
    def closed(self) -> None:
        """End the call when the response was closed, unless the SDK did so within a step."""
        if not self._stepping or self._stopped:
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


class Body(Reading):
    """One streamed body of one call.

    Args:
        call: the call, which ends with the body.
        response: the HTTP response, of httpx or alike, still unread.
        injected: how the usage of the stream was requested on the caller's behalf; None if it was not.
    """

    __slots__ = ("_events_of", "_headers", "_lines", "_reads_text", "_skipped_members", "_usage", "_wire")

    _wire: Wire

    def __init__(self, call: Call, response: Any, injected: StreamUsage | None = None) -> None:
        super().__init__(call)
        self._headers = response.headers
        self._skipped_members = call.unread
        self._reads_text, self._lines = call.endpoint.reads_text, call.endpoint.lines
        self._events_of: ref[Any] | None = None
        self._usage = injected
        response.stream = _Watched(response.stream, self)

    def events(self, chunks: Any, stream: Any) -> Any:
        """Return `chunks`, the events that `stream` makes of the body, as an iterator that reports them to the call.

        If another package wraps our wrapper and we patched again, this is called twice for one stream: the second call returns `chunks`
        as they are.
        Helpers of older SDKs make a second stream of the body, which is followed in turn.
        """
        if self._events_of is not None and self._events_of() is stream:
            return chunks
        self._events_of = ref(stream)
        followed, usage = self.chunks(chunks), self._usage
        return followed if usage is None else filtered(followed, UsageFilter(usage, EventAccess(), self._headers))

    @guarded
    def read(self, data: Any) -> Any:
        """Return an iterator over the bytes that passes each event in them to the call. It reads nothing ahead."""
        if self._stepping:  # the events are followed already, and read these bytes
            return data
        self._wire = Wire(self._headers, self._skipped_members, text=self._reads_text, lines=self._lines)
        followed = self._follow(data, self._take, self._end)
        return followed if self._usage is None else filtered(followed, BytesFilter(self._usage, self._headers))

    @guarded
    def _take(self, data: bytes) -> None:
        self._chunks.touch()
        for event in self._wire.feed(data):
            self._chunks.add(event)
        if self._wire.given_up:
            self._chunks.give_up()

    @guarded
    def _end(self) -> None:
        last = self._wire.last()
        if last is not None:
            self._chunks.add(last)
        self._call.finish(self._wire.body())


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


def body_of(response: Any) -> Body | None:
    """Return the followed body of an HTTP response, if there is one, also if the SDK's own tracing has wrapped its stream."""
    stream = getattr(response, "stream", None)
    if type(stream) is not _Watched:
        stream = getattr(stream, "_body", None) or getattr(stream, "_async_body", None)
    return stream._self_body if type(stream) is _Watched else None


def end_at_exit(unfinished: Unfinished) -> None:
    """End it when the process exits, if it is still there: it is held weakly."""
    _register_at_exit()
    _unfinished.add(unfinished)


def _register_at_exit() -> None:
    """Register `_finish_all` to run before the providers shut down: what is registered last runs first.

    Each registration costs a slot for ever, so this registers again only if somebody else has registered a function since.
    """
    global _callbacks_seen  # noqa: PLW0603 - a process has one
    count: Callable[[], int] = getattr(atexit, "_ncallbacks", int)
    if _callbacks_seen != count():
        atexit.unregister(_finish_all)
        atexit.register(_finish_all)
        _callbacks_seen = count()


@guarded
def _finish_all() -> None:
    finish_pending()
    for unfinished in list(_unfinished):
        unfinished.exit()


def _followed(
    body: Reading, source: Iterator[object], take: Callable[[Any], object], end: Callable[[], object]
) -> Generator[object, None, None]:
    try:
        body._stepping = True
        for item in source:
            take(item)
            body._stepping = False
            yield item
            body._stepping = True
        end()
    except BaseException as error:
        body.failed(error)
        raise
    finally:
        body._stepping = False


class _AsyncFollowed(AsyncGenerator[object, object]):
    """The asynchronous twin of `_followed`.

    It is no async generator: the event loop would finalise it separately from the SDK's.
    """

    __slots__ = ("_body", "_end", "_source", "_take")

    def __init__(
        self, body: Reading, source: AsyncIterator[object], take: Callable[[Any], object], end: Callable[[], object]
    ) -> None:
        self._body = body
        self._source: Any = source
        self._take = take
        self._end = end

    async def __anext__(self) -> object:
        body = self._body
        if body._stepping:  # a second reader beside a waiting one: Python raises for it
            return await self._source.__anext__()
        try:
            body._stepping = True
            item = await self._source.__anext__()
        except StopAsyncIteration:
            self._end()
            raise
        except BaseException as error:
            body.failed(error)
            raise
        finally:
            body._stepping = False
        self._take(item)
        return item

    async def asend(self, value: object) -> object:
        return await self.__anext__() if value is None else await self._source.asend(value)

    async def athrow(self, *error: object) -> object:
        return await self._source.athrow(*error)

    async def aclose(self) -> None:
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


_STEPS = (_followed.__code__, _AsyncFollowed.__anext__.__code__)


def _within_step(sources: Sequence[CodeType]) -> bool:
    """Return whether the current code runs within a step of a stream, and not beside one in another thread or task.

    Args:
        sources: the code of the asynchronous generators that make the events.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code in _STEPS:
            return True
        frame = frame.f_back
    return _unwinds(sys.exc_info()[1], sources)


def _unwinds(error: BaseException | None, sources: Sequence[CodeType]) -> bool:
    """Return whether an exception is leaving a generator that makes the events: that is a step too.

    A cancellation is thrown into the innermost awaitable. Its frame does not lead to those of the outer ones by `f_back`, so the
    traceback is searched.
    """
    step = error.__traceback__ if error is not None else None
    while step is not None:
        if step.tb_frame.f_code in sources:
            return True
        step = step.tb_next
    return False


class _Watched(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """Proxy of the HTTP response's byte stream that follows its reading and close. Where the SDK traces itself, its own proxy is around this one."""

    # Newer anthropic reads `stream_observer` at each event. Without this attribute, the proxy's look-up takes longer than all our
    # other work for a chunk.
    stream_observer = None

    def __init__(self, stream: Any, body: Body) -> None:
        super().__init__(stream)
        self._self_body = body

    def __iter__(self) -> Any:
        source = iter(self.__wrapped__)
        return self._self_body.read(source) or source

    def __aiter__(self) -> Any:
        source = self.__wrapped__.__aiter__()
        return self._self_body.read(source) or source

    def close(self) -> None:
        self._self_body.closing()
        try:
            self.__wrapped__.close()
        finally:
            self._self_body.closed()

    async def aclose(self) -> None:
        self._self_body.closing()
        try:
            await self.__wrapped__.aclose()
        finally:
            self._self_body.closed()
