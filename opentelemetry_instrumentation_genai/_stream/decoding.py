"""Reading a body from its bytes as they pass, for applications that read lines or bytes and never have the SDK parse them.

The memory for that is bounded, whatever a server sends: a body or an event that is larger is dropped, and its memory freed.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from .._adapter.json_text import LARGEST, parsed, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    Decoder = Callable[[bytes], Iterator[bytes]]

_GZIP = zlib.MAX_WBITS | 32  # gzip or zlib, by its header
_SLICE = 1 << 18  # bytes that are looked at at once: gzip makes a thousand bytes of one
_BINARY = ("audio/", "image/", "video/")  # of which nothing is read, and nothing kept
_OF_A_LINE = 64  # bytes that Python takes for a line besides what is in it


class Wire:
    """The decoder of one body.

    Args:
        headers: of the HTTP response. A content encoding that zlib does not know leaves the body unread.
        unread: names of members of a JSON object that nothing reads.
        text: whether a body that is no JSON object is a text.
        lines: whether each line of the body is a JSON value.

    Attributes:
        given_up: whether the body, or an event of it, was too large to be read. Nothing more is read then.
    """

    __slots__ = (
        "_data",
        "_decode",
        "_kept",
        "_limit",
        "_lines",
        "_of_data",
        "_rest",
        "_size",
        "_streamed",
        "_text",
        "_unread",
        "given_up",
    )

    def __init__(
        self, headers: Mapping[str, str], unread: Collection[str] = (), *, text: bool = False, lines: bool = False
    ) -> None:
        self.given_up = False
        self._decode = decoder((headers.get("content-encoding") or "identity").strip().lower())
        kind = headers.get("content-type") or ""
        if kind.startswith(_BINARY) and not lines:
            self._decode = _nothing
        self._lines = lines
        self._streamed = lines or "event-stream" in kind
        self._unread = unread
        self._text = text
        self._limit = 4 * LARGEST if unread else LARGEST  # what nothing reads is not parsed
        self._kept = bytearray()  # of a body that is no stream of events
        self._rest: list[bytes] = []  # of a line that has not ended
        self._data: list[bytes] = []  # of an event that has not ended
        self._of_data = 0  # how much that takes
        self._size = 0  # how much the two take

    def feed(self, data: bytes) -> Iterator[Any]:
        """Add bytes as received. Yield the server-sent events or the lines that they complete, as JSON values."""
        try:
            for decoded in self._decode(data):
                if self.given_up:
                    return
                if self._streamed:
                    yield from self._events(decoded)
                else:
                    self._keep(decoded)
        except zlib.error:  # the reader's own decoder raises it
            self._decode = _nothing

    def last(self) -> Any:
        """Return the last line of a body that has ended, as JSON values; None if it is complete already, or the body has no lines."""
        return parsed(b"".join(self._rest)) if self._lines and self._rest else None

    def body(self) -> Any:
        """Return the whole body as JSON values, or as a text; None if it is a stream or neither."""
        return None if self._streamed or self.given_up else read_body(self._kept, self._unread, text=self._text)

    def _keep(self, decoded: bytes) -> None:
        if self._fits(len(self._kept) + len(decoded)):
            self._kept += decoded

    def _fits(self, size: int) -> bool:
        """Return whether so many bytes can be kept; if not, free the bytes that are kept."""
        if size > self._limit and not self.given_up:
            self.given_up = True
            self._decode = _nothing
            self._kept = bytearray()
            self._rest, self._data = [], []
        return not self.given_up

    def _events(self, decoded: bytes) -> Iterator[Any]:
        self._size += len(decoded)
        if not self._fits(self._size):
            return
        self._rest.append(decoded)
        if b"\n" not in decoded:
            return
        *lines, rest = b"".join(self._rest).split(b"\n")
        self._rest = [rest]
        self._size = len(rest) + self._of_data
        if self._lines:
            yield from (value for value in map(parsed, filter(None, map(bytes.strip, lines))) if value is not None)
            return
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            if name == b"data":
                self._data.append(value)
                self._of_data += len(value) + _OF_A_LINE
                self._size += len(value) + _OF_A_LINE
            elif line in (b"", b"\r") and self._data:
                event = parsed(b"\n".join(self._data))
                self._data.clear()
                self._size -= self._of_data
                self._of_data = 0
                if event is not None and not _keeps_alive(event):
                    yield event


def _keeps_alive(event: Any) -> bool:
    """Return whether an event is Anthropic's `ping`, which has no content, and which the SDK never passes on."""
    return type(event) is dict and event.get("type") == "ping"


def decoder(encoding: str) -> Decoder:
    """Return a decoder of a content encoding, which yields pieces of a bounded size; for an unknown encoding, it yields none."""
    if encoding in ("gzip", "x-gzip"):
        return _Inflating(_GZIP)
    if encoding == "deflate":
        return _Deflate()
    return _identity if encoding == "identity" else _nothing


def _identity(data: bytes) -> Iterator[bytes]:
    return (data[start : start + _SLICE] for start in range(0, len(data), _SLICE))


def _nothing(_data: bytes) -> Iterator[bytes]:
    yield from ()


class _Inflating:
    """Decompresses, in slices, what has a header of the format that `window` selects."""

    __slots__ = ("_inflate",)

    def __init__(self, window: int) -> None:
        self._inflate = zlib.decompressobj(window)

    def __call__(self, data: bytes) -> Iterator[bytes]:
        inflate = self._inflate
        size = _SLICE
        while size == _SLICE:  # as long as that is full, there may be more
            decoded = inflate.decompress(data, _SLICE)
            data, size = inflate.unconsumed_tail, len(decoded)
            if decoded:
                yield decoded


class _Deflate:
    """Decompresses a deflate body with a zlib header, as the standard has it, or without one, as some servers send it."""

    __slots__ = ("_decode",)

    def __init__(self) -> None:
        self._decode: Decoder | None = None

    def __call__(self, data: bytes) -> Iterator[bytes]:
        if self._decode is None:
            self._decode = _Inflating(_GZIP)
            try:
                zlib.decompressobj(_GZIP).decompress(data, 1)
            except zlib.error:
                self._decode = _Inflating(-zlib.MAX_WBITS)
        return self._decode(data)
