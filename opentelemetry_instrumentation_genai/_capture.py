"""Whether content is captured: the modes, the switch for a block of code, and what holds for one call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Generator
from contextvars import ContextVar
from random import random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from opentelemetry import context as otel_context

from ._guard import say_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from opentelemetry.context.context import Context
    from opentelemetry.trace import Span

_F = TypeVar("_F", bound="Callable[..., Any]")

CAPTURE_KEY = "opentelemetry_instrumentation_genai.capture_content"
"""Where the OpenTelemetry context has the `Capture` of a block of code."""
# What the blocks entered here are left with, the innermost last: one object may be entered in many threads and tasks.
_entered: ContextVar[tuple[Token[Context], ...]] = ContextVar("opentelemetry_instrumentation_genai.entered", default=())
_64_BITS = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15  # by which bits are mixed: samplers look at the lowest bits of the trace id, too


class Capture(NamedTuple):
    """Where message content goes, and of which calls.

    Attributes:
        span: whether spans carry it.
        event: whether events carry it.
        failed: whether only calls that failed have it.
        share: of how many calls it is captured, from 0 to 1.
    """

    span: bool
    event: bool
    failed: bool = False
    share: float = 1.0

    def chooses(self, span: Span) -> bool:
        """Whether a call is among the share. The calls of one trace are decided alike."""
        if self.share >= 1:
            return True
        trace = span.get_span_context().trace_id
        place = (trace * _ODD & _64_BITS) / 2**64 if trace else random()  # noqa: S311 - nobody gains from guessing it
        return place < self.share


NO_CONTENT = Capture(span=False, event=False)
_SPAN_AND_EVENT = Capture(span=True, event=True)
MODES: dict[str, Capture] = {
    "no_content": NO_CONTENT,
    "span_only": Capture(span=True, event=False),
    "event_only": Capture(span=False, event=True),
    "span_and_event": _SPAN_AND_EVENT,
    "on_error": Capture(span=True, event=True, failed=True),
    "true": _SPAN_AND_EVENT,  # what older packages accept
    "false": NO_CONTENT,
}
ACCEPTED = ", ".join(MODES) + ", or a share of the calls from 0 to 1"


def capture_of(value: Any) -> Capture:
    """The capture that a mode names.

    Args:
        value: a mode in any case of letters, a bool, or a share as a number or a text.

    Raises:
        ValueError: for anything else.
    """
    known = MODES.get(str(value).strip().lower()) if isinstance(value, (str, bool)) else None
    if known is not None:
        return known
    if not isinstance(value, (str, int, float)) or not 0 <= float(value) <= 1:
        raise ValueError
    return _SPAN_AND_EVENT._replace(share=float(value)) if float(value) else NO_CONTENT


def asked_here(context: Context) -> Capture | None:
    """What the block of code around a call asks for, if one does."""
    asked = context.get(CAPTURE_KEY)
    return asked if isinstance(asked, Capture) else None


class capture_content:  # noqa: N801 - it reads as a statement
    """Say for a block of code whether the content of its calls is captured, whatever the settings are.

    As a context manager, around code with `await` in it as well, and as a decorator of functions, coroutine functions and
    generators. It is carried by OpenTelemetry's context into tasks, and into threads where that is. The innermost one wins.
    Redaction and budgets are those of the settings.

    Args:
        mode: what the setting `capture_message_content` takes. A wrong one gets a warning, and counts as `no_content`.
    """

    def __init__(self, mode: str | bool | float) -> None:
        try:
            self._capture = capture_of(mode)
        except ValueError:
            say_once("capture_content(%r) is not accepted. Accepted is: %s. Nothing is captured.", mode, ACCEPTED)
            self._capture = NO_CONTENT

    def __enter__(self) -> None:
        token = otel_context.attach(otel_context.set_value(CAPTURE_KEY, self._capture))
        _entered.set((*_entered.get(), token))

    def __exit__(self, *_error: object) -> None:
        tokens = _entered.get()
        if tokens:  # a generator with such a block can be closed where it was not entered
            _entered.set(tokens[:-1])
            otel_context.detach(tokens[-1])

    def __call__(self, function: _F) -> _F:
        """Have it hold in each call of `function`."""
        wrapped = _in_block(self, function)
        if inspect.iscoroutinefunction(function):
            wrapped = _coroutine_in_block(self, function)
        elif inspect.isgeneratorfunction(function):
            wrapped = _steps_in_block(self, function, _Steps)
        elif inspect.isasyncgenfunction(function):
            wrapped = _steps_in_block(self, function, _AsyncSteps)
        return functools.wraps(function)(wrapped)  # type: ignore[return-value] # a function like the one that was given


def _in_block(block: capture_content, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with block:
            return function(*args, **kwargs)

    return wrapped


def _coroutine_in_block(block: capture_content, function: Callable[..., Any]) -> Callable[..., Any]:
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        with block:
            return await function(*args, **kwargs)

    return wrapped


def _steps_in_block(
    block: capture_content, function: Callable[..., Any], steps: Callable[..., Any]
) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return steps(function(*args, **kwargs), block)

    return wrapped


class _Steps(Generator[Any, Any, Any]):
    """A generator, whose steps each run in a block: between them its consumer runs, who has not asked for it."""

    def __init__(self, source: Generator[Any, Any, Any], block: capture_content) -> None:
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

    def __init__(self, source: AsyncGenerator[Any, Any], block: capture_content) -> None:
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
