"""The current span may be another instrumentation's record of the very call that is made, as a framework's is: then there is none of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from opentelemetry.trace import get_current_span

from .._conventions.names import OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL
from .._conventions.operation_kinds import EMBEDDINGS, INFERENCE
from .._conventions.scope import SCOPE_NAME
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from .request import Request

_PROVIDER = frozenset({PROVIDER_NAME, "gen_ai.system"})  # the latter in older versions of the conventions
_recording: WeakSet[Span] = WeakSet()  # spans to which a call was left


@guarded
def recorder_above(request: Request, context: Context) -> str | None:
    """Return the scope of the current span, if that is another instrumentation's span of this call; else None.

    Such a span has what the conventions require: an operation of the same kind, a provider, and the model of the request. A span is of
    one call: a later one below it is the application's own, made while it reads a stream of the framework. Only a span that is recorded
    can be read: of one that is not sampled nothing is known.

    Args:
        request: the request of the call.
        context: the context in which it is made.
    """
    if not context:
        return None
    span = get_current_span(context)
    if not span.is_recording() or span in _recording:
        return None
    scope: str = getattr(getattr(span, "instrumentation_scope", None), "name", SCOPE_NAME)
    attributes = getattr(span, "attributes", None) or {}
    if scope == SCOPE_NAME or _PROVIDER.isdisjoint(attributes):
        return None
    endpoint = request.endpoint
    if attributes.get(REQUEST_MODEL) != endpoint.model(request.body):
        return None
    above, kind = attributes.get(OPERATION_NAME), endpoint.kind.name
    if not (above in INFERENCE and kind in INFERENCE) and not above == kind == EMBEDDINGS.name:
        return None
    _recording.add(span)
    return scope
