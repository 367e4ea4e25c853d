"""Follows a response that the application reads after the SDK's method has returned.

The end of a body shows in three places: its events, its bytes, and its close. A `Body` watches all three; the first to report an end
ends the call.

- Events: every stream class of the SDKs makes them in `__stream__`; all its helpers read through it.
- Bytes: an application that reads lines or bytes never makes events. Then we decode the bytes as they pass.
- Close: the HTTP response's byte stream is closed on exhaustion, `close()` and errors, and is garbage-collected with the SDK's
  stream object, if the application drops that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import wrapt

from .._runtime.guard import guarded
from .decoding import Wire
from .reading import Reading
from .usage_filter import BytesFilter, EventAccess, UsageFilter, filtered

if TYPE_CHECKING:
    from .._adapter.stream_usage import StreamUsage
    from .._call.call import Call


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
        if self.stepping:  # the events are followed already, and read these bytes
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


def body_of(response: Any) -> Body | None:
    """Return the followed body of an HTTP response, if there is one, also if the SDK's own tracing has wrapped its stream."""
    stream = getattr(response, "stream", None)
    if type(stream) is not _Watched:
        stream = getattr(stream, "_body", None) or getattr(stream, "_async_body", None)
    return stream._self_body if type(stream) is _Watched else None


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
