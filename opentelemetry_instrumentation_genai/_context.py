"""What a running call publishes: its span and an owner in the OpenTelemetry context, and itself for our own patches."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry import context as otel_context
from opentelemetry.context.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from ._owner import owned, published

if TYPE_CHECKING:
    from contextvars import Token

    from ._call import Call

# A variable of its own: asked at each step, and OpenTelemetry's context takes twenty times as long to answer.
_current: ContextVar[Call | None] = ContextVar("opentelemetry_instrumentation_genai.call", default=None)
current_call = _current.get
"""The call whose SDK code runs here, or None."""


def stand_back(current: Context, operation: str) -> bool:
    """Whether a call made here is not ours to report: instrumentation is suppressed, or someone above reports it.

    Args:
        current: the OpenTelemetry context.
        operation: the call's `gen_ai.operation.name`.
    """
    if not current:
        return False
    return owned(current, operation) or not is_instrumentation_enabled()


Attached: TypeAlias = "tuple[Call | None, Token[Context]]"


def attach(call: Call) -> Attached:
    """Make `call` and its span current, while code of the SDK runs. Returns what `detach` wants."""
    outer = current_call()
    _current.set(call)
    return outer, otel_context.attach(Context({**call.context, **published(call, call.operation)}))


class Outside:
    """While it is entered, no call of ours is current: for what the SDK does below a call that is not that call's."""

    __slots__ = ("_call",)

    def __enter__(self) -> None:
        self._call = current_call()
        _current.set(None)

    def __exit__(self, *_error: object) -> None:
        _current.set(self._call)


def detach(call: Call, attached: Attached) -> None:
    """Give the context back; a task that closes an abandoned coroutine of another has nothing to give back."""
    if current_call() is call:
        outer, token = attached
        _current.set(outer)
        otel_context.detach(token)
