"""A model server that sends the replies of a test, over real HTTP/1.1, and keeps the requests."""

from __future__ import annotations

import asyncio
import atexit
import functools
import json
import socket
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from starlette.requests import Request

from loopback._serving import HOST, Message, Receive, Send, Serving
from loopback.replies import Json, Plan, Reply

# Whatever a test gets wrong, no connection is held open for longer.
LONGEST_STALL = 10.0
# A list of prices takes a second to load, and many where coverage is measured on a machine that has other work.
LONGEST_BACKGROUND = 60.0
# Tests release a stall from threads of their own: looking now and then needs no bridge to the server's event loop.
GLANCE = 0.005


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived; ``left`` is set if the client went away before the whole answer was sent.

    ``headers`` has the first of each name, ``lines`` has all of them, in their order.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    lines: tuple[tuple[str, str], ...]
    left: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def members(self) -> dict[str, Any]:
        """The members of the body: of a JSON object, or of a form, as texts and without its files."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            parts: Any = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + self.body).get_payload()
            fields = [part for part in parts if part.get_filename() is None]
            return {str(part.get_param("name", header="content-disposition")): part.get_payload() for part in fields}
        return dict(json.loads(self.body)) if self.body else {}

    @property
    def boundary(self) -> str:
        """What parts a form into its fields, and is another for each request; empty for any other body."""
        return self.headers.get("content-type", "").partition("multipart/form-data; boundary=")[2]


Answer = Reply | Callable[[RecordedRequest], Reply]
"""A reply, or what makes one of the request."""


async def _wait_for_background() -> None:
    """Takes as long as models do: what the first call of a process has made in the background is there when it is answered."""
    until = time.monotonic() + LONGEST_BACKGROUND
    while any(thread.name == "opentelemetry-genai-background" for thread in threading.enumerate()):
        if time.monotonic() > until:
            return
        await asyncio.sleep(GLANCE)


class ModelServer:
    """Replies are queued and used up in order, whatever the path; one that nobody scripted is status 599."""

    def __init__(self) -> None:
        """Serves until ``close()``."""
        self._lock = threading.Lock()
        self._replies: deque[Answer] = deque()
        self._always: Answer | None = None
        self._requests: list[RecordedRequest] = []
        self._released = threading.Event()
        self._serving = Serving(self._answer)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, without the path that an SDK's base URL may need."""
        return self._serving.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._serving.port

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request since the last ``reset()``, in order of arrival, retries included."""
        with self._lock:
            return list(self._requests)

    @property
    def waiting(self) -> int:
        """How many queued replies nobody has asked for yet."""
        with self._lock:
            return len(self._replies)

    def reply(self, *replies: Answer) -> None:
        """Adds replies to the queue."""
        with self._lock:
            self._replies.extend(replies)

    def reply_always(self, reply: Answer) -> None:
        """Answers this, as often as it is asked, whenever the queue is empty."""
        with self._lock:
            self._always = reply

    def release(self) -> None:
        """Lets every stalled or hanging reply go on, those yet to come included, until the next ``reset()``."""
        self._released.set()

    def reset(self) -> None:
        """Forgets replies and requests, and lets what still stalls go on."""
        with self._lock:
            self._released.set()
            self._released = threading.Event()
            self._replies.clear()
            self._always = None
            self._requests.clear()

    def raise_failure(self) -> None:
        """Raises what went wrong in the server itself, a reply that cannot be written among it."""
        self._serving.raise_failure()

    def close(self) -> None:
        """Stops serving."""
        self.reset()
        self._serving.close()

    async def _answer(self, asgi: Message, receive: Receive, send: Send) -> None:
        """One request, from its body to the end of the answer."""
        request = await _recorded(Request(asgi, receive))
        await _wait_for_background()
        reply, released = self._next(request)
        leaving = asyncio.ensure_future(_watch(receive, request))
        try:
            await _Answer(reply.plan(), request, released, leaving, send).run()
        finally:
            leaving.cancel()

    def _next(self, request: RecordedRequest) -> tuple[Reply, threading.Event]:
        """Records the request and takes its reply, in one step, so that both are in the same order."""
        with self._lock:
            self._requests.append(request)
            answer = self._replies.popleft() if self._replies else self._always or _unscripted
            return answer(request) if callable(answer) else answer, self._released


class _Answer:
    """A plan being carried out for one request."""

    def __init__(
        self,
        plan: Plan,
        request: RecordedRequest,
        released: threading.Event,
        leaving: asyncio.Future[None],
        send: Send,
    ) -> None:
        """Sends nothing yet."""
        self._plan = plan
        self._request = request
        self._released = released
        self._leaving = leaving
        self._send = send
        self._packing = zlib.compressobj(wbits=31) if plan.gzip else None

    async def run(self) -> None:
        """Status, pieces, ending. Returning before the end of the body makes uvicorn close the connection."""
        await self._pause(self._plan.wait)
        if self._request.left.is_set():
            return
        await self._begin()
        await self._pieces(0, self._plan.first)
        if self._plan.end == "stall":
            await self._pause(LONGEST_STALL)
            if self._released.is_set():
                await self._pieces(self._plan.first, len(self._plan.pieces))
                await self._finish(self._plan.terminator)
        elif self._plan.end == "early":
            await self._finish(b"")
        elif self._plan.end == "complete":
            await self._finish(self._plan.terminator)

    async def _begin(self) -> None:
        """Status line and headers."""
        headers = {name.lower(): value for name, value in self._plan.headers.items()}
        if self._plan.gzip:
            headers["content-encoding"] = "gzip"
        elif self._has_length:
            headers["content-length"] = str(sum(map(len, self._plan.pieces)))
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": self._plan.status, "headers": raw})

    @property
    def _has_length(self) -> bool:
        """A body that ends early on purpose must not announce its length."""
        return not self._plan.streamed and self._plan.end != "early"

    async def _pieces(self, start: int, stop: int) -> None:
        """Each piece in a write of its own, as long as somebody listens."""
        for piece in self._plan.pieces[start:stop]:
            # Also without a delay: other requests go on meanwhile, and a client that leaves is noticed.
            await asyncio.sleep(self._plan.delay)
            if self._request.left.is_set():
                return
            await self._write(self._packed(piece))

    async def _finish(self, terminator: bytes) -> None:
        """The clean end of the body."""
        rest = self._packed(terminator) if terminator else b""
        if self._packing:
            rest += self._packing.flush()
        if not self._request.left.is_set():
            # From here on, a client that closes its connection has not left early.
            self._leaving.cancel()
            await self._write(rest, more=False)

    def _packed(self, piece: bytes) -> bytes:
        """Flushed after every piece, or the client would see none before the end."""
        if self._packing is None:
            return piece
        return self._packing.compress(piece) + self._packing.flush(zlib.Z_SYNC_FLUSH)

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        """One write to the connection."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _pause(self, seconds: float) -> None:
        """Ends with the client, with the test's ``release()``, or when the time is over."""
        deadline = time.monotonic() + min(seconds, LONGEST_STALL)
        while time.monotonic() < deadline and not (self._request.left.is_set() or self._released.is_set()):
            await asyncio.sleep(GLANCE)


@functools.cache
def closed_port() -> int:
    """A port of 127.0.0.1 that refuses connections for as long as the process lives."""
    # Bound but not listening: nobody else can get it, and connecting is refused.
    bound = socket.socket()
    bound.bind((HOST, 0))
    atexit.register(bound.close)
    port: int = bound.getsockname()[1]
    return port


async def _recorded(request: Request) -> RecordedRequest:
    """The request, with its whole body."""
    query = f"?{request.url.query}" if request.url.query else ""
    lines = tuple(request.headers.items())
    path = request.url.path + query
    return RecordedRequest(request.method, path, dict(request.headers), await request.body(), lines)


async def _watch(receive: Receive, request: RecordedRequest) -> None:
    """Notes when the client goes away: nothing else can arrive once the body was read."""
    await receive()
    request.left.set()


def _unscripted(request: RecordedRequest) -> Reply:
    """Says what is missing, in the form of an error that the SDKs show in their exceptions."""
    missing = f"no reply was scripted for {request.method} {request.path}"
    return Json({"error": {"type": "unscripted", "message": missing}}, status=599)
