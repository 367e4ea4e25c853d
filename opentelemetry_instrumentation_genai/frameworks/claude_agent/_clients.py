"""The clients of the SDK, `ClaudeSDKClient`: a turn goes on from a prompt to its result, whoever reads the messages between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..._application.block import Block
from ..._runtime.guard import guarded
from ..._signals.application import used_by
from ._connections import Connection
from ._messages import followed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from opentelemetry.context.context import Context

_MODULE = "claude_agent_sdk.client"


class Reading(Block):
    """One reading of the messages of a client. Where the application leaves it, the turn goes on: it may read on.

    Args:
        connection: of the client.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _within(self, outer: Context) -> Context:
        return outer

    def step_ended(self, error: BaseException | None) -> None:
        """End the turn with an exception of the SDK, or with the messages of the program."""
        if error is None or isinstance(error, GeneratorExit):
            return
        if isinstance(error, StopAsyncIteration):
            self._connection.end()
        elif isinstance(error, Exception):
            self._connection.end(error)
        else:  # the task is cancelled
            self._connection.interrupted(error)


class Clients:
    """Follows the clients.

    Args:
        owner: the instrumentor; its settings count.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner
        self._connections: WeakKeyDictionary[Any, Connection] = WeakKeyDictionary()

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the (module, `Class.method`, wrapper) rows."""
        return (
            (_MODULE, "ClaudeSDKClient.connect", self._connect),
            (_MODULE, "ClaudeSDKClient.query", self._query),
            (_MODULE, "ClaudeSDKClient.receive_messages", self._receive),
            (_MODULE, "ClaudeSDKClient.disconnect", self._disconnect),
        )

    async def _connect(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        connection = self._begun(client, args, kwargs)
        connected = await _sent(connection, wrapped, args, kwargs)
        self._keep(client, connection)
        return connected

    async def _query(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        return await _sent(self._prompted(client, args, kwargs), wrapped, args, kwargs)

    def _receive(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        source = wrapped(*args, **kwargs)
        return self._followed(source, client) or source

    async def _disconnect(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        try:
            return await wrapped(*args, **kwargs)
        finally:
            self._disconnected(client)

    @guarded
    def _begun(self, client: Any, args: Any, kwargs: Any) -> Connection | None:
        """Return a new connection, in which a turn has begun if it has a prompt; None where it is not followed."""
        prompt = _prompt(args, kwargs)
        if used_by(self._owner) is None:
            return None
        connection = Connection(self._owner, client.options)
        if prompt is not None:
            connection.prompt(prompt)
        return connection

    @guarded
    def _keep(self, client: Any, connection: Connection | None) -> None:
        """Keep a connection once it is there: the SDK disconnects by itself where that fails."""
        if connection is not None:
            self._connections[client] = connection

    @guarded
    def _prompted(self, client: Any, args: Any, kwargs: Any) -> Connection | None:
        """Begin a turn. Return its connection; None where none has begun."""
        connection = self._connection_of(client)
        return connection if connection is not None and connection.prompt(_prompt(args, kwargs)) else None

    @guarded
    def _followed(self, source: Any, client: Any) -> AsyncGenerator[Any, Any] | None:
        connection = self._connection_of(client)
        return None if connection is None else followed(source, Reading(connection), connection)

    @guarded
    def _disconnected(self, client: Any) -> None:
        connection = self._connections.pop(client, None)
        if connection is not None:
            connection.end()

    def _connection_of(self, client: Any) -> Connection | None:
        """Return the connection of a client, which may have been there before the instrumentor; None where it is not followed."""
        if used_by(self._owner) is None:
            return None
        return self._connections.setdefault(client, Connection(self._owner, client.options))


async def _sent(connection: Connection | None, wrapped: Any, args: Any, kwargs: Any) -> Any:
    """Return what a method of the SDK returns that sends a prompt. What it raises ends the turn that the prompt has begun."""
    try:
        return await wrapped(*args, **kwargs)
    except BaseException as error:
        if connection is not None:
            connection.end(error)
        raise


def _prompt(args: Any, kwargs: Any) -> Any:
    """Return the prompt that a method is given, in first place."""
    return args[0] if args else kwargs.get("prompt")
