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
        self._decode = _decoder(headers.get("content-encoding") or "identity")
        self._streamed = "event-stream" in (headers.get("content-type") or "")
        self._body = bytearray()
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take bytes as they came. Yields the server-sent events that they complete, as JSON values."""
        decoded = self._decode(data)
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
        *lines, self._rest = (self._rest + decoded).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            if name == b"data":
                self._data.append(value)
            elif not name and self._data:
                event = parsed(b"\n".join(self._data))
                self._data.clear()
                if event is not None:
                    yield event


def parsed(body: bytes) -> Any:
    """JSON values of `body`, None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _decoder(encoding: str) -> Callable[[bytes], bytes]:
    if encoding in ("gzip", "deflate"):
        inflate = zlib.decompressobj(_GZIP).decompress
        return lambda data: inflate(data)
    return bytes if encoding == "identity" else lambda _data: b""
