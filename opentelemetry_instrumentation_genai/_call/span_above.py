"""The span around a call: where another instrumentation made it for the same call, as frameworks do, that one records the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, get_current_span

from .._conventions.names import OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL
from .._conventions.operation_kinds import EMBEDDINGS, INFERENCE
from .._conventions.scope import SCOPE_NAME
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from .._conventions.operation_kinds import OperationKind

_PROVIDER = frozenset({PROVIDER_NAME, "gen_ai.system"})  # the latter in older versions of the conventions


@guarded
def recorder_above(kind: OperationKind) -> str | None:
    """Return the scope of the current span, if that is another instrumentation's span of a call of this kind; else None.

    That span has what the conventions require of a span of a call: operation, provider and model. One that an application makes by
    hand around a call, with the operation alone, says less than ours. Only the current span is looked at, and only while it is
    recorded: of a span that is not sampled nothing is known.

    Args:
        kind: the kind of the call's operation.
    """
    context = get_current()
    span = get_current_span(context) if context else INVALID_SPAN
    if not span.is_recording():
        return None
    scope: str = getattr(getattr(span, "instrumentation_scope", None), "name", SCOPE_NAME)
    if scope == SCOPE_NAME:
        return None
    attributes = getattr(span, "attributes", None) or {}
    above = attributes.get(OPERATION_NAME)
    inference = above in INFERENCE and kind.name in INFERENCE
    same = inference or above == kind.name == EMBEDDINGS.name
    described = REQUEST_MODEL in attributes and not _PROVIDER.isdisjoint(attributes)
    return scope if same and described else None
