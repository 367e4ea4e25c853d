"""A server of websockets on a free port of 127.0.0.1: each connection is scripted, and what clients send is kept."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from loopback._serving import HOST

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's side of one connection.

    ``path`` is that of the handshake, ``sent`` what the client has sent so far.
    """

    def __init__(self, connection: Any, sent: list[dict[str, Any]]) -> None:
        """Nothing is received yet."""
        self._connection = connection
        self.path: str = connection.request.path
        self.sent = sent
        self._count = 0

    async def send(self, *events: dict[str, Any]) -> None:
        """Sends events, each with an id of its own."""
        for event in events:
            self._count += 1
            await self._connection.send(json.dumps({"event_id": f"event_{self._count}", **event}).encode(), text=True)

    async def send_text(self, text: str) -> None:
        """Sends what may be no event."""
        await self._connection.send(text)

    async def expect(self, kind: str) -> dict[str, Any]:
        """Receives until an event of a type comes, and returns that."""
        while True:
            event: dict[str, Any] = json.loads(await self._connection.recv())
            self.sent.append(event)
            if event["type"] == kind:
                return event

    async def close(self, code: int = 1000) -> None:
        """Closes the connection."""
        await self._connection.close(code)

    async def cut(self) -> None:
        """Drops the connection without a word, as a network does."""
        self._connection.transport.abort()

    async def wait(self) -> None:
        """Waits until the client has closed the connection, and keeps what it sends."""
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                self.sent.append(json.loads(await self._connection.recv()))
        except ConnectionClosed:
            pass


class WebsocketServer:
    """Serves from construction until ``close()``. The n-th connection follows the n-th script, all later ones the last."""

    def __init__(self) -> None:
        """Starts the thread, and waits until the port accepts connections."""
        self._scripts: list[Script] = []
        self._opened = 0
        self._failure: BaseException | None = None
        self.sent: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.port = 0
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="loopback:websockets", daemon=True)
        self._thread.start()
        assert started.wait(10), "no server of websockets"

    @property
    def url(self) -> str:
        """Where it is reached by HTTP, without a path."""
        return f"http://{HOST}:{self.port}"

    def script(self, *scripts: Script) -> None:
        """What the next connections do."""
        self._scripts, self._opened = list(scripts), 0
        self.sent, self.paths, self.headers = [], [], []

    def raise_failure(self) -> None:
        """Raises what a script failed with, unless the client has left."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)
        self._loop.close()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))

    async def _serve(self, started: threading.Event) -> None:
        from websockets.asyncio.server import serve

        async with serve(self._connected, HOST, 0, compression=None, close_timeout=1) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            started.set()
            await self._stop.wait()

    async def _connected(self, connection: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        script = self._scripts[min(self._opened, len(self._scripts) - 1)]
        self._opened += 1
        self.paths.append(connection.request.path)
        self.headers.append(dict(connection.request.headers.raw_items()))
        try:
            await script(Peer(connection, self.sent))
        except ConnectionClosed:
            pass
        except BaseException as failure:
            self._failure = failure
            raise
