"""What a running call publishes in the OpenTelemetry context: itself for our own patches, and an owner for the ecosystem."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context
from opentelemetry.context.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

if TYPE_CHECKING:
    from contextvars import Token

    from ._call import Call

OWNER_KEY = "opentelemetry.genai.client.inference.context"
"""The ecosystem's key: any value but None means that someone above reports this call."""
_CALL_KEY = otel_context.create_key("opentelemetry_instrumentation_genai.call")


class Owner:
    """What stands under the ecosystem's key where `opentelemetry-util-genai` is not in use."""


_OURS = Owner()


def stand_back() -> bool:
    """Whether a call made here is not ours to report: instrumentation is suppressed, or someone above reports it."""
    current = otel_context.get_current()
    if not current:
        return False
    return current.get(OWNER_KEY) is not None or not is_instrumentation_enabled()


def current_call() -> Call | None:
    """The call whose SDK code runs here."""
    call: Call | None = otel_context.get_current().get(_CALL_KEY)  # type: ignore[assignment] # the key is ours alone
    return call


def attach(call: Call) -> Token[Context]:
    """Make the span of `call` current, while code of the SDK runs. Returns what `detach` wants."""
    return otel_context.attach(Context({**call.context, _CALL_KEY: call, OWNER_KEY: _owner()}))


class Outside:
    """While it is entered, no call of ours is current: for what the SDK does below a call that is not that call's."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = None
        if current_call() is not None:
            self._token = otel_context.attach(Context({**otel_context.get_current(), _CALL_KEY: None}))

    def __exit__(self, *_error: object) -> None:
        if self._token is not None:
            otel_context.detach(self._token)


def detach(call: Call, token: Token[Context]) -> None:
    """Give the context back; a task that closes an abandoned coroutine of another has nothing to give back."""
    if current_call() is call:
        otel_context.detach(token)


def _owner() -> object:
    """An object of the class that others look for, if what defines it is in use, else ours."""
    module = sys.modules.get("opentelemetry.util.genai._inference_invocation")
    if module is None:
        return _OURS
    kind: type = getattr(module, "InferenceData", Owner)
    return kind()
