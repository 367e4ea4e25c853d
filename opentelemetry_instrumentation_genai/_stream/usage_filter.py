"""Withholding from the caller what a stream carries only because usage was requested on their behalf.

What passes is what the server would have sent without that request: events after the SDK has made them, or bytes, in whole events,
where the application reads bytes. If the filter fails, or would take too much memory, all that it holds passes, in its order.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Protocol

from .._adapter.fields import member, members
from .._adapter.json_text import LARGEST
from .._runtime.guard import guarded
from .decoding import decoder
from .event_texts import Text, Texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping, Sequence

    from .._adapter.stream_usage import StreamUsage

_EVENT_END = re.compile(rb"\n\r?\n|\r\r")
# How a stream of events begins.
_EVENT_STARTS = (b":", b"data:", b"event:", b"id:", b"retry:")
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class _Access(Protocol):
    """The operations of the filter on one kind of items: events or texts."""

    def chunk(self, item: Any, /) -> Any:
        """Return the item as a chunk: a model or a JSON object."""

    def without(self, item: Any, name: str, /) -> Any:
        """Return the item without its member `name`."""

    def with_members_of(self, item: Any, other: Any, names: Sequence[str], /) -> Any:
        """Return the item with members of another."""

    def before(self, item: Any, /) -> Sequence[Any]:
        """Return the empty lines before a chunk, which the server sends in any case."""
        ...


class UsageFilter:
    """Filter of a stream that withholds what only the request for usage adds.

    Args:
        usage: how usage was requested.
        access: how items are read and changed.
        headers: of the HTTP response.
    """

    def __init__(self, usage: StreamUsage, access: _Access, headers: Mapping[str, str]) -> None:
        self._usage = usage
        self._access = access
        self._headers = headers
        self._moved = usage.moved(headers)  # the members to copy from the withheld chunk to the last one that passes
        self._held: Sequence[Any] = ()

    def take(self, item: Any) -> Sequence[Any]:
        """Take one item. Return what passes now."""
        passed, self._held = self.step(item, self._held)
        return passed

    def rest(self, ended: bool) -> Sequence[Any]:
        """Return what passes at the end; `ended` if that is the regular end."""
        return self.pass_all()

    def pass_all(self, *items: Any) -> Sequence[Any]:
        """Return what is held, and these items."""
        held, self._held = self._held, ()
        return (*held, *items)

    def step(self, item: Any, held: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return what passes of an item and of the held ones, and what is held next. The filter itself is not changed."""
        return self._decide(item, held) or ((*held, item), ())

    @guarded
    def _decide(self, item: Any, held: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        chunk = self._access.chunk(item)
        if chunk is None:
            return (*held, item), ()
        if self._usage.withheld(chunk, self._headers):
            passed = [self._access.with_members_of(each, item, self._moved) for each in held]
            return [*passed, *self._access.before(item)], ()
        if members(chunk).get(self._usage.member, chunk) is None:
            item = self._access.without(item, self._usage.member)
        if self._moved and self._usage.last(chunk):
            return held, (item,)
        return (*held, item), ()


class EventAccess:
    """Access to events as the SDK makes them: models, or JSON objects."""

    def chunk(self, event: Any) -> Any:
        """Return the event itself."""
        return event

    def without(self, event: Any, name: str) -> Any:
        """Return the event without a member. A model keeps it as None, and loses it from its set of given fields."""
        if type(event) is dict:
            event.pop(name, None)
        else:
            _fields_set(event).discard(name)
        return event

    def with_members_of(self, event: Any, other: Any, names: Sequence[str]) -> Any:
        """Return the event with members of another. Both are models or objects, and the names are unknown to the models."""
        for name in names:
            value = member(other, name)
            if value is not None:
                _extra_members(event)[name] = value
        return event

    def before(self, _event: Any) -> Sequence[Any]:
        """Return nothing: events have no text."""
        return ()


def _fields_set(event: Any) -> Any:
    known = getattr(event, "__pydantic_fields_set__", None)
    return getattr(event, "__fields_set__", set()) if known is None else known  # what pydantic 1 calls it


def _extra_members(event: Any) -> Any:
    if type(event) is dict:
        return event
    extra = getattr(event, "__pydantic_extra__", None)
    return event.__dict__ if extra is None else extra


class BytesFilter:
    """The usage filter of bytes, as they are read: it holds an event back until it is complete.

    Args:
        usage: how usage was requested.
        headers: of the HTTP response. A body that is no stream of events, by its content type and first bytes, or whose
            compression cannot be redone, passes unchanged.
    """

    def __init__(self, usage: StreamUsage, headers: Mapping[str, str]) -> None:
        encoding = (headers.get("content-encoding") or "identity").strip().lower()
        self._packing = zlib.compressobj(wbits=_WBITS[encoding]) if encoding in _WBITS else None
        self._passes_all = self._packing is None and encoding != "identity"
        self._encoding = encoding
        # The bytes until these identify the format; servers have other content types for streams of events too.
        self._first = None if "event-stream" in (headers.get("content-type") or "") else b""
        self._unpack = decoder(encoding)
        self._filter = UsageFilter(usage, Texts(), headers)
        # What is in every event that is of interest.
        self._marker = b"" if usage.moved(headers) else usage.member.encode()
        self._held: Sequence[Text] = ()
        self._undecided = bytearray()
        self._searched = 0  # how many of the undecided bytes have been searched for the end of an event

    def take(self, data: bytes) -> Sequence[bytes]:
        """Take bytes. Return what passes now."""
        if self._first is not None:
            data = self._decided(data)
        if self._passes_all:
            return (data,) if data else ()
        passed: list[bytes] = []
        try:
            for plain in self._unpack(data):
                self._undecided += plain
                some = self._step(False, False)
                passed += some or ()
                if some is None or len(self._undecided) > LARGEST:
                    passed += self._packed(self._everything())
        except zlib.error:  # the reader's own decoder raises it
            passed += self._packed(self._everything())
            self._passes_all = True
            return (*passed, data)
        return passed

    def rest(self, ended: bool) -> Sequence[bytes]:
        """Return what passes at the end: also half an event, and one without the empty line after it."""
        if self._passes_all or self._first is not None:
            return self.pass_all()
        passed = self._step(True, ended)
        return self._packed(self._everything(), ended=ended) if passed is None else passed

    def pass_all(self, *pieces: bytes) -> Sequence[bytes]:
        """Return what is held, and these bytes."""
        if self._first is not None:
            pieces, self._first, self._passes_all = (self._first, *pieces), None, True
        if self._passes_all:
            return tuple(filter(None, pieces))
        return self._packed(self._everything() + b"".join(plain for data in pieces for plain in self._unpack(data)))

    def _decided(self, data: bytes) -> bytes:
        """Return all bytes so far, once their format is known; until then none."""
        came = (self._first or b"") + data
        try:
            plain = b"".join(decoder(self._encoding)(came))
        except zlib.error:
            plain = came
        # What failed before this point has changed nothing, so that `pass_all` passes each byte once.
        if not plain:
            self._first = came
            return b""
        self._passes_all, self._first = self._passes_all or not _starts_events(plain), None
        return came

    @guarded
    def _step(self, last: bool, ended: bool) -> Sequence[bytes]:
        """Return what passes of the undecided bytes. Only when that is known, these and the held bytes are removed.

        Args:
            last: whether no more bytes come.
            ended: whether the body has ended in the regular way.
        """
        passed: list[Text] = []
        held, start = self._held, 0
        for end in self._ends(last):
            some, held = self._filter.step(self._text(bytes(self._undecided[start:end])), held)
            passed += some
            start = end
        if last:
            passed, held = [*passed, *held], ()
        packed = self._packed(b"".join(text.raw for text in passed), ended=ended)
        self._held = held
        del self._undecided[:start]
        self._searched = max(0, len(self._undecided) - 2)
        return packed

    def _ends(self, last: bool) -> list[int]:
        """Return where events end; the last one of a body may have no empty line after it."""
        ends = [self._searched + match.end() for match in _EVENT_END.finditer(bytes(self._undecided[self._searched :]))]
        return [*ends, len(self._undecided)] if last and self._undecided else ends

    def _everything(self) -> bytes:
        """Return all that is held, and hold it no longer."""
        plain = b"".join(text.raw for text in self._held) + self._undecided
        self._held, self._searched = (), 0
        self._undecided.clear()
        return bytes(plain)

    def _packed(self, plain: bytes, *, ended: bool = False) -> Sequence[bytes]:
        if self._packing is None or self._passes_all:
            return (plain,) if plain else ()
        packed = self._packing.compress(plain) if plain else b""
        if plain or ended:
            packed += self._packing.flush(zlib.Z_FINISH if ended else zlib.Z_SYNC_FLUSH)
        return (packed,) if packed else ()

    def _text(self, raw: bytes) -> Text:
        return Text.of(raw) if self._marker in raw else Text(raw)


def _starts_events(data: bytes) -> bool:
    """Return whether a body can be a stream of events, by its first bytes, however few."""
    start = data.lstrip()[:6]
    return any(start.startswith(name) or name.startswith(start) for name in _EVENT_STARTS)


@guarded
def _taken(usage_filter: UsageFilter | BytesFilter, item: Any) -> Sequence[object]:
    return usage_filter.take(item)


@guarded
def _rest(usage_filter: UsageFilter | BytesFilter, ended: bool) -> Sequence[object]:
    return usage_filter.rest(ended)


@guarded
def _all(usage_filter: UsageFilter | BytesFilter, *items: Any) -> Sequence[object]:
    return usage_filter.pass_all(*items)


def _passing(usage_filter: UsageFilter | BytesFilter, item: object) -> Sequence[object]:
    """Return what passes of an item; if the filter fails, all that it holds and the item."""
    passed = _taken(usage_filter, item)
    if passed is None:
        passed = _all(usage_filter, item)
    return (item,) if passed is None else passed


def _remaining(usage_filter: UsageFilter | BytesFilter, ended: bool) -> Sequence[object]:
    """Return what passes at the end."""
    passed = _rest(usage_filter, ended)
    return (_all(usage_filter) or ()) if passed is None else passed


def filtered(source: Any, usage_filter: UsageFilter | BytesFilter) -> Any:
    """Return an iterator over what passes of `source`, sync or async as that is."""
    return _AsyncFiltered(source, usage_filter) if hasattr(source, "__anext__") else _filtered(source, usage_filter)


def _filtered(
    source: Generator[object, None, None], usage_filter: UsageFilter | BytesFilter
) -> Generator[object, None, None]:
    try:
        try:
            for item in source:
                yield from _passing(usage_filter, item)
        except Exception:
            yield from _remaining(usage_filter, False)
            raise
        yield from _remaining(usage_filter, True)
    finally:
        source.close()


class _AsyncFiltered(AsyncGenerator[object, object]):
    """The asynchronous twin of `_filtered`. It is no generator, as `_AsyncFollowed` of `body` is none."""

    __slots__ = ("_ended", "_filter", "_passed", "_source")

    def __init__(self, source: AsyncIterator[object], usage_filter: UsageFilter | BytesFilter) -> None:
        self._source: Any = source
        self._filter = usage_filter
        self._passed: deque[object] = deque()
        self._ended: BaseException | None = None

    async def __anext__(self) -> object:
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
            self._passed.extend(_remaining(self._filter, isinstance(error, StopAsyncIteration)))
            if not self._passed:
                raise
            self._ended = error
        else:
            self._passed.extend(_passing(self._filter, item))

    async def asend(self, value: object) -> object:
        return await self.__anext__() if value is None else await self._source.asend(value)

    async def athrow(self, *error: object) -> object:
        return await self._source.athrow(*error)

    async def aclose(self) -> None:
        await self._source.aclose()
