"""Streams of SDKs that make them as generators: what sends its request with its first step starts its call there.

A stream that is never read sends nothing, and is no call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._runtime.guard import guarded
from .._stream.reading import Reading
from .._stream.transparent_proxy import Proxy, own
from .seam import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .._call.call import Call
    from .seam import Seam

_END = object()


class StreamReading(Reading):
    """The reading of a stream.

    Args:
        call: the call, which ends with the reading.
        read_failure: reads what is recorded of a failure besides the exception.
    """

    __slots__ = ("_read_failure",)

    def __init__(self, call: Call, read_failure: Callable[[Call, BaseException], object]) -> None:
        super().__init__(call)
        self._read_failure = read_failure

    @guarded
    def failed(self, error: BaseException) -> None:
        """Record a failure: the SDK raised, or the consumer left."""
        if self.stepping:
            self._read_failure(self._call, error)
        super().failed(error)


class Start:
    """Starts the call of a stream at its first step.

    Args:
        seam: that of the SDK.
        client: the SDK's client.
        call: starts the call in the scope of that step, if it is followed.
        read_failure: see `StreamReading`.

    Attributes:
        scope: the scope of that step.
    """

    def __init__(
        self,
        seam: Seam,
        client: Any,
        call: Callable[[Scope], object],
        read_failure: Callable[[Call, BaseException], object],
    ) -> None:
        self.scope = Scope(seam, None, client, (), {})
        self._call = call
        self._read_failure = read_failure

    @guarded
    def __call__(self, source: Any) -> tuple[Reading, Any] | None:
        """Start the call and make it current. Return its reading and the steps of `source`, None if it is not instrumented."""
        scope = self.scope
        self._call(scope)
        if scope.call is None:
            return None
        reading = StreamReading(scope.call, self._read_failure)
        steps = reading.chunks(source)
        scope.start()
        return reading, steps


def stream_of(source: Generator[Any, Any, Any], start: Start) -> Generator[Any, Any, Any]:
    """Wrap the SDK's generator in one that starts the call at the first step, and records its chunks."""
    scope, steps = start.scope, source
    try:
        with scope, scope:
            _, steps = start(source) or (None, source)
            item = next(steps, _END)
        if item is not _END:
            yield item
            yield from steps
    finally:
        steps.close()
        source.close()


class AsyncStream(Proxy):
    """The asynchronous counterpart of `stream_of`: a proxy that looks like the SDK's generator.

    The event loop would finalise a generator around it and the SDK's own at the same time, and they would collide.

    Args:
        source: the SDK's generator.
        start: starts the call; None if that has been started.
        followed: then, the reading of the call, and the steps of `source`.
    """

    __slots__ = ("_self_reading", "_self_start", "_self_steps")

    _self_methods = frozenset({"__aiter__", "__anext__", "asend", "athrow", "aclose"})

    def __init__(self, source: Any, start: Start | None, followed: tuple[Reading, Any] | None = None) -> None:
        super().__init__(source)
        self._self_start = start
        self._self_reading: Reading | None
        self._self_reading, self._self_steps = followed or (None, source)

    def __aiter__(self) -> Any:
        return self

    def __anext__(self) -> Any:
        return own(self, "_self_steps").__anext__() if own(self, "_self_start") is None else self._self_first()

    def asend(self, value: Any) -> Any:
        if value is not None and self._self_start is not None:  # Python rejects it, and the generator is unchanged
            return self._self_source.asend(value)
        return self.__anext__()  # the SDK's generator ignores what is sent

    async def _self_first(self) -> Any:
        start, self._self_start = self._self_start, None
        if start is None:
            return await self._self_steps.__anext__()
        scope = start.scope
        with scope, scope:
            started = start(self._self_source)
            if started is not None:
                self._self_reading, self._self_steps = started
            return await self._self_steps.__anext__()

    async def athrow(self, *error: Any) -> Any:
        try:
            return await self._self_source.athrow(*error)
        finally:
            self._self_closed()

    async def aclose(self) -> None:
        try:
            await self._self_source.aclose()
        finally:
            self._self_closed()

    def _self_closed(self) -> None:
        self._self_start = None
        if self._self_reading is not None:
            self._self_reading.closed()
