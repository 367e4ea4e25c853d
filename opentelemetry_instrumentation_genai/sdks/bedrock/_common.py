"""Common to the operations of the service: the model, the guardrail, the reasons for which a model stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import field, number, string
from ..._conventions import names

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = "modelId"
"""The parameter of all operations that names the model: an id, or an ARN of a model, a profile, a router or a prompt."""
GUARDRAIL = (
    field(names.AWS_BEDROCK_GUARDRAIL_ID, string, "guardrailIdentifier"),
    field(names.AWS_BEDROCK_GUARDRAIL_ID, string, "guardrailConfig.guardrailIdentifier"),
)
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "content_filter",
    # Of the models' own bodies.
    "complete": "stop",
    "finish": "stop",
    "finished": "stop",
    "endoftext": "stop",
    "error_toxic": "content_filter",
    "error_limit": "length",
    "tool_calls": "tool_call",
}


def finish_reason(reason: str) -> str:
    """Return the finish reason of the conventions for a provider's; an unknown one as it is."""
    return _FINISH.get(reason.lower(), reason)


def model_of(body: Mapping[str, Any]) -> str | None:
    """Return the model that a request names; an ARN as it is."""
    return string(body.get(MODEL))


def terms(tier: Any, latency: Any) -> dict[str, str]:
    """Return what a price depends on: the service tier, and whether the latency is optimised, as a response has them."""
    given = {"service_tier": string(tier), "latency": string(latency)}
    return {name: value for name, value in given.items() if value is not None}


def seconds(milliseconds: Any) -> float | None:
    """Return a time in seconds; None for what is no time."""
    value = number(milliseconds)
    return value / 1e3 if value is not None and value >= 0 else None
