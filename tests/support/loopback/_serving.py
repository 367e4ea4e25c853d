"""An ASGI application on a free port of 127.0.0.1, served over real HTTP/1.1 by a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"


class Serving:
    """Serves from construction until ``close()``; the port accepts connections as soon as the constructor returns."""

    def __init__(self, application: Application) -> None:
        """Binds a free port and waits until the server runs."""
        # asyncio switches Nagle's algorithm off only where the protocol is given; with it, every answer takes 40 ms.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind((HOST, 0))
        self.port: int = listening.getsockname()[1]
        self._application = application
        self._failure: BaseException | None = None
        self._server = uvicorn.Server(_configured(self._serve))
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name=f"loopback:{self.port}", daemon=True
        )
        self._thread.start()
        self._wait_until_started()

    @property
    def url(self) -> str:
        """Where it is reached, without a path."""
        return f"http://{HOST}:{self.port}"

    def raise_failure(self) -> None:
        """Raises what the application failed with since the last time, which its clients see as status 500 only."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Ends the thread; open connections are dropped, not waited for."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=10)

    async def _serve(self, asgi: Message, receive: Receive, send: Send) -> None:
        """One request; a client that leaves before it has sent the whole of it is no failure."""
        try:
            await self._application(asgi, receive, send)
        except ClientDisconnect:
            pass
        except Exception as error:
            self._failure = error
            raise

    def _wait_until_started(self) -> None:
        """Raises TimeoutError after 10 s rather than let a test hang."""
        deadline = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no server on port {self.port}")
            time.sleep(0.002)


def _configured(application: Application) -> uvicorn.Config:
    """Plain HTTP/1.1 and nothing else."""
    return uvicorn.Config(
        application,
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        loop="asyncio",
        log_config=None,
        # A body that is cut on purpose is an error to uvicorn, and would stand in the log of every test.
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        date_header=False,
        # Long enough that no idle connection of a slow test's client is closed under it.
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
    )
