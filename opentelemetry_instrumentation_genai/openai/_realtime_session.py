"""One connection of the SDK, as its events show it: the responses on it, and the session that they belong to.

A session never refers to the SDK's connection: it goes with that, and with it all responses that have not ended.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._adapter.failure import raised as failure_of, reported_error
from .._call.context import is_skipped
from .._conventions.names import (
    ERROR_TYPE,
    OPENAI_REALTIME_SESSION_ID,
    PROVIDER_NAME,
    REQUEST_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
)
from .._patching.funnel import provider_of
from .._runtime.guard import guarded
from .._runtime.lifetime import finish_later
from .._stream.at_exit import end_at_exit
from .._stream.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.context import Context

    from .._adapter.client_servers import Server
    from .._adapter.endpoint import Endpoint
    from .._adapter.failure import Failure
    from .._adapter.fields import Attribute
    from .._call.call import Call
    from .._patching.funnel import Funnel
    from .._signals.events import Events

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class SessionEvents:
    """Emits the beginning and the end of a session, each once, and errors in between.

    Args:
        events: the writer; None where nothing is recorded.
        attributes: that all of them have.
        context: in which the connection was opened.
    """

    def __init__(self, events: Events | None, attributes: dict[str, Attribute], context: Context) -> None:
        self._events = events
        self._attributes = attributes
        self._context = context
        self.open = False

    @guarded
    def start(self, identity: str | None = None, model: str | None = None) -> None:
        """Emit that it has started.

        Args:
            identity: the provider's id of the session.
            model: that the session has; that of the request counts.
        """
        if self.open or self._events is None:
            return
        self.open = True
        if identity is not None:
            self._attributes = {**self._attributes, OPENAI_REALTIME_SESSION_ID: identity}
        if model is not None:
            self._attributes.setdefault(REQUEST_MODEL, model)
        end_at_exit(self)
        self._events.session_started(self._attributes, self._context)

    @guarded
    def end(self, failure: Failure | None) -> None:
        """Emit that it has ended, by a failure or without one."""
        if self.open and self._events is not None:
            self.open = False
            self._events.session_ended(self._with(failure), self._context)

    @guarded
    def error(self, failure: Failure | None) -> None:
        """Emit an error that the server has reported."""
        if self._events is not None:
            self._events.session_error(self._with(failure), self._context)

    def _with(self, failure: Failure | None) -> dict[str, Attribute]:
        return self._attributes if failure is None else {**self._attributes, ERROR_TYPE: failure.error_type}

    def exit(self) -> None:
        """Emit that it has ended: the process ends, or the connection was dropped."""
        self.end(None)

    def __del__(self) -> None:
        if self.open and not sys.is_finalizing():
            finish_later(self.exit)


class Response(Reading):
    """One response on a connection, from its creation to its last event.

    Args:
        call: that records it.
        request: the event by which the application has created it; empty where the server did.
    """

    __slots__ = ("request",)

    def __init__(self, call: Call, request: Mapping[str, Any]) -> None:
        self.request = request
        super().__init__(call)

    def add(self, event: Any, *, chunk: bool) -> None:
        """Add an event of it, which is a chunk or not."""
        if chunk:
            self._chunks.add(event)
        else:
            self._chunks.note(event)


class Opened(NamedTuple):
    """How a connection was opened.

    Attributes:
        funnel: makes the calls.
        endpoint: of the responses on it, as the funnel's signals have it.
        transcription: of the transcriptions of audio on it, likewise.
        server: that it is to.
        model: that was given for it, if any was.
        secrets: returns the credentials that no message may quote.
        context: in which it was opened.
    """

    funnel: Funnel
    endpoint: Endpoint
    transcription: Endpoint
    server: Server
    model: str | None
    secrets: Callable[[], tuple[str, ...]]
    context: Context

    def begin(
        self, endpoint: Endpoint, body: Mapping[str, Any], context: Context, request: Mapping[str, Any] = _NOTHING
    ) -> Response | None:
        """Start a call on the connection; None where it is not followed.

        Args:
            endpoint: one of those above.
            body: the input, as the endpoint reads it.
            context: that it is made in.
            request: the event by which the application has requested it.
        """
        call = self.funnel.call_beside(self.server, endpoint, body, context)
        if call is None:
            return None
        call.secrets = self.secrets
        try:
            call.start()
            return Response(call, request)
        except BaseException:
            call.settle()
            raise


class Session:
    """One connection: base class of the sessions of each API.

    Args:
        opened: how it was opened.

    Attributes:
        parsing: whether the SDK is about to parse what it receives, so that its bytes are not looked at.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._events = _events_of(opened)
        self._pending: list[Response] = []  # requested, and not yet created
        self._running: dict[Any, Response] = {}
        self._closed = self.parsing = False

    # What the application sends.

    def sends(self, event: Any, context: Context) -> Response | None:
        """Look at an event that the application sends. Return the response that it creates, which has started."""
        raise NotImplementedError

    @guarded
    def not_sent(self, response: Response, error: BaseException) -> None:
        """End a response that was not requested: sending has failed."""
        self._drop(response)
        response.failed_above(error)

    # What it receives.

    def received(self, event: Any) -> object:
        """Process an event that the application receives."""
        raise NotImplementedError

    @guarded
    def received_bytes(self, message: bytes | str) -> None:
        """Process an event that the application receives as bytes."""
        with suppress(ValueError, RecursionError):
            self.received(json.loads(message))

    @guarded
    def raised(self, error: BaseException) -> None:
        """End what is open if the SDK has raised that the connection is closed. The SDK may open another in its place."""
        kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("websockets.")]
        if "ConnectionClosedOK" in kinds:
            self._leave()
        elif "ConnectionClosed" in kinds:
            for response in self._taken():
                response.failed_above(error)
            self._events.end(failure_of(error, self._opened.secrets()))

    @guarded
    def closed(self) -> None:
        """End what is open: the application has closed the connection."""
        self._closed = True
        self._leave()

    def _leave(self) -> None:
        for response in self._taken():
            response.left()
        self._events.end(None)

    # Responses.

    def _begin(self, body: Mapping[str, Any], request: Mapping[str, Any], context: Context) -> Response | None:
        """Start the call of a response.

        Args:
            body: the input, as the endpoint reads it.
            request: the event by which the application creates it; empty where the server does.
            context: that it is created in.
        """
        return None if self._closed else self._opened.begin(self._opened.endpoint, body, context, request)

    def _end(self, response: Response, event: Any, *, chunk: bool) -> None:
        """End a response with its last event."""
        response.add(event, chunk=chunk)
        response.ended()

    def _reported(self, event: Mapping[str, Any]) -> None:
        """Record an error of the server that is of no response."""
        self._events.error(reported_error(event.get("error")))

    def _drop(self, response: Response) -> None:
        with suppress(ValueError):  # another thread was faster
            self._pending.remove(response)

    def _taken(self) -> Iterator[Response]:
        """Yield each response that has not ended, which is no longer kept here."""
        with suppress(IndexError, KeyError):
            while self._pending:
                yield self._pending.pop()
        with suppress(IndexError, KeyError):
            while self._running:
                yield self._running.popitem()[1]


def _events_of(opened: Opened) -> SessionEvents:
    server, context = opened.server, opened.context
    attributes: dict[str, Attribute] = {PROVIDER_NAME: provider_of(server)}
    if opened.model is not None:
        attributes[REQUEST_MODEL] = opened.model
    if server.host and server.port:
        attributes[SERVER_ADDRESS], attributes[SERVER_PORT] = server.host, server.port
    skipped = is_skipped(context, opened.endpoint.kind)
    return SessionEvents(None if skipped else opened.funnel.signals.events, attributes, context)
