"""The queries of the SDK, by `query()`: each has a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._application.block import Block
from ..._runtime.guard import guarded
from ..._signals.application import used_by
from ._connections import Connection
from ._messages import followed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from opentelemetry.context.context import Context


class Query(Block):
    """One query, which begins with the first step of its generator and ends with the last.

    Args:
        connection: its own.
        prompt: as the application gives it.
    """

    def __init__(self, connection: Connection, prompt: object) -> None:
        self._connection = connection
        self._prompt = prompt
        self._begun = False

    def _within(self, outer: Context) -> Context:
        if not self._begun:
            self._begun = True
            self._connection.prompt(self._prompt)
            self._prompt = None
        return self._connection.within(outer)

    def step_ended(self, error: BaseException | None) -> None:
        """End the turn that goes on."""
        self._connection.end(None if isinstance(error, (StopAsyncIteration, GeneratorExit)) else error)


class Queries:
    """Follows the queries. The method below `query()` is patched, since applications import the function itself.

    Args:
        owner: the instrumentor; its settings count.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the (module, `Class.method`, wrapper) rows."""
        return (("claude_agent_sdk._internal.client", "InternalClient.process_query", self._query),)

    def _query(self, wrapped: Any, _client: Any, args: Any, kwargs: Any) -> Any:
        source = wrapped(*args, **kwargs)
        return self._followed(source, args, kwargs) or source

    @guarded
    def _followed(self, source: Any, args: Any, kwargs: Any) -> AsyncGenerator[Any, Any] | None:
        """Return the messages of a query that is followed; None where it is not."""
        if used_by(self._owner) is None:
            return None
        given = {**dict(zip(("prompt", "options"), args, strict=False)), **kwargs}
        connection = Connection(self._owner, given.get("options"))
        return followed(source, Query(connection, given.get("prompt")), connection)
