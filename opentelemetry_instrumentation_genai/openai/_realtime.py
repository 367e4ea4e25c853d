"""Follows the websockets of the SDK: `realtime.connect` and `responses.connect`, those of `client.beta` as well.

A connection is followed from the moment it is opened. What the application sends and receives passes through methods of the
connection's class, which are patched: nothing is read ahead, and what the SDK has parsed is not parsed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from opentelemetry.context import get_current

from .._adapter.fields import string
from .._adapter.openai_api.realtime import REALTIME
from .._adapter.openai_api.realtime_transcription import REALTIME_TRANSCRIPTION
from .._adapter.openai_api.responses import RESPONSES
from .._patching.http_exchange import secrets_in
from .._runtime.guard import guarded
from ._realtime_conversation import ConversationSession
from ._realtime_methods import ASYNC_METHODS, METHODS, event_of, follow
from ._realtime_responses import ResponsesSession
from ._realtime_session import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._adapter.endpoint import Endpoint
    from .._patching.funnel import Funnel
    from ._realtime_session import Session

    Target = tuple[str, Callable[..., object]]


class _Api(NamedTuple):
    """What has connections.

    Attributes:
        name: of the resource's class, with which the names of the other classes begin.
        session: the class of its sessions.
        endpoint: of the responses on them.
    """

    name: str
    session: type[Session]
    endpoint: Endpoint


# The modules of the SDK that have connections.
_APIS = {
    f"openai.resources.{path}.{path.rpartition('.')[2]}": _Api(name, session, endpoint.called_by(path, name, "connect"))
    for path, name, session, endpoint in (
        ("realtime", "Realtime", ConversationSession, REALTIME),
        ("beta.realtime", "Realtime", ConversationSession, REALTIME),
        ("responses", "Responses", ResponsesSession, RESPONSES),
        ("beta.responses", "Responses", ResponsesSession, RESPONSES),
    )
}
# The SDK's manager of a connection -> the events that it sends as soon as that is open.
_queued: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()


class Connections:
    """Follows the connections of one module of the SDK.

    Args:
        module: the module.
        funnel: makes the calls.
    """

    def __init__(self, module: str, funnel: Funnel) -> None:
        self._api = api = _APIS[module]
        self._funnel = funnel
        endpoints = {("get", api.name): api.endpoint, ("get", "transcription"): REALTIME_TRANSCRIPTION}
        self._endpoint, self._transcription = funnel.signals.endpoints(endpoints).values()

    def targets(self) -> Iterable[Target]:
        """Return the (`Class.method`, wrapper) rows of the module."""
        name = self._api.name
        manager, connection = f"{name}ConnectionManager", f"{name}Connection"
        return (
            (f"{manager}.__enter__", self._enter),
            (f"{manager}.enter", self._enter),
            (f"{manager}.send", self._queue),
            (f"Async{manager}.__aenter__", self._async_enter),
            (f"Async{manager}.enter", self._async_enter),
            (f"Async{manager}.send", self._queue),
            *((f"{connection}.{method}", wrapper) for method, wrapper in METHODS.items()),
            *((f"Async{connection}.{method}", wrapper) for method, wrapper in ASYNC_METHODS.items()),
        )

    def _enter(self, wrapped: Any, manager: Any, args: Any, kwargs: Any) -> Any:
        connection = wrapped(*args, **kwargs)
        try:
            self._opened(manager, connection)
        except BaseException:  # an interrupt: nobody else can close it
            connection.close()
            raise
        return connection

    async def _async_enter(self, wrapped: Any, manager: Any, args: Any, kwargs: Any) -> Any:
        connection = await wrapped(*args, **kwargs)
        try:
            self._opened(manager, connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    def _queue(self, wrapped: Any, manager: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        self._keep(manager, args, kwargs)
        return result

    @guarded
    def _keep(self, manager: Any, args: Any, kwargs: Any) -> None:
        """Keep an event that is sent when the connection is open."""
        if self._funnel.active:
            _queued.setdefault(manager, []).append(event_of(args, kwargs))

    @guarded
    def _opened(self, manager: Any, connection: Any) -> None:
        """Follow a connection, unless another instrumentation records what happens on it."""
        queued = _queued.pop(manager, ())
        client = _given(manager, "client")
        if not self._funnel.active or client is None:
            return
        url = getattr(client, "websocket_base_url", None)
        server = self._funnel.server_beside(client, self._api.endpoint, url)
        if server is None:
            return
        secrets = secrets_in(None, getattr(client, "api_key", None))
        model, context = string(_given(manager, "model")), get_current()
        opened = Opened(self._funnel, self._endpoint, self._transcription, server, model, secrets, context)
        session = self._api.session(opened)
        follow(connection, session)
        for event in queued:
            session.sends(event, context)


def _given(manager: Any, name: str) -> Any:
    """Return what a manager was given: the SDK keeps it in attributes that have the name of the class in theirs."""
    held = vars(manager)
    mangled = (f"_{kind.__name__}__{name}" for kind in type(manager).__mro__)
    return next((held[key] for key in mangled if key in held), None)
