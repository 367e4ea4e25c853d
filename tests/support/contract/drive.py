"""Sync and async from one text: a variant is written once, and driven without an event loop or in one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Way:
    """Sync or async: how a coroutine of `contract.variants` is run to its end."""

    name: str
    run: Callable[[Coroutine[Any, Any, Any]], Any]


def _without_a_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """A coroutine that only calls synchronous code never waits: it is over after one step, with no event loop around."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a synchronous call waited for something")


class Loop:
    """One event loop for many asynchronous calls, so that a client can keep its connections from test to test."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of the coroutine; its task has a context of its own, as every task has."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(coroutine)

    def close(self) -> None:
        """Ends what is left in the loop; the next call gets a new one."""
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._loop = None


LOOP = Loop()
SYNC = Way("sync", _without_a_loop)
ASYNC = Way("async", LOOP)
WAYS = (SYNC, ASYNC)


async def settled(value: Any) -> Any:
    """The value, awaited if it has to be."""
    return await value if inspect.isawaitable(value) else value


async def listed(source: Any) -> list[Any]:
    """Everything that an iterator of either kind gives."""
    return [item async for item in source] if hasattr(source, "__aiter__") else list(source)


class Opened:
    """`with` and `async with` as one."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._asynchronous = hasattr(manager, "__aenter__")

    async def __aenter__(self) -> Any:
        return await self._manager.__aenter__() if self._asynchronous else self._manager.__enter__()

    async def __aexit__(self, *raised: object) -> Any:
        return await self._manager.__aexit__(*raised) if self._asynchronous else self._manager.__exit__(*raised)
