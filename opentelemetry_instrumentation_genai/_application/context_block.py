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

# The blocks entered and not yet left in this context: an object may be entered in several tasks and threads at a time.
_entered: ContextVar[tuple[tuple[ContextBlock, Token[Context] | None], ...]] = ContextVar(
    "opentelemetry_instrumentation_genai.entered", default=()
)


def entered() -> list[ContextBlock]:
    """Return the blocks that are entered in this context, the innermost first."""
    return [block for block, _ in reversed(_entered.get())]


class ContextBlock:
    """A change of OpenTelemetry's context in a block of code.

    It is a context manager, `with` or `async with`, around code with `await` in it as well. Tasks inherit it, and so do threads
    that OpenTelemetry's context is passed to. One object may be used again and again, nested and side by side.
    """

    over: bool = False
    """Whether it is finished, even if `__exit__` has not run."""

    @abstractmethod
    def _within(self, outer: Context) -> Context:
        """Return the context of the block.

        Args:
            outer: the context around it.
        """

    def of_call(self, _function: Callable[..., object], _args: Any, _kwargs: Any) -> ContextBlock:
        """Return the block of one call of a decorated function: this one, unless each call needs one of its own."""
        return self

    def finished(self, _value: object) -> None:
        """Called with what a decorated function has returned."""

    def postponed(self) -> None:
        """Called in place of `finished` if a decorated function has returned a coroutine or a generator, which runs in the block."""

    def closing(self) -> None:
        """Called when a decorated generator is being closed, by the application, or by the garbage collector."""

    def step_ended(self, _error: BaseException | None) -> None:
        """Called with what a step of a decorated generator has raised; with None after it was closed."""

    def __enter__(self) -> object:
        token = otel_context.attach(context_of(self))
        _entered.set((*(entry for entry in _entered.get() if not entry[0].over), (self, token)))
        return self

    def __exit__(self, *_error: object) -> None:
        entries = _entered.get()
        for place in reversed(range(len(entries))):
            block, token = entries[place]
            if block is self:
                # Blocks that were entered later and are still open, as in generators that take turns, lose their token: they restore nothing.
                _entered.set((*entries[:place], *((later, None) for later, _ in entries[place + 1 :])))
                if token is not None:
                    otel_context.detach(token)
                return

    async def __aenter__(self) -> object:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)


def context_of(block: ContextBlock) -> Context:
    """Return the context of a block that starts here; where that fails, the context around it."""
    outer = otel_context.get_current()
    return _within_outer(block, outer) or outer


@guarded
def _within_outer(block: ContextBlock, outer: Context) -> Context:
    return block._within(outer)
