"""Keeping from the caller what a stream carries only because usage was asked for on their behalf.

Events are taken out where the SDK has made them, bytes where the application reads bytes: the events and the bytes that pass are
those that would have come without the question, pieces of bytes ending where an event ends.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Protocol

from ._fields import member, members
from ._guard import guarded
from ._texts import Text, Texts
from ._wire import decoder, parsed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence

    from ._operation import StreamUsage

_EVENT_END = re.compile(rb"\n\r?\n|\r\r")
_COMPRESSION = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class _Form(Protocol):
    """One kind of items that pass."""

    def chunk(self, item: Any, /) -> Any:
        """What it says."""

    def cleared(self, item: Any, name: str, /) -> Any:
        """The item without its member `name`."""

    def given(self, item: Any, other: Any, names: Sequence[str], /) -> Any:
        """The item with members of another."""


class Sieve:
    """What of a stream passes.

    Args:
        usage: how usage was asked for.
        form: of the items.
        headers: of the HTTP response.
    """

    def __init__(self, usage: StreamUsage, form: _Form, headers: Mapping[str, str]) -> None:
        self._usage = usage
        self._form = form
        self._headers = headers
        self._moved = usage.moved(headers)
        self._held: list[Any] = []

    def take(self, item: Any) -> Sequence[Any]:
        """Take one item. Returns what passes now."""
        passed = self._sift(item)
        return (item,) if passed is None else passed

    def rest(self, ended: bool) -> Sequence[Any]:
        """What passes at the end, `ended` if it is a clean one."""
        held, self._held = self._held, []
        return held

    @guarded
    def _sift(self, item: Any) -> Sequence[Any]:
        chunk = self._form.chunk(item)
        if chunk is None:
            return self._after(item)
        if self._usage.withheld(chunk, self._headers):
            return [self._form.given(held, item, self._moved) for held in self.rest(ended=True)]
        if members(chunk).get(self._usage.member, chunk) is None:
            item = self._form.cleared(item, self._usage.member)
        if self._moved and self._usage.last(chunk):
            return self._after(item, held=True)
        return self._after(item)

    def _after(self, item: Any, *, held: bool = False) -> Sequence[Any]:
        if not held and not self._held:
            return (item,)
        passed, self._held = [*self._held, item], []
        if held:
            self._held.append(passed.pop())
        return passed


class Events:
    """Events as the SDK makes them: models, or JSON objects."""

    def chunk(self, event: Any) -> Any:
        """The same."""
        return event

    def cleared(self, event: Any, name: str) -> Any:
        """A model that is not given a member has it all the same, as None; the difference is in what it knows to be set."""
        if type(event) is dict:
            event.pop(name, None)
        else:
            _fields_set(event).discard(name)
        return event

    def given(self, event: Any, other: Any, names: Sequence[str]) -> Any:
        """Both are models or objects, and the names unknown to the models."""
        for name in names:
            value = member(other, name)
            if value is not None:
                _unknown(event)[name] = value
        return event


def _fields_set(event: Any) -> Any:
    known = getattr(event, "__pydantic_fields_set__", None)
    return getattr(event, "__fields_set__", set()) if known is None else known  # what pydantic 1 calls it


def _unknown(event: Any) -> Any:
    if type(event) is dict:
        return event
    extra = getattr(event, "__pydantic_extra__", None)
    return event.__dict__ if extra is None else extra


class Bytes:
    """The sieve of bytes, as they are read: it holds an event back until all of it is there.

    Args:
        usage: how usage was asked for.
        headers: of the HTTP response. What is no stream of events, or compressed as we did not ask for, passes as it is.
    """

    def __init__(self, usage: StreamUsage, headers: Mapping[str, str]) -> None:
        encoding = (headers.get("content-encoding") or "identity").strip().lower()
        self._packing = zlib.compressobj(wbits=_COMPRESSION[encoding]) if encoding in _COMPRESSION else None
        self._open = "event-stream" not in (headers.get("content-type") or "") or (
            self._packing is None and encoding != "identity"
        )
        self._unpack: Callable[[bytes], bytes] = decoder(encoding)
        self._sieve = Sieve(usage, Texts(), headers)
        # What is in every event that is of interest.
        self._word = b"" if usage.moved(headers) else usage.member.encode()
        self._undecided = bytearray()

    def take(self, data: bytes) -> Sequence[bytes]:
        """Take bytes. Returns what passes now."""
        if self._open:
            return (data,)
        try:
            plain = self._unpack(data)
        except zlib.error:  # the reader's own decoder says so
            self._open = True
            return (*self.rest(ended=False), data)
        return self._packed(b"".join(event.raw for text in self._events(plain) for event in self._sieve.take(text)))

    def rest(self, ended: bool) -> Sequence[bytes]:
        """What passes at the end: half an event too, and one that lacks the empty line after it."""
        undecided = bytes(self._undecided)
        self._undecided.clear()
        last = self._sieve.take(self._text(undecided)) if undecided else ()
        plain = b"".join(event.raw for event in (*last, *self._sieve.rest(ended)))
        return self._packed(plain, ended=ended)

    def _packed(self, plain: bytes, *, ended: bool = False) -> Sequence[bytes]:
        if self._packing is None or self._open:
            return (plain,) if plain else ()
        packed = self._packing.compress(plain) if plain else b""
        if plain or ended:
            packed += self._packing.flush(zlib.Z_FINISH if ended else zlib.Z_SYNC_FLUSH)
        return (packed,) if packed else ()

    def _events(self, plain: bytes) -> Iterator[Text]:
        known = max(0, len(self._undecided) - 2)
        self._undecided += plain
        start = 0
        for match in _EVENT_END.finditer(bytes(self._undecided[known:])):
            end = known + match.end()
            yield self._text(bytes(self._undecided[start:end]))
            start = end
        del self._undecided[:start]

    def _text(self, raw: bytes) -> Text:
        if self._word not in raw:
            return Text(raw)
        lines = [line.partition(b":") for line in raw.splitlines()]
        told = [value for name, _, value in lines if name == b"data"]
        return Text(raw, told[0], parsed(told[0])) if len(told) == 1 else Text(raw)


def sifted(source: Any, sieve: Sieve | Bytes) -> Any:
    """What passes of an iterator, an iterator of its kind."""
    return _AsyncSifted(source, sieve) if hasattr(source, "__anext__") else _sifted(source, sieve)


def _sifted(source: Generator[Any, None, None], sieve: Sieve | Bytes) -> Generator[Any, None, None]:
    try:
        try:
            for item in source:
                yield from sieve.take(item)
        except Exception:
            yield from sieve.rest(ended=False)
            raise
        yield from sieve.rest(ended=True)
    finally:
        source.close()


class _AsyncSifted(AsyncGenerator[Any, None]):
    """The asynchronous twin; no generator itself, for the reason of the one that it reads."""

    __slots__ = ("_ended", "_passed", "_sieve", "_source")

    def __init__(self, source: AsyncIterator[Any], sieve: Sieve | Bytes) -> None:
        self._source: Any = source
        self._sieve = sieve
        self._passed: deque[Any] = deque()
        self._ended: BaseException | None = None

    async def __anext__(self) -> Any:
        while not self._passed:
            if self._ended is not None:
                ended, self._ended = self._ended, None
                raise ended
            await self._step()
        return self._passed.popleft()

    async def _step(self) -> None:
        try:
            item = await self._source.__anext__()
        except Exception as error:
            self._passed.extend(self._sieve.rest(ended=isinstance(error, StopAsyncIteration)))
            if not self._passed:
                raise
            self._ended = error
        else:
            self._passed.extend(self._sieve.take(item))

    async def asend(self, value: Any) -> Any:
        return await self.__anext__() if value is None else await self._source.asend(value)

    async def athrow(self, *error: Any) -> Any:
        return await self._source.athrow(*error)

    async def aclose(self) -> None:
        await self._source.aclose()
