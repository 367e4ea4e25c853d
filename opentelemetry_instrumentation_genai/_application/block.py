"""Blocks of code with settings or attributes for the calls made in them, carried by OpenTelemetry's context."""

from __future__ import annotations

import functools
import inspect
import sys
from abc import abstractmethod
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import suppress
from contextvars import ContextVar
from types import FunctionType, GeneratorType, MethodType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import wrapt
from opentelemetry import context as otel_context

from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextvars import Token
    from types import CodeType, TracebackType

    from opentelemetry.context.context import Context

_F = TypeVar("_F", bound="Callable[..., object]")
_G = TypeVar("_G", bound=Any)

# The blocks entered and not yet left in this context: an object may be entered in several tasks and threads at a time.
_entered: ContextVar[tuple[tuple[Block, Token[Context] | None], ...]] = ContextVar(
    "opentelemetry_instrumentation_genai.entered", default=()
)


def entered() -> list[Block]:
    """Return the blocks that are entered in this context, the innermost first."""
    return [block for block, _ in reversed(_entered.get())]


class Block:
    """A change of OpenTelemetry's context in a block of code.

    It is a context manager, `with` or `async with`, around code with `await` in it as well, and a decorator of functions,
    coroutine functions and generators, and of functions that return a coroutine or a generator. Tasks inherit it, and so do
    threads that OpenTelemetry's context is passed to. One object may be used again and again, nested and side by side.
    """

    over: bool = False
    """Whether it has ended although it may not have been left: nothing waits for it any more."""

    @abstractmethod
    def _within(self, outer: Context) -> Context:
        """Return the context of the block.

        Args:
            outer: the context around it.
        """

    def of_call(self, _function: Callable[..., object], _args: Any, _kwargs: Any) -> Block:
        """Return the block of one call of a decorated function: this one, unless each call needs one of its own."""
        return self

    def finished(self, _value: object) -> None:
        """Take what a decorated function has returned."""

    def postponed(self) -> None:
        """Go on after the block is left: a decorated function has returned a coroutine or a generator that runs in the block."""

    def closing(self) -> None:
        """Take that a decorated generator is being closed: by the application, or by the garbage collector."""

    def step_ended(self, _error: BaseException | None) -> None:
        """Take what a step of a decorated generator has raised; None after it was closed."""

    def __enter__(self) -> object:
        token = otel_context.attach(_context_of(self))
        _entered.set((*(entry for entry in _entered.get() if not entry[0].over), (self, token)))
        return self

    def __exit__(self, *_error: object) -> None:
        entered = _entered.get()
        for place in reversed(range(len(entered))):
            block, token = entered[place]
            if block is self:
                # Blocks that were entered later and are still open, as in generators that take turns, restore nothing themselves.
                _entered.set((*entered[:place], *((later, None) for later, _ in entered[place + 1 :])))
                if token is not None:
                    otel_context.detach(token)
                return

    async def __aenter__(self) -> object:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)

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


def _context_of(block: Block) -> Context:
    """Return the context of a block that starts here; where that fails, the context around it."""
    outer = otel_context.get_current()
    return _within_outer(block, outer) or outer


@guarded
def _within_outer(block: Block, outer: Context) -> Context:
    return block._within(outer)


def _around_call(block: Block, function: Callable[..., object]) -> Callable[..., object]:
    def wrapped(*args: object, **kwargs: object) -> object:
        one = block.of_call(function, args, kwargs)
        with one:
            made = function(*args, **kwargs)
            held = _held(one, made)
            if held is made:
                one.finished(made)
            else:
                one.postponed()
        return held

    return wrapped


