"""Iterators over a response that report to its reading: each item, each failure, and the end. A step is one `next()` of them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
    from types import CodeType, FrameType


class Reader(Protocol):
    """To whom an iterator reports.

    Attributes:
        stepping: whether a step runs.
    """

    stepping: bool

    def failed(self, error: BaseException, /) -> None:
        """Take an exception of a step, or one that was thrown into the iterator between two steps."""


def followed(
    reader: Reader, source: Iterator[object], take: Callable[[Any], object], end: Callable[[], object]
) -> Generator[object, None, None]:
    """Return an iterator over `source` that reports to its reading.

    Args:
        reader: the reading.
        source: what the SDK made.
        take: gets each item.
        end: is called at the end.
    """
    try:
        reader.stepping = True
        for item in source:
            take(item)
            reader.stepping = False
            yield item
            reader.stepping = True
        end()
    except BaseException as error:
        reader.failed(error)
        raise
    finally:
        reader.stepping = False


class AsyncFollowed(AsyncGenerator[object, object]):
    """The asynchronous twin of `followed`, with the same arguments.

    It is no async generator: the event loop would finalise it separately from the SDK's.
    """

    __slots__ = ("_end", "_reader", "_source", "_take")

    def __init__(
        self, reader: Reader, source: AsyncIterator[object], take: Callable[[Any], object], end: Callable[[], object]
    ) -> None:
        self._reader = reader
        self._source: Any = source
        self._take = take
        self._end = end

    async def __anext__(self) -> object:
        reader = self._reader
        if reader.stepping:  # a second reader beside a waiting one: Python raises for it
            return await self._source.__anext__()
        try:
            reader.stepping = True
            item = await self._source.__anext__()
        except StopAsyncIteration:
            self._end()
            raise
        except BaseException as error:
            reader.failed(error)
            raise
        finally:
            reader.stepping = False
        self._take(item)
        return item

    async def asend(self, value: object) -> object:
        """Send a value into `source`; None is the next step."""
        return await self.__anext__() if value is None else await self._source.asend(value)

    async def athrow(self, *error: object) -> object:
        """Throw an exception into `source`."""
        return await self._source.athrow(*error)

    async def aclose(self) -> None:
        """Close `source`, if it can be closed."""
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


_STEPS = (followed.__code__, AsyncFollowed.__anext__.__code__)


def within_step(sources: Sequence[CodeType]) -> bool:
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
