"""The servers of the command, on loopback only: one of pages and OTLP over HTTP, one of OTLP over gRPC."""

from __future__ import annotations

import logging
import secrets
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from .local import HOST
from .pages import pages
from .queries import Queries
from .receiver import over_grpc, over_http

if TYPE_CHECKING:
    import grpc
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .store import Store


class PortInUseError(Exception):
    """A port that was asked for is in use; the message is one sentence for a user."""


class Port(NamedTuple):
    """A port to listen on.

    Attributes:
        purpose: what listens there, for messages.
        number: of the port; 0 for a free one.
        option: by which a user asks for another.
        is_demanded: whether a user asked for this one: then no other will do.
    """

    purpose: str
    number: int
    option: str
    is_demanded: bool

    @property
    def in_use(self) -> str:
        """The sentence that says that it cannot be used."""
        return f"Port {self.number} is in use: {self.purpose} cannot listen there."


class Ports(NamedTuple):
    """The three ports."""

    page: Port
    http: Port
    grpc: Port


class Serving:
    """Listens from construction on, and answers while it runs.

    Attributes:
        page, http, grpc: the ports that it listens on.
        notes: a sentence for each port that is not the one that was wanted.
        token: that a request to the page has to have; another one each time.
    """

    def __init__(self, store: Store, ports: Ports) -> None:
        """Open all ports.

        Raises:
            PortInUseError: one that was demanded is in use.
        """
        self.notes: list[str] = []
        self.token: str = secrets.token_urlsafe(32)
        self._queries = Queries(store.path)
        self._sockets: list[socket.socket] = []
        try:
            self.page: int = self._listen(ports.page)
            self.http: int = self._listen(ports.http)
            self._grpc, port = self._listen_grpc(store, ports.grpc)
            self.grpc: int = port
        except PortInUseError:
            self._close()
            raise
        shown = pages(store, self._queries, self.environment, self.token)
        self._server = uvicorn.Server(_configured(_by_port({self.page: shown, self.http: over_http(store)})))

    @property
    def url(self) -> str:
        """Of the page, with its token."""
        return f"http://{HOST}:{self.page}/?token={self.token}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which an application exports to here."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{self.http}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
        }

    def run(self) -> None:
        """Answer until `stop`, or until a signal that uvicorn handles."""
        self._grpc.start()
        try:
            self._server.run(sockets=self._sockets)
        finally:
            self._grpc.stop(grace=1).wait(timeout=3)
            self._close()

    def stop(self) -> None:
        """Let `run` return; from any thread, or a signal."""
        self._server.should_exit = True

    def _close(self) -> None:
        for listening in self._sockets:
            listening.close()
        self._queries.close()

    def _listen(self, port: Port) -> int:
        try:
            listening = _bound(port.number)
        except OSError as error:
            if port.is_demanded:
                raise _in_use(port) from error
            listening = _bound(0)
            self._note(port, listening.getsockname()[1])
        self._sockets.append(listening)
        return int(listening.getsockname()[1])

    def _listen_grpc(self, store: Store, port: Port) -> tuple[grpc.Server, int]:
        try:
            # First without gRPC: its library writes a line of its own about a port in use.
            _bound(port.number).close()
            return over_grpc(store, port.number)
        except OSError as error:
            if port.is_demanded:
                raise _in_use(port) from error
        server, found = over_grpc(store, 0)
        self._note(port, found)
        return server, found

    def _note(self, port: Port, found: int) -> None:
        self.notes.append(f"Port {port.number} is in use: {port.purpose} listens on {found} instead.")


def _in_use(port: Port) -> PortInUseError:
    return PortInUseError(f"{port.in_use} Choose another with {port.option}, or 0 for any that is free.")


def _bound(number: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is given.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # where it would take the port of another program
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, number))
        listening.listen(128)
    except (OSError, OverflowError):
        listening.close()
        raise
    return listening


def _by_port(applications: dict[int, ASGIApp]) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await applications[scope["server"][1]](scope, receive, send)

    return answer


def _configured(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        loop="asyncio",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
