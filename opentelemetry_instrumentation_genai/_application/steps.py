"""Coroutines and generators that run in a block: a generator step by step, since its consumer runs outside the block."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry import context as otel_context

from .context_block import context_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator
    from types import TracebackType

    from opentelemetry.context.context import Context

    from .context_block import ContextBlock


class BlockCoroutine(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """A coroutine that runs in the block. Before it starts, `close` and `throw` go to the original coroutine."""

    def __init__(self, source: Awaitable[object], block: ContextBlock) -> None:
        super().__init__(source)
        self._self_block = block
        self._self_running: Coroutine[Any, object, object] | None = None

    def _self_run(self) -> Coroutine[Any, object, object]:
        if self._self_running is None:
            self._self_running = _within(self._self_block, self.__wrapped__)
        return self._self_running

    def __await__(self) -> Generator[object, None, object]:
        return self._self_run().__await__()

    def send(self, value: object) -> object:
        return self._self_run().send(value)

    def throw(self, *error: Any) -> object:
        return (self._self_running or self.__wrapped__).throw(*error)

    def close(self) -> None:
        (self._self_running or self.__wrapped__).close()


async def _within(block: ContextBlock, source: Awaitable[object]) -> object:
    with block:
        returned = await source
        block.finished(returned)
    return returned


class _Step:
    """Runs one step of a generator in the block.

    What the generator itself makes current, such as a span around its `yield`, is current again in its next step.
    """

    def __init__(self, steps: Steps | AsyncSteps) -> None:
        self._steps = steps

    def __enter__(self) -> None:
        own = self._steps._self_own
        if own is None:
            self._begun = self._steps._self_base = context_of(self._steps._self_block)
        else:
            self._begun = own
        self._token = otel_context.attach(self._begun)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        ended = otel_context.get_current()
        if ended is not self._begun:
            self._steps._self_own = None if ended is self._steps._self_base else ended
        otel_context.detach(self._token)
        # If it still runs, this step was refused ("already executing"), and the generator itself has raised nothing.
        if error is not None and not self._steps._self_is_running():
            self._steps._self_block.step_ended(error)


class Steps(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """A generator that runs each of its steps in the block: between the steps its consumer runs, outside the block."""

    _self_may_be_collected = True
    """Whether `close` may come from the garbage collector, with a generator that yields from this one."""

    def __init__(self, source: Generator[object, Any, object], block: ContextBlock) -> None:
        super().__init__(source)
        self._self_block = block
        self._self_own: Context | None = None  # what the generator itself has made current
        self._self_base: Context | None = None  # the context of the block

    def _self_is_running(self) -> bool:
        """Return whether a step of the generator goes on: here only if another thread has begun it, or the step itself asks for one."""
        return bool(getattr(self.__wrapped__, "gi_running", False))

    def __iter__(self) -> Steps:
        return self

    def __next__(self) -> object:
        return self.send(None)

    def send(self, value: object) -> object:
        with _Step(self):
            return self.__wrapped__.send(value)

    def throw(self, *error: object) -> object:
        with _Step(self):
            return self.__wrapped__.throw(*error)

    def close(self) -> None:
        if self._self_may_be_collected:
            self._self_block.closing()
        with _Step(self):
            self.__wrapped__.close()
        self._self_block.step_ended(None)


class AsyncSteps(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """The asynchronous counterpart of `Steps`."""

    _self_may_be_collected = False
    """Whether `aclose` may come from the garbage collector, since no event loop closes the generator around this one."""

    def __init__(self, source: AsyncGenerator[object, Any], block: ContextBlock) -> None:
        super().__init__(source)
        self._self_block = block
        self._self_own: Context | None = None  # what the generator itself has made current
        self._self_base: Context | None = None  # the context of the block

    def _self_is_running(self) -> bool:
        """Return whether a step of the generator goes on: here only if another task has begun it."""
        return bool(getattr(self.__wrapped__, "ag_running", False))

    def __aiter__(self) -> AsyncSteps:
        return self

    async def __anext__(self) -> object:
        return await self.asend(None)

    async def first(self) -> object:
        """Run the first step, hidden from the hooks of the event loop, which is to track the generator around this one alone."""
        hooks = sys.get_asyncgen_hooks()
        self._self_may_be_collected = hooks.finalizer is None
        sys.set_asyncgen_hooks(None, None)
        try:
            step = self.__wrapped__.asend(None)
        finally:
            sys.set_asyncgen_hooks(*hooks)
        with _Step(self):
            return await step

    async def asend(self, value: object) -> object:
        with _Step(self):
            return await self.__wrapped__.asend(value)

    async def athrow(self, *error: object) -> object:
        with _Step(self):
            return await self.__wrapped__.athrow(*error)

    async def aclose(self) -> None:
        if self._self_may_be_collected:
            self._self_block.closing()
        with _Step(self):
            await self.__wrapped__.aclose()
        self._self_block.step_ended(None)
