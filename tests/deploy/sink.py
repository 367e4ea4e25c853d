"""A backend that keeps every byte that a Collector sends it, by OTLP over HTTP and gRPC, and by Prometheus' remote write."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from typing_extensions import Self


class Sink:
    """Takes what comes, from `with` to its end.

    Attributes:
        url: where it takes HTTP, at any path.
        address: host and port of gRPC.
        status: what it answers over HTTP; anything but 200 is a backend that takes nothing.
    """

    def __init__(self) -> None:
        self.status = 200
        self._lock = threading.Lock()
        self._bodies: list[tuple[str, bytes]] = []
        self._headers: dict[str, dict[str, str]] = {}
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.take(self.path, _plain(body, self.headers.get("content-encoding", "")), dict(self.headers))
                self.send_response(sink.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._grpc = grpc.server(ThreadPoolExecutor(4), handlers=[_Anything(self)])
        port = self._grpc.add_insecure_port("127.0.0.1:0")
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._grpc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)
        self._grpc.stop(None).wait(10)

    def take(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Keep what came at a path."""
        with self._lock:
            self._bodies.append((path, body))
            self._headers[path] = {name.lower(): value for name, value in (headers or {}).items()}

    def headers(self, path: str) -> dict[str, str]:
        """Return the headers of the last request at a path, by their names in small letters."""
        with self._lock:
            return dict(self._headers[path])

    @property
    def bodies(self) -> list[tuple[str, bytes]]:
        """Path and uncompressed body of each request, in order."""
        with self._lock:
            return list(self._bodies)

    @property
    def paths(self) -> Counter[str]:
        """How many requests came at each path."""
        return Counter(path for path, _ in self.bodies)

    def raw(self) -> bytes:
        """Everything that came."""
        return b"\n".join(body for _, body in self.bodies)


class _Anything(grpc.GenericRpcHandler):
    """Takes each method, whatever it is called."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        path = str(handler_call_details.method)

        def take(body: bytes, _: grpc.ServicerContext) -> bytes:
            self._sink.take(path, body)
            return b""

        return grpc.unary_unary_rpc_method_handler(take)


def _plain(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "snappy":
        return unsnapped(body)
    assert not encoding, encoding
    return body


def unsnapped(body: bytes) -> bytes:
    """Return what a block of Snappy holds, as its format description has it."""
    size, at = _varint(body, 0)
    plain = bytearray()
    while at < len(body):
        tag = body[at]
        at += 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:
                more = length - 59
                length = int.from_bytes(body[at : at + more], "little")
                at += more
            plain += body[at : at + length + 1]
            at += length + 1
            continue
        if tag & 3 == 1:
            length, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | body[at]
            at += 1
        else:
            width = 2 if tag & 3 == 2 else 4
            length, offset = (tag >> 2) + 1, int.from_bytes(body[at : at + width], "little")
            at += width
        for _ in range(length):
            plain.append(plain[-offset])
    assert len(plain) == size
    return bytes(plain)


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (body[at] & 127) << shift
        at += 1
        if body[at - 1] < 128:
            return value, at
        shift += 7


def texts(raw: bytes, words: list[str]) -> Iterator[str]:
    """Yield the words that are in bytes, whatever their case."""
    lowered = raw.lower()
    yield from (word for word in words if word.lower().encode() in lowered)
