"""Blocks of code with settings or attributes for the calls made in them, carried by OpenTelemetry's context."""

from __future__ import annotations

from abc import abstractmethod
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from opentelemetry.context.context import Context

# The blocks that are open in the current `contextvars` context, each with its token. They are kept here and not on the block, since
# one block may be open in several tasks and threads at once.
_entered: ContextVar[tuple[tuple[ContextBlock, Token[Context] | None], ...]] = ContextVar(
    "opentelemetry_instrumentation_genai.entered", default=()
)


def entered() -> list[ContextBlock]:
    """Return the blocks that are entered in this context, the innermost first."""
    return [block for block, _ in reversed(_entered.get())]


class ContextBlock:
    """A change of OpenTelemetry's context in a block of code.

    It is used by `with` or `async with`; both work around code that awaits. Tasks inherit it, and so do threads
    that OpenTelemetry's context is passed to. One object may be used again and again, nested and side by side.
    """

    over: bool = False
    """Whether the block has ended, maybe without `__exit__`, as in a generator that was dropped. Such a block is no longer among the open
    ones when the next one is entered."""

    @abstractmethod
    def _within(self, outer: Context) -> Context:
        """Return the context of the block.

        Args:
            outer: the context around it.
        """

    def of_call(self, _function: Callable[..., object], _args: Any, _kwargs: Any) -> ContextBlock:
        """Return the block for one call of a decorated function: this block, unless a subclass makes one for each call."""
        return self

    def finished(self, _value: object) -> None:
        """Called with what a decorated function has returned."""

    def postponed(self) -> None:
        """Called in place of `finished` if a decorated function has returned a coroutine or a generator, whose body is still to run."""

    def closing(self) -> None:
        """Called when a decorated generator is being closed, by the application, or by the garbage collector."""

    def step_ended(self, _error: BaseException | None) -> None:
        """Called with the exception that a step of a decorated generator has raised; with None after the generator was closed."""

    def __enter__(self) -> object:
        token = otel_context.attach(context_of(self))
        _entered.set((*(entry for entry in _entered.get() if not entry[0].over), (self, token)))
        return self

    def __exit__(self, *_error: object) -> None:
        entries = _entered.get()
        for place in reversed(range(len(entries))):
            block, token = entries[place]
            if block is self:
                # Blocks that were entered later may still be open, as in generators that take turns. Without their tokens they do not
                # restore the context of this block when they are left.
                _entered.set((*entries[:place], *((later, None) for later, _ in entries[place + 1 :])))
                if token is not None:
                    otel_context.detach(token)
                return

    async def __aenter__(self) -> object:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)


def context_of(block: ContextBlock) -> Context:
    """Return the context of a block that starts here; the context around it if computing that fails."""
    outer = otel_context.get_current()
    return _within_outer(block, outer) or outer


@guarded
def _within_outer(block: ContextBlock, outer: Context) -> Context:
    return block._within(outer)