def _around_coroutine(
    block: Block, function: Callable[..., Coroutine[Any, Any, object]]
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

    Frameworks inspect what kind of function they are given, and it is one; wrong arguments are refused where it is called, as ever.
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
        return super().__get__(instance, owner)  # a decorator below has a way of its own

    # As a function is pickled and copied.

    def __reduce_ex__(self, _protocol: object) -> str:
        name: str = self.__qualname__
        return name

    def __copy__(self) -> _GeneratorFunction:
        return self

    def __deepcopy__(self, _memo: object) -> _GeneratorFunction:
        return self


def _around_generator(
    block: Block, function: Callable[..., object], steps: Callable[[Any, Block], object]
) -> Callable[..., object]:
    """Return a generator function around one: `steps` makes the generator around that of a call."""
    sure = _is_sure(function)

    def wrapper(wrapped: Any, _instance: object, args: Any, kwargs: Any) -> object:
        if not sure:
            return _around_call(block, wrapped)(*args, **kwargs)
        source = wrapped(*args, **kwargs)
        return _named_as(source, steps(source, block.of_call(wrapped, args, kwargs)))

    made: Callable[..., object] = _GeneratorFunction(function, wrapper)
    return made


def _is_sure(function: Any) -> bool:
    """Return whether a call only makes a generator: a decorator below may look like a generator function, and do and return anything."""
    kind = type(function)
    if kind is functools.partial:
        return _is_sure(function.func)
    if kind is MethodType:
        return _is_sure(function.__func__)
    return kind is FunctionType or (kind is _GeneratorFunction and _is_sure(function.__wrapped__))


def _steps(source: Generator[object, Any, object], block: Block) -> Generator[object, object, object]:
    return (yield from Steps(source, block))


async def _async_steps(source: AsyncGenerator[object, Any], block: Block) -> AsyncGenerator[object, object]:
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
    """Return a generator by the name of the one that it is around."""
    made.__name__, made.__qualname__ = source.__name__, source.__qualname__
    return made


def _held(block: Block, made: Any) -> object:
    """Return what a function returned; a coroutine or generator is wrapped, so that it runs in the block.

    Functions that are not coroutine functions may return coroutines: decorators that retry, for one. A task already has the
    context that it was created in. Any other awaitable is returned as it is, since its callers may need its own type.
    """
    kind = type(made)  # of the type alone, since `isinstance` would make a lazy object evaluate
    if issubclass(kind, Coroutine) or (kind is GeneratorType and _is_awaitable(made.gi_code)):
        return _Coroutine(made, block)
    if issubclass(kind, Generator):
        return Steps(made, block)
    return AsyncSteps(made, block) if issubclass(kind, AsyncGenerator) else made


def _is_awaitable(code: CodeType | None) -> bool:
    """Return whether the code is that of a generator that `types.coroutine` has made awaitable."""
    return code is not None and bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)


class _Coroutine(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """A coroutine that runs in the block. Before it starts, `close` and `throw` go to the original coroutine."""

    def __init__(self, source: Awaitable[object], block: Block) -> None:
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


async def _within(block: Block, source: Awaitable[object]) -> object:
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
            self._begun = self._steps._self_base = _context_of(self._steps._self_block)
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
        if (
            error is not None and not self._steps._self_is_running()
        ):  # else it is in another step, and has refused this one
            self._steps._self_block.step_ended(error)


class Steps(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """A generator that runs each of its steps in the block: between the steps its consumer runs, outside the block."""

    _self_may_be_collected = True
    """Whether the garbage collector may close it: with a generator that yields from it."""

    def __init__(self, source: Generator[object, Any, object], block: Block) -> None:
        super().__init__(source)
        self._self_block = block
        self._self_own: Context | None = None
        self._self_base: Context | None = None

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
    """Whether the garbage collector closes a generator around this one, since no event loop does."""

    def __init__(self, source: AsyncGenerator[object, Any], block: Block) -> None:
        super().__init__(source)
        self._self_block = block
        self._self_own: Context | None = None
        self._self_base: Context | None = None

    def _self_is_running(self) -> bool:
        """Return whether a step of the generator goes on: here only if another task has begun it."""
        return bool(getattr(self.__wrapped__, "ag_running", False))

    def __aiter__(self) -> AsyncSteps:
        return self

    async def __anext__(self) -> object:
        return await self.asend(None)

    async def first(self) -> object:
        """Run the first step without the hooks of the event loop: it tracks and closes the generator around this one alone."""
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
