"""Blocks that decorate functions: each call runs in the block, and so do the coroutines and generators that it returns."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import suppress
from types import FunctionType, GeneratorType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import wrapt

from .context_block import ContextBlock
from .steps import AsyncSteps, BlockCoroutine, Steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_F = TypeVar("_F", bound="Callable[..., object]")
_G = TypeVar("_G", bound=Any)


class Block(ContextBlock):
    """A block that is a decorator as well.

    It decorates functions, coroutine functions and generators, and functions that return a coroutine or a generator.
    """

    def __call__(self, function: _F) -> _F:
        """Return `function` so that each of its calls runs in the block."""
        if isinstance(function, (staticmethod, classmethod)):
            return cast("_F", type(function)(self(function.__func__)))
        return cast("_F", self._around(function))

    def _around(self, function: Callable[..., object]) -> Callable[..., object]:
        if inspect.iscoroutinefunction(function):
            return functools.wraps(function)(_around_coroutine(self, function))
        if inspect.isasyncgenfunction(function):
            return _around_generator(self, function, _async_steps)
        code = getattr(getattr(function, "func", function), "__code__", None)  # of a partial, that of its function
        if inspect.isgeneratorfunction(function) and not _is_awaitable(code):
            return _around_generator(self, function, _steps)
        return functools.wraps(function)(_around_call(self, function))


def _around_call(block: ContextBlock, function: Callable[..., object]) -> Callable[..., object]:
    def wrapped(*args: object, **kwargs: object) -> object:
        one = block.of_call(function, args, kwargs)
        with one:
            made = function(*args, **kwargs)
            held = _in_block(one, made)
            if held is made:
                one.finished(made)
            else:
                one.postponed()
        return held

    return wrapped


def _around_coroutine(
    block: ContextBlock, function: Callable[..., Coroutine[Any, Any, object]]
) -> Callable[..., Coroutine[Any, Any, object]]:
    async def wrapped(*args: object, **kwargs: object) -> object:
        one = block.of_call(function, args, kwargs)
        with one:
            returned = await function(*args, **kwargs)
            one.finished(returned)
        return returned

    return wrapped


class _GeneratorFunction(wrapt.FunctionWrapper):  # type: ignore[type-arg] # wrapt 1 has no types
    """A generator function of which each call runs in the block.

    It looks like a generator function to frameworks that inspect what they are given, and wrong arguments raise at the call.
    """

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind as the function does: a method of it is pickled, copied and referred to weakly as any method is."""
        function: Any = self.__wrapped__
        bind = getattr(type(function), "__get__", None)
        bound = function if bind is None else bind(function, instance, owner)
        if bound is function:
            return self
        if type(bound) is MethodType and bound.__func__ is function:
            return MethodType(self, bound.__self__)
        return super().__get__(instance, owner)  # an inner decorator binds in its own way

    # As a function is pickled and copied.

    def __reduce_ex__(self, _protocol: object) -> str:
        name: str = self.__qualname__
        return name

    def __copy__(self) -> _GeneratorFunction:
        return self

    def __deepcopy__(self, _memo: object) -> _GeneratorFunction:
        return self


def _around_generator(
    block: ContextBlock, function: Callable[..., object], steps: Callable[[Any, ContextBlock], object]
) -> Callable[..., object]:
    """Wrap a generator function; `steps(generator, block)` wraps each generator that it makes."""
    only_makes = _only_makes_generator(function)

    def wrapper(wrapped: Any, _instance: object, args: Any, kwargs: Any) -> object:
        if not only_makes:
            return _around_call(block, wrapped)(*args, **kwargs)
        source = wrapped(*args, **kwargs)
        return _named_as(source, steps(source, block.of_call(wrapped, args, kwargs)))

    made: Callable[..., object] = _GeneratorFunction(function, wrapper)
    return made


def _only_makes_generator(function: Any) -> bool:
    """Return whether a call only makes a generator: a decorator below may look like a generator function, and do and return anything."""
    kind = type(function)
    if kind is functools.partial:
        return _only_makes_generator(function.func)
    if kind is MethodType:
        return _only_makes_generator(function.__func__)
    return kind is FunctionType or (kind is _GeneratorFunction and _only_makes_generator(function.__wrapped__))


def _steps(source: Generator[object, Any, object], block: ContextBlock) -> Generator[object, object, object]:
    return (yield from Steps(source, block))


async def _async_steps(source: AsyncGenerator[object, Any], block: ContextBlock) -> AsyncGenerator[object, object]:
    steps = AsyncSteps(source, block)
    with suppress(StopAsyncIteration):
        step = await steps.first()
        while True:
            try:
                sent = yield step
            except GeneratorExit:
                await steps.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever is thrown is passed on to the generator
                step = await steps.athrow(error)
            else:
                step = await steps.asend(sent)


def _named_as(source: Any, made: _G) -> _G:
    """Give `made` the names of `source`, and return it."""
    made.__name__, made.__qualname__ = source.__name__, source.__qualname__
    return made


def _in_block(block: ContextBlock, made: Any) -> object:
    """Return what a function returned; a coroutine or generator is wrapped, so that it runs in the block.

    Functions that are not coroutine functions may return coroutines: decorators that retry, for one. A task already has the
    context that it was created in. Any other awaitable is returned as it is, since its callers may need its own type.
    """
    kind = type(made)  # of the type alone, since `isinstance` would make a lazy object evaluate
    if issubclass(kind, Coroutine) or (kind is GeneratorType and _is_awaitable(made.gi_code)):
        return BlockCoroutine(made, block)
    if issubclass(kind, Generator):
        return Steps(made, block)
    return AsyncSteps(made, block) if issubclass(kind, AsyncGenerator) else made


def _is_awaitable(code: CodeType | None) -> bool:
    """Return whether the code is that of a generator that `types.coroutine` has made awaitable."""
    return code is not None and bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
