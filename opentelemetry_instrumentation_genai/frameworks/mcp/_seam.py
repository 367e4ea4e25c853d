"""The seam of the `mcp` SDK: the methods by which a client session sends its requests, nearly all of them by `send_request`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import wrapt

from ..._runtime.guard import guarded
from ..._signals.application import used_by
from ._endpoints import REQUEST
from ._native import NativeTracing
from ._requests import McpRequest, described
from ._sessions import Sessions
from ._transports import Transports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..._patching.other_instrumentations import Others
    from ..._patching.patch import Patches
    from ..._patching.propagation import Propagation

_CLIENT = "mcp.client.session"
_BASE = "mcp.shared.session"
_DISCOVER: Mapping[str, Any] = {"method": "server/discover"}


class Mcp:
    """The seam.

    Args:
        owner: the instrumentor; its settings count.
        others: the other instrumentations of the SDK, which record some of its requests.
        propagation: the servers that receive the context of the trace; None if none does.

    Attributes:
        active: whether requests are followed.
        transports: the transports that are open.
    """

    def __init__(self, owner: object, others: Others, propagation: Propagation | None) -> None:
        self.active = True
        self.transports = Transports()
        self._owner = owner
        self._others = others
        self._propagation = propagation
        self._sessions = Sessions(self.transports)
        self._native = NativeTracing(propagation)
        self._client: type = sys.modules[_CLIENT].ClientSession

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the (module, `Class.method`, wrapper) rows of what is patched. In mcp 1 the methods are those of the base class of client and server sessions."""
        defines_send = "send_request" in vars(self._client)
        module, kind = (_CLIENT, "ClientSession") if defines_send else (_BASE, "BaseSession")
        rows = (("send_request", self._send), ("__aenter__", self._enter), ("__aexit__", self._leave))
        found = [(module, f"{kind}.{name}", wrapper) for name, wrapper in rows]
        if hasattr(self._client, "send_discover"):  # it sends by itself, and not by `send_request`
            found.append((_CLIENT, "ClientSession.send_discover", self._discover))
        return found

    def start(self, _patches: Patches) -> None:
        """Replace the SDK's own tracing."""
        self._native.start()

    def stop(self) -> None:
        """Follow no more requests."""
        self.active = False
        self._native.stop()
        self.transports.stop()

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    async def _send(self, wrapped: Any, session: Any, args: Any, kwargs: Any) -> Any:
        request = self._begin(session, args, kwargs)
        if request is None:
            return await wrapped(*args, **kwargs)
        with request:
            args, kwargs = self._with_context(request, args, kwargs) or (args, kwargs)
            result = await wrapped(*args, **kwargs)
            request.answered(result)
        return result

    async def _discover(self, wrapped: Any, session: Any, args: Any, kwargs: Any) -> Any:
        request = self._begin(session, None, None)
        if request is None:
            return await wrapped(*args, **kwargs)
        with request:
            result = await wrapped(*args, **kwargs)
            request.answered(result)
        return result

    # Nothing of ours runs between the SDK's `__aenter__` and the application: an interrupt in our code there would leave a session that
    # nobody closes.
    async def _enter(self, wrapped: Any, session: Any, args: Any, kwargs: Any) -> Any:
        self._entering(session)
        return await wrapped(*args, **kwargs)

    async def _leave(self, wrapped: Any, session: Any, args: Any, kwargs: Any) -> Any:
        try:
            return await wrapped(*args, **kwargs)
        except BaseException as raised:
            self._left(session, args, kwargs, raised)
            raise
        finally:
            self._left(session, args, kwargs, None)  # does nothing the second time

    @guarded
    def _entering(self, session: Any) -> None:
        if self.active and isinstance(session, self._client):
            self._sessions.entering(session)

    @guarded
    def _left(self, session: Any, args: Any, kwargs: Any, raised: BaseException | None) -> None:
        """Record the session, the first time."""
        error = next((one for one in (*args, *kwargs.values()) if isinstance(one, BaseException)), raised)
        self._sessions.left(session, used_by(self._owner) if self.active else None, error)

    @guarded
    def _begin(self, session: Any, args: Any, kwargs: Any) -> McpRequest | None:
        """Return the operation of a request; None where it is not followed.

        Args:
            session: that sends it.
            args: of `send_request`; None for `server/discover`.
            kwargs: likewise.
        """
        used = used_by(self._owner)
        if (
            not self.active
            or used is None
            or not isinstance(session, self._client)
            or self._others.report(session, REQUEST)
        ):
            return None
        given = {**_DISCOVER} if args is None else described(args[0] if args else kwargs["request"])
        if args is not None and hasattr(session, "_request_id"):  # mcp 1 will use this value of its counter as the id
            given["request_id"] = str(session._request_id)
        return McpRequest(session, self._sessions, given, used, self._propagates(session))

    def _propagates(self, session: Any) -> bool:
        """Return whether the server of a session receives the context of the trace.

        One that was started as a process, and so has no protocol of a network, counts as localhost.
        """
        connection = None if self._propagation is None else self._sessions.connection(session)
        if connection is None or self._propagation is None:
            return False
        host = "localhost" if connection.protocol is None else connection.host
        return self._propagation.reaches(host, connection.port)

    @guarded
    def _with_context(self, request: McpRequest, args: Any, kwargs: Any) -> tuple[Any, Any] | None:
        """Return the arguments with a request that carries the context of the trace; mcp 2 writes that by itself."""
        if not request.propagates or self._propagation is None or request.context is None or self._native.writes:
            return None
        carried = self._propagation.carrier(request.context)
        if args:
            return (_Carrying(args[0], carried), *args[1:]), kwargs
        return args, {**kwargs, "request": _Carrying(kwargs["request"], carried)}


class _Carrying(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """Proxy of a request that adds the context of the trace to what is sent; the request itself is unchanged."""

    def __init__(self, request: Any, carried: Mapping[str, str]) -> None:
        super().__init__(request)
        self._self_carried = carried

    def model_dump(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is sent. A context that the application has written into `_meta` stays."""
        sent = self.__wrapped__.model_dump(*args, **kwargs)
        return self._self_with(sent) or sent

    @guarded
    def _self_with(self, sent: Any) -> Any:
        params = sent.get("params") or {}
        meta = params.get("_meta") or {}
        if "traceparent" in meta:
            return sent
        return {**sent, "params": {**params, "_meta": {**self._self_carried, **meta}}}
