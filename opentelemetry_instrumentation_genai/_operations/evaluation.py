"""Evaluation of GenAI output, and feedback on it: by the code that made the call, or later, by another process."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context, trace
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, SpanContext, TraceFlags

from .._adapter.fields import number, string, whole_string
from .._runtime.guard import guarded, warn_once
from .._signals.application import in_use

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context.context import Context
    from opentelemetry.trace import Span

    from .._signals.application import ApplicationSignals


@dataclass(frozen=True)
class CallReference:
    """What has to be kept of a call or of another operation, to record an evaluation of it later, also in another process.

    Attributes:
        trace_id: of its trace, as 32 hexadecimal digits.
        span_id: of its span, as 16 hexadecimal digits.
    """

    trace_id: str
    span_id: str


def current_call() -> CallReference | None:
    """Return the reference of the operation in which this code runs: a workflow, an agent or a tool, or a call in one of its hooks.

    Returns:
        The reference of the current span; None where there is none.
    """
    return _reference(trace.get_current_span().get_span_context())


def record_evaluation(
    name: str,
    *,
    score: float | None = None,
    label: str | None = None,
    explanation: str | None = None,
    response_id: str | None = None,
    span: Span | None = None,
    call: CallReference | None = None,
    error_type: str | None = None,
) -> None:
    """Record the result of an evaluation: the event `gen_ai.evaluation.result`, and the score in the metric `gen_ai.evaluation.score`.

    The event belongs to the span of what was evaluated: that of `call` or `span`, else the current one. Nothing is recorded where no
    instrumentor is active.

    Args:
        name: of what was evaluated, such as `relevance` or `user_feedback`.
        score: the result as a number.
        label: the result as a word, such as `pass`. Metric points have it, so it should be one of a few.
        explanation: why; it is redacted as content is.
        response_id: `gen_ai.response.id` of the response that was evaluated.
        span: the span of the operation that was evaluated.
        call: its reference, from `current_call()`.
        error_type: how the evaluation failed, if it did.
    """
    used = in_use()
    if used is None:
        return
    value = None if score is None else number(score)
    if score is not None and (value is None or not isfinite(value)):
        value = None
        warn_once("record_evaluation(score=...): a finite number is accepted. It is left out.")
    context = _context(span, call) or otel_context.get_current()
    texts = {"label": label, "explanation": explanation, "response_id": response_id, "error_type": error_type}
    _record(used, string(name) or "evaluation", context, value, texts)


@guarded
def _record(
    used: ApplicationSignals, name: str, context: Context, score: float | None, texts: Mapping[str, object]
) -> None:
    read = {key: (whole_string if key == "explanation" else string)(value) for key, value in texts.items()}
    used.signals.evaluations.record(name, context, score=score, **read)


@guarded
def _context(span: Span | None, call: CallReference | None) -> Context:
    """Return a context with the span of what was evaluated."""
    if call is not None:
        try:
            ids = int(call.trace_id, 16), int(call.span_id, 16)
            identity = SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        except (AttributeError, TypeError, ValueError):
            identity = INVALID_SPAN_CONTEXT
        if not identity.is_valid:
            warn_once("record_evaluation(call=...): what current_call() returned is accepted. The result has no span.")
            return trace.set_span_in_context(trace.INVALID_SPAN, otel_context.Context())
        return trace.set_span_in_context(NonRecordingSpan(identity))
    return otel_context.get_current() if span is None else trace.set_span_in_context(span)


@guarded
def _reference(context: SpanContext) -> CallReference | None:
    if not context.is_valid:
        return None
    return CallReference(trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id))
