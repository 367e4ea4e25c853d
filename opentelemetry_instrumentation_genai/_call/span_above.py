"""The span around a call: where another instrumentation made it for the same call, as frameworks do, that one records the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

from .._conventions.names import OPERATION_NAME
from .._conventions.operation_kinds import EMBEDDINGS, INFERENCE
from .._conventions.scope import SCOPE_NAME
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from .._conventions.operation_kinds import OperationKind


@guarded
def recorder_above(kind: OperationKind) -> str | None:
    """Return the scope of the current span, if that is another instrumentation's span of a call of this kind; else None.

    Only the current span is looked at, and only while it is recorded: of a span that is not sampled nothing is known.

    Args:
        kind: the kind of the call's operation.
    """
    span = get_current_span()
    if not span.is_recording():
        return None
    scope: str = getattr(getattr(span, "instrumentation_scope", None), "name", SCOPE_NAME)
    if scope == SCOPE_NAME:
        return None
    above = (getattr(span, "attributes", None) or {}).get(OPERATION_NAME)
    inference = above in INFERENCE and kind.name in INFERENCE
    return scope if inference or above == kind.name == EMBEDDINGS.name else None
