"""Reading a body from its bytes as they pass, for someone who reads lines or bytes and never has the SDK parse them."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LARGEST = 32 << 20  # a JSON body beyond this is not kept
_GZIP = zlib.MAX_WBITS | 32  # gzip or zlib, as its header says


class Wire:
    """The decoder of one body.

    Args:
        headers: of the HTTP response. A content encoding that zlib does not know leaves the body unread.
    """

    __slots__ = ("_body", "_data", "_decode", "_rest", "_streamed")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._decode = decoder((headers.get("content-encoding") or "identity").strip().lower())
        self._streamed = "event-stream" in (headers.get("content-type") or "")
        self._body = bytearray()
        self._rest: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take bytes as they came. Yields the server-sent events that they complete, as JSON values."""
        try:
            decoded = self._decode(data)
        except zlib.error:  # the reader's own decoder says so
            self._decode = _nothing
            return
        if self._streamed:
            yield from self._events(decoded)
        elif len(self._body) <= _LARGEST:
            self._body += decoded

    def body(self) -> Any:
        """The whole body as JSON values, None where it is none."""
        if self._streamed or len(self._body) > _LARGEST:
            return None
        return parsed(bytes(self._body))

    def _events(self, decoded: bytes) -> Iterator[Any]:
        self._rest.append(decoded)
        if b"\n" not in decoded:
            return
        *lines, rest = b"".join(self._rest).split(b"\n")
        self._rest = [rest]
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            if name == b"data":
                self._data.append(value)
            elif line in (b"", b"\r") and self._data:
                event = parsed(b"\n".join(self._data))
                self._data.clear()
                if event is not None and not _keeps_alive(event):
                    yield event


def _keeps_alive(event: Any) -> bool:
    """Anthropic's `ping`, which tells nothing, and which the SDK gives to nobody."""
    return type(event) is dict and event.get("type") == "ping"


def parsed(body: bytes) -> Any:
    """JSON values of `body`, None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def decoder(encoding: str) -> Callable[[bytes], bytes]:
    """What undoes a content encoding, piece by piece; of one that is not known, it makes nothing."""
    if encoding in ("gzip", "x-gzip"):
        return _inflating(_GZIP)
    if encoding == "deflate":
        return _Deflate()
    return bytes if encoding == "identity" else _nothing


def _nothing(_data: bytes) -> bytes:
    return b""


def _inflating(window: int) -> Callable[[bytes], bytes]:
    return zlib.decompressobj(window).decompress


class _Deflate:
    """A deflate body has a zlib header, by the standard, or has none, by some servers: the first bytes tell."""

    def __init__(self) -> None:
        self._decode: Callable[[bytes], bytes] | None = None

    def __call__(self, data: bytes) -> bytes:
        if self._decode is not None:
            return self._decode(data)
        self._decode = _inflating(_GZIP)
        try:
            return self._decode(data)
        except zlib.error:
            self._decode = _inflating(-zlib.MAX_WBITS)
            return self._decode(data)
