"""Blocks of code that say something of the calls made in them, carried by OpenTelemetry's context."""

from __future__ import annotations

import functools
import inspect
from abc import abstractmethod
from collections.abc import AsyncGenerator, Generator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import context as otel_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from opentelemetry.context.context import Context

_F = TypeVar("_F", bound="Callable[..., Any]")

# What was entered and not left here: an object may be entered in several tasks and threads at a time.
_entered: ContextVar[tuple[tuple[Block, Token[Context]], ...]] = ContextVar(
    "opentelemetry_instrumentation_genai.entered", default=()
)


class Block:
    """What holds in a block of code.

    As a context manager, `with` or `async with`, around code with `await` in it as well, and as a decorator of functions,
    coroutine functions and generators. It is carried into tasks, and into threads where OpenTelemetry's context is. One object
    may be used again and again, nested and side by side.
    """

    @abstractmethod
    def _within(self, outer: Context) -> Context:
        """The context of the block.

        Args:
            outer: the context around it.
        """

    def __enter__(self) -> None:
        token = otel_context.attach(self._within(otel_context.get_current()))
        _entered.set((*_entered.get(), (self, token)))

    def __exit__(self, *_error: object) -> None:
        entered = _entered.get()
        for place in reversed(range(len(entered))):
            block, token = entered[place]
            if block is self:
                _entered.set(entered[:place])
                otel_context.detach(token)
                return

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)

    def __call__(self, function: _F) -> _F:
        """Have it hold in each call of `function`."""
        wrapped: _F = functools.wraps(function)(self._around(function))  # type: ignore[assignment] # a function like it
        return wrapped

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):
            return _around_coroutine(self, function)
        if inspect.isgeneratorfunction(function):
            return lambda *args, **kwargs: _Steps(function(*args, **kwargs), self)
        if inspect.isasyncgenfunction(function):
            return lambda *args, **kwargs: _AsyncSteps(function(*args, **kwargs), self)
        return _around_call(self, function)


def _around_call(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with block:
            return function(*args, **kwargs)

    return wrapped


def _around_coroutine(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        with block:
            return await function(*args, **kwargs)

    return wrapped


class _Steps(Generator[Any, Any, Any]):
    """A generator, whose steps each run in the block: between them its consumer runs, who has not asked for it."""

    def __init__(self, source: Generator[Any, Any, Any], block: Block) -> None:
        self._source = source
        self._block = block

    def send(self, value: Any) -> Any:
        with self._block:
            return self._source.send(value)

    def throw(self, *error: Any) -> Any:
        with self._block:
            return self._source.throw(*error)

    def close(self) -> None:
        with self._block:
            self._source.close()


class _AsyncSteps(AsyncGenerator[Any, Any]):
    """The asynchronous twin."""

    def __init__(self, source: AsyncGenerator[Any, Any], block: Block) -> None:
        self._source = source
        self._block = block

    async def asend(self, value: Any) -> Any:
        with self._block:
            return await self._source.asend(value)

    async def athrow(self, *error: Any) -> Any:
        with self._block:
            return await self._source.athrow(*error)

    async def aclose(self) -> None:
        with self._block:
            await self._source.aclose()
