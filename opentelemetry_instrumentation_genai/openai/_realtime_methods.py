"""The methods of the SDK's connections, as they are patched: each lets the session look at what passes, and else changes nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.context import get_current

from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._realtime_session import Response, Session

# The SDK's connection -> what is known of it. It is kept here, and not on the connection, which is the application's.
_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()
# Whether an event is being sent: what the SDK makes of it may pass through a second method of the connection.
_sending: ContextVar[bool] = ContextVar("opentelemetry_instrumentation_genai.sending", default=False)
_LOOKED_AT = ("response.create", "conversation.item.create")


def follow(connection: Any, session: Session) -> None:
    """Let a session look at what passes on a connection, as long as the connection is there."""
    _sessions[connection] = session


def event_of(args: Any, kwargs: Any) -> Any:
    """Return the event that a method sends: the first argument, whatever a version of the SDK calls it."""
    return args[0] if args else next(iter(kwargs.values()), None)


@guarded
def _sent(session: Session, args: Any, kwargs: Any) -> Response | None:
    """Return the response that an event creates, which has started; None if it creates none."""
    event = event_of(args, kwargs)
    if isinstance(event, (str, bytes)):
        text = event if isinstance(event, str) else event.decode("utf-8", "replace")
        if not any(kind in text for kind in _LOOKED_AT):
            return None
        with suppress(ValueError, RecursionError):
            return session.sends(json.loads(text), get_current())
        return None
    return session.sends(event, get_current())


@guarded
def _session(connection: Any) -> Session | None:
    """Return the session of a connection that is followed."""
    return _sessions.get(connection)


def _send(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None:
        return wrapped(*args, **kwargs)
    response = None
    try:
        _sending.set(True)
        response = _sent(session, args, kwargs)
        return wrapped(*args, **kwargs)
    except BaseException as error:
        if response is not None:
            session.not_sent(response, error)
        raise
    finally:
        _sending.set(False)  # no token is reset: what was left in one context may be closed in another


async def _async_send(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None:
        return await wrapped(*args, **kwargs)
    response = None
    try:
        _sending.set(True)
        response = _sent(session, args, kwargs)
        return await wrapped(*args, **kwargs)
    except BaseException as error:
        if response is not None:
            session.not_sent(response, error)
        raise
    finally:
        _sending.set(False)


def _send_raw(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    if _sending.get():
        return wrapped(*args, **kwargs)
    return _send(wrapped, connection, args, kwargs)


async def _async_send_raw(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    if _sending.get():
        return await wrapped(*args, **kwargs)
    return await _async_send(wrapped, connection, args, kwargs)


def _receive(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None:
        return wrapped(*args, **kwargs)
    try:
        session.parsing = True
        event = wrapped(*args, **kwargs)
    except BaseException as error:
        session.raised(error)
        raise
    finally:
        session.parsing = False
    session.received(event)
    return event


async def _async_receive(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None:
        return await wrapped(*args, **kwargs)
    try:
        session.parsing = True
        event = await wrapped(*args, **kwargs)
    except BaseException as error:
        session.raised(error)
        raise
    finally:
        session.parsing = False
    session.received(event)
    return event


def _receive_bytes(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None or session.parsing:
        return wrapped(*args, **kwargs)
    try:
        message = wrapped(*args, **kwargs)
    except BaseException as error:
        session.raised(error)
        raise
    session.received_bytes(message)
    return message


async def _async_receive_bytes(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None or session.parsing:
        return await wrapped(*args, **kwargs)
    try:
        message = await wrapped(*args, **kwargs)
    except BaseException as error:
        session.raised(error)
        raise
    session.received_bytes(message)
    return message


def _close(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None:
        return wrapped(*args, **kwargs)
    try:
        return wrapped(*args, **kwargs)
    finally:
        session.closed()


async def _async_close(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    session = _session(connection)
    if session is None:
        return await wrapped(*args, **kwargs)
    try:
        return await wrapped(*args, **kwargs)
    finally:
        session.closed()


METHODS: Mapping[str, Callable[..., Any]] = {
    "send": _send,
    "send_raw": _send_raw,
    "recv": _receive,
    "recv_bytes": _receive_bytes,
    "close": _close,
}
"""Method of a connection -> its wrapper."""
ASYNC_METHODS: Mapping[str, Callable[..., Any]] = {
    "send": _async_send,
    "send_raw": _async_send_raw,
    "recv": _async_receive,
    "recv_bytes": _async_receive_bytes,
    "close": _async_close,
}
"""The same of asynchronous connections."""
