"""Follows the bodies that botocore returns unread: a stream of events, and the bytes of a plain response.

The object that the application gets stays the same one, with all of its methods: its class is replaced by one below it, in which the
few methods that read or close report to the call. A body that is read through an iterator may be read on after a `break`, so
its call ends when it is read to the end, closed or dropped.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..._adapter.json_text import LARGEST, read_json
from ..._runtime.guard import guarded
from ..._stream.reading import Reading
from ..._stream.transparent_proxy import Proxy
from ._invocation import TERMS, with_added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..._call.call import Call

_classes: dict[type, type] = {}
_MOST = 64  # classes of bodies that are remembered


def follow(body: Any, call: Call, added: Mapping[str, Any]) -> None:
    """Follow the reading of a body, which ends its call from now on.

    Args:
        body: botocore's; one of another class, as a test puts it in its place, is not followed.
        call: the call.
        added: what the headers of the response say of it.
    """
    if isinstance(body, import_module("botocore.eventstream").EventStream):
        followed = _class(type(body), _Events)
        body._genai_reading = reading = _EventReading(call)
        reading.note({name: value for name, value in added.items() if name == TERMS})
    elif isinstance(body, import_module("botocore.response").StreamingBody):
        followed = _class(type(body), _IntoBuffers if hasattr(body, "readinto") else _Bytes)
        length = getattr(body, "_content_length", None)
        body._genai_reading = _BytesReading(call, length, added)
    else:
        return
    body.__class__ = followed


def _class(kind: type, methods: type) -> type:
    """Return the class below a class of bodies that has these methods, and looks like it."""
    followed = _classes.get(kind)
    if followed is None:
        namespace = {
            "__slots__": (),
            "__module__": kind.__module__,
            "__qualname__": kind.__qualname__,
            "__doc__": kind.__doc__,
        }
        followed = type(kind.__name__, (methods, kind), namespace)
        if len(_classes) < _MOST:
            _classes[kind] = followed
    return followed


class _BodyReading(Reading):
    """The reading of a body by steps of an iterator, which may be dropped before the body is."""

    __slots__ = ()

    def steps(self, source: Iterator[Any], take: Callable[[Any], object]) -> Iterator[Any]:
        """Yield what an iterator over the body yields, and pass each to `take`."""
        while True:
            beside = self.stepping  # another thread waits in a step: Python refuses this one, and that one goes on
            self.stepping = True
            try:
                item = next(source)
            except StopIteration:
                self.ended()
                return
            except BaseException as error:
                if not beside:
                    self.failed(error)
                raise
            finally:
                if not beside:
                    self.stepping = False
            take(item)
            yield item


class _EventReading(_BodyReading):
    """The reading of a stream of events."""

    __slots__ = ()

    def note(self, added: Mapping[str, Any]) -> None:
        """Add what the headers say to the response."""
        if added:
            self._chunks.note(added)

    def events(self, source: Iterator[Any]) -> Iterator[Any]:
        """Yield the events of the stream, and pass each to the call."""
        return self.steps(source, self._chunks.add)


class _BytesReading(_BodyReading):
    """The reading of the bytes of a plain response, which is JSON.

    Args:
        call: the call, which ends with the reading.
        length: the length of the body, as its header has it; None where it has none.
        added: what the headers of the response say of it.
    """

    __slots__ = ("_added", "_kept", "_left", "_limit")

    def __init__(self, call: Call, length: Any, added: Mapping[str, Any]) -> None:
        super().__init__(call, with_added(None, added))
        self._added = added
        self._kept: bytearray | None = bytearray()
        self._left = int(length) if str(length).isdecimal() else -1
        self._limit = 4 * LARGEST if call.unread else LARGEST  # what nothing reads is not parsed

    def run(self, read: Callable[[], Any], keep: Callable[[Any, Any], object], given: Any) -> Any:
        """Call a method that reads, pass what it returns to `keep`, with what it was `given`, and return it."""
        self.stepping = True
        try:
            result = read()
        except BaseException as error:
            self.failed(error)
            raise
        finally:
            self.stepping = False
        keep(result, given)
        return result

    def pieces(self, source: Iterator[Any]) -> Iterator[Any]:
        """Yield the pieces of an iterator over the bytes, and keep them."""
        return self.steps(source, self.keep_piece)

    @guarded
    def keep(self, data: Any, amount: Any) -> None:
        """Keep bytes that were read, of at most `amount`, or of the whole rest if that is None or negative."""
        whole = not isinstance(amount, int) or amount < 0
        self._keep(data, whole or (amount != 0 and not data))

    @guarded
    def keep_into(self, count: Any, buffer: Any) -> None:
        """Keep bytes that were read into a buffer."""
        self._keep(memoryview(buffer).cast("B")[:count], not count and len(buffer) > 0)

    @guarded
    def keep_lines(self, lines: Any, _given: None) -> None:
        """Keep the lines of the whole rest."""
        self._keep(b"".join(lines), True)

    @guarded
    def keep_piece(self, data: Any) -> None:
        """Keep a piece that an iterator has given."""
        self._keep(data, False)

    def _keep(self, data: Any, last: bool) -> None:
        kept = self._kept
        if kept is not None:
            kept += data
            if len(kept) > self._limit:
                self._kept = None
        self._left -= len(data)
        if last or self._left == 0:
            self.ended()

    @guarded
    def ended(self) -> None:
        """End the call with the response: the body was read to its end."""
        call, kept = self._call, self._kept
        if not call.over:
            self._kept = None
            body = None if kept is None else read_json(kept, call.unread)
            call.finish(with_added(body, self._added))


class _Followed:
    """What is replaced in all bodies. Without `__slots__`, as the classes of bodies: only then can it take their place."""

    if TYPE_CHECKING:
        _genai_reading: Any

    def close(self) -> None:
        reading = self._genai_reading
        reading.closing()
        try:
            super().close()  # type: ignore[misc]
        finally:
            reading.closed()


class _Events(_Followed):
    """What is replaced in a stream of events."""

    def __iter__(self) -> Iterator[Any]:
        events: Iterator[Any] = self._genai_reading.events(super().__iter__())  # type: ignore[misc]
        return events


class _Bytes(_Followed):
    """What is replaced in the bytes of a response. Its other methods that read use these."""

    def read(self, amt: int | None = None) -> Any:
        reading = self._genai_reading
        return reading.run(partial(super().read, amt), reading.keep, amt)  # type: ignore[misc]

    def readlines(self) -> Any:
        reading = self._genai_reading
        return reading.run(super().readlines, reading.keep_lines, None)  # type: ignore[misc]

    def __enter__(self) -> Any:
        raw = super().__enter__()  # type: ignore[misc]
        followed = _followed(raw, self._genai_reading)
        return raw if followed is None else followed

    def __exit__(self, *error: object) -> Any:
        reading = self._genai_reading
        reading.closing()
        try:
            return super().__exit__(*error)  # type: ignore[misc]
        finally:
            reading.closed()


class _IntoBuffers(_Bytes):
    """The same of newer releases, which read into buffers too."""

    def readinto(self, b: Any) -> Any:
        reading = self._genai_reading
        return reading.run(partial(super().readinto, b), reading.keep_into, b)  # type: ignore[misc]


class _Raw(Proxy):
    """The response of the HTTP client, which `with` gives in place of the body."""

    __slots__ = ("_self_reading",)

    _self_methods = frozenset({"__iter__", "close", "read", "stream"})

    def __init__(self, source: Any, reading: _BytesReading) -> None:
        super().__init__(source)
        self._self_reading = reading

    def read(self, amt: Any = None, *args: Any, **kwargs: Any) -> Any:
        reading = self._self_reading
        return reading.run(partial(self._self_source.read, amt, *args, **kwargs), reading.keep, amt)

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._self_reading.pieces(self._self_source.stream(*args, **kwargs))

    def __iter__(self) -> Any:
        return self._self_reading.pieces(iter(self._self_source))

    def close(self) -> None:
        reading = self._self_reading
        reading.closing()
        try:
            self._self_source.close()
        finally:
            reading.closed()


@guarded
def _followed(raw: Any, reading: _BytesReading) -> _Raw:
    return _Raw(raw, reading)
