"""The context of a running call: its span and owner in the OpenTelemetry context, and a variable for our own patches."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context
from opentelemetry.context.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from .owner import owned, published

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import TracebackType

    from .._conventions.operation_kinds import OperationKind
    from .owner import Running

# A variable of its own: it is read at each step, and a read of OpenTelemetry's context takes twenty times as long.
_current: ContextVar[Running | None] = ContextVar("opentelemetry_instrumentation_genai.call", default=None)
# OpenLLMetry's instrumentations of frameworks set it around a call of a model that they record, for those of the SDKs below.
_RECORDED_ABOVE = "suppress_language_model_instrumentation"
running = _current.get
"""Return the call that the SDK code running here belongs to, or None; `call.current_call` is typed as returning a `Call`."""


def is_skipped(current: Context, kind: OperationKind) -> bool:
    """Return whether a call made here is not recorded: instrumentation is suppressed, or a caller up the stack records it.

    Args:
        current: the OpenTelemetry context.
        kind: the kind of the call's operation.
    """
    if not current:
        return False
    return owned(current, kind) or bool(current.get(_RECORDED_ABOVE)) or not is_instrumentation_enabled()


def run_within(call: Running, function: Callable[..., object], *args: object) -> None:
    """Run a function while a call and its span are current."""
    current = Current()
    with current, current:
        current.enter(call)
        function(*args)


class Current:
    """A block of code in which a call and its span are made current, by `enter`. On exit, what was current before is restored.

    It is used twice, as `with current, current`: where an interrupt strikes within the first exit, the second does what is left.
    """

    __slots__ = ("_call", "_context", "_detached", "_entered", "_outer", "_previous", "_token")

    def __init__(self) -> None:
        self._entered = self._detached = False
        self._call: Running | None = None
        self._outer: Running | None = None
        self._context: Context | None = None
        self._previous: Context | None = None
        self._token: Token[Context] | None = None

    def enter(self, call: Running | None) -> None:
        """Make `call` and its span current. With None, no call of ours is current: the SDK does something outside of any call."""
        self._outer, self._call, self._entered = running(), call, True
        _current.set(call)
        if call is not None:
            self._previous = otel_context.get_current()
            self._context = Context({**call.context, **published(call)})
            self._token = otel_context.attach(self._context)

    def __enter__(self) -> None:
        """Do nothing: `enter` is called within the block, so that an interrupt cannot strike between the two."""

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Restore the context. A task that closes an abandoned coroutine of another task has nothing to restore."""
        if not self._entered or running() is not self._call:
            return
        if self._token is not None and not self._detached:
            self._detached = True
            otel_context.detach(self._token)
        elif self._previous is not None and otel_context.get_current() is self._context:
            otel_context.attach(self._previous)
        _current.set(self._outer)
        self._entered = False
