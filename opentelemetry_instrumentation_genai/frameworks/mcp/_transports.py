"""The connections of client sessions: over which transport, and to which server.

A session gets two streams, and not what is at their other end. So the functions of the SDK that open a transport are followed. An
application may have imported them before: they keep the generator function that they are made of, and that is replaced there.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import wrapt

from ..._adapter.fields import string
from ..._patching.patch import layers
from ..._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CellType

    Target = tuple[str, Callable[..., object]]

_HTTP = "mcp.client.streamable_http"
# Module -> its functions that open a transport, and the `network.protocol.name` of that; None for a pipe.
_OPENING = {
    "mcp.client.stdio": (("stdio_client",), None),
    "mcp.client.sse": (("sse_client",), "http"),
    _HTTP: (("streamable_http_client", "streamablehttp_client"), "http"),
    "mcp.client.websocket": (("websocket_client",), "websocket"),
}
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of a session to its server.

    Attributes:
        transport: `network.transport`.
        protocol: `network.protocol.name`; None if there is none.
        host: of the server; empty for a process of this machine.
        port: of the server; 0 for a process.
    """

    transport: str
    protocol: str | None
    host: str = ""
    port: int = 0


class Transports:
    """The transports that are open."""

    def __init__(self) -> None:
        self._active = True
        self._open: WeakKeyDictionary[Any, Connection] = WeakKeyDictionary()
        # The SDK's transports of streamable HTTP, by the streams that they write to.
        self._http: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._replaced: list[tuple[CellType, Any, Any]] = []

    def targets(self, module: str) -> Iterable[Target]:
        """Follow the functions of a module, and return the (`Class.method`, wrapper) rows of what is patched in it."""
        functions, protocol = _OPENING[module]
        for name in functions:
            self._follow(vars(sys.modules[module]).get(name), protocol)
        return (("StreamableHTTPTransport.post_writer", self._post),) if module == _HTTP else ()

    def stop(self) -> None:
        """Follow no more of them, and restore the functions."""
        self._active = False
        for cell, ours, original in self._replaced:
            if cell.cell_contents is ours:
                cell.cell_contents = original
        self._replaced.clear()

    def of(self, stream: Any) -> Connection | None:
        """Return the connection that a stream of the client writes to; None if it is not known."""
        return None if stream is None else self._open.get(_inner(stream))

    def session_id(self, stream: Any) -> str | None:
        """Return the id that the server has given the session of a stream; None if it has none."""
        transport = None if stream is None else self._http.get(_inner(stream))
        return string(getattr(transport, "session_id", None))

    @guarded
    def _follow(self, function: Any, protocol: str | None) -> None:
        """Replace the generator function in one that `asynccontextmanager` has made, also below the wrappers of others."""
        for layer in layers(function):
            made_of = getattr(layer, "__wrapped__", None)
            for cell in getattr(layer, "__closure__", None) or ():
                if made_of is not None and cell.cell_contents is made_of:
                    ours = wrapt.FunctionWrapper(made_of, partial(self._opened, protocol))
                    cell.cell_contents = ours
                    self._replaced.append((cell, ours, made_of))
                    return

    def _opened(self, protocol: str | None, wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        source = wrapped(*args, **kwargs)
        return (self._noting(source, protocol, args, kwargs) if self._active else None) or source

    @guarded
    def _noting(self, source: Any, protocol: str | None, args: Any, kwargs: Any) -> Any:
        url = None if protocol is None else args[0] if args else kwargs["url"]
        return _Opening(source, partial(self._note, _connection(protocol, url)))

    @guarded
    def _note(self, connection: Connection, streams: Any) -> None:
        """Keep the connection of the streams that a transport gives."""
        self._open[_inner(streams[1])] = connection

    def _post(self, wrapped: Any, transport: Any, args: Any, kwargs: Any) -> Any:
        self._find(transport, (*args, *kwargs.values()))
        return wrapped(*args, **kwargs)

    @guarded
    def _find(self, transport: Any, given: Iterable[Any]) -> None:
        """Keep the SDK's transport by its streams, which are among what its method is given."""
        self._http.update({_inner(one): transport for one in given if hasattr(one, "send") and hasattr(one, "clone")})


def _connection(protocol: str | None, url: object) -> Connection:
    if protocol is None:
        return Connection("pipe", None)
    parts = urlsplit(str(url))
    return Connection("tcp", protocol, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))


def _inner(stream: Any) -> Any:
    """Return what mcp 2 has put its own streams around, which take no weak reference."""
    return getattr(stream, "_inner", stream)


class _Opening(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """The generator of a transport, of which the first step gives the streams.

    Args:
        source: the SDK's generator.
        observe: is called with the streams.
    """

    def __init__(self, source: Any, observe: Callable[[Any], object]) -> None:
        super().__init__(source)
        self._self_observe: Callable[[Any], object] | None = observe

    def __aiter__(self) -> _Opening:
        return self

    async def __anext__(self) -> Any:
        observe, self._self_observe = self._self_observe, None
        step = await self.__wrapped__.__anext__()
        if observe is not None:
            observe(step)
        return step
