"""Converse and ConverseStream, by AWS's API reference. Amazon's Nova models have the same dialect in bodies of InvokeModel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.billing import Billing
from ..._adapter.endpoint import Content, Endpoint
from ..._adapter.fields import count, field, integer, items, member, members, number, string, strings, table
from ..._adapter.parts import Part, named, unreadable
from ..._adapter.server_timings import Timings, timings
from ..._conventions import names, operation_kinds
from ._blocks import parts_of, tool_definitions
from ._common import GUARDRAIL, finish_reason, model_of, seconds, terms
from ._converse_events import ConverseEvents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _json(value: object) -> str | None:
    return "json" if value == "json_schema" else None


def _intervened(reason: object) -> bool | None:
    return True if reason == "guardrail_intervened" else None


def _read(usage: Any) -> int | None:
    """Return the count of the tokens read from a cache; bodies of InvokeModel name it otherwise than Converse."""
    counts = members(usage)
    return count(counts.get("cacheReadInputTokens", counts.get("cacheReadInputTokenCount")))


def _written(usage: Any) -> int | None:
    """Return the count of the tokens written to a cache, by either name."""
    counts = members(usage)
    return count(counts.get("cacheWriteInputTokens", counts.get("cacheWriteInputTokenCount")))


def input_tokens(usage: Any) -> int | None:
    """Return the count of all input tokens.

    `inputTokens` leaves out those read from a cache or written to it, by AWS's guide; where the total shows that it does not, it is it.
    """
    counts = members(usage)
    fresh = count(counts.get("inputTokens"))
    if fresh is None:
        return None
    cached = (_read(usage) or 0) + (_written(usage) or 0)
    total, output = count(counts.get("totalTokens")), count(counts.get("outputTokens"))
    if cached and fresh >= cached and total is not None and total == fresh + (output or 0):
        return fresh
    return count(fresh + cached)


REQUEST = (
    field(names.REQUEST_MAX_TOKENS, integer, "inferenceConfig.maxTokens"),
    field(names.REQUEST_MAX_TOKENS, integer, "inferenceConfig.max_new_tokens"),  # of earlier Nova models
    field(names.REQUEST_TEMPERATURE, number, "inferenceConfig.temperature"),
    field(names.REQUEST_TOP_P, number, "inferenceConfig.topP"),
    field(names.REQUEST_TOP_P, number, "inferenceConfig.top_p"),
    field(names.REQUEST_TOP_K, integer, "inferenceConfig.topK"),
    field(names.REQUEST_TOP_K, integer, "inferenceConfig.top_k"),
    field(names.REQUEST_STOP_SEQUENCES, strings, "inferenceConfig.stopSequences"),
    field(names.REQUEST_REASONING_LEVEL, string, "inferenceConfig.reasoningConfig.maxReasoningEffort"),
    field(names.REQUEST_REASONING_LEVEL, string, "outputConfig.effort"),
    field(names.OUTPUT_TYPE, _json, "outputConfig.textFormat.type"),
    # What the API has no member for, as the models name it.
    field(names.REQUEST_TOP_K, integer, "additionalModelRequestFields.top_k"),
    field(names.REQUEST_TOP_K, integer, "additionalModelRequestFields.inferenceConfig.topK"),
    field(names.REQUEST_REASONING_LEVEL, string, "additionalModelRequestFields.reasoning_effort"),
    field(names.REQUEST_REASONING_LEVEL, string, "additionalModelRequestFields.output_config.effort"),
    field(names.REQUEST_REASONING_LEVEL, string, "additionalModelRequestFields.reasoningConfig.maxReasoningEffort"),
    *GUARDRAIL,
)
RESPONSE = (
    field(names.RESPONSE_MODEL, string, "trace.promptRouter.invokedModelId"),
    field(names.USAGE_INPUT_TOKENS, input_tokens, "usage"),
    field(names.USAGE_OUTPUT_TOKENS, count, "usage.outputTokens"),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, _read, "usage"),
    field(names.USAGE_CACHE_WRITE_INPUT_TOKENS, _written, "usage"),
    field(names.USAGE_CACHE_CREATION_INPUT_TOKENS, _written, "usage"),
    field(names.AWS_BEDROCK_STOP_REASON, string, "stopReason"),
    field(names.AWS_BEDROCK_GUARDRAIL_INTERVENED, _intervened, "stopReason"),
)


def finish_reasons(response: Any, _streamed: bool = False) -> list[str]:
    """Return the one finish reason; `error` for a message without one, nothing if there is no message."""
    reason = string(member(response, "stopReason"))
    if reason is not None:
        return [finish_reason(reason)]
    return ["error"] if member(response, "output") is not None else []


def _input(body: Mapping[str, Any]) -> Content:
    content: Content = {}
    messages, system = items(body, "messages"), parts_of(member(body, "system"))
    if messages:
        content[names.INPUT_MESSAGES] = [_message(message) for message in messages]
    if system:
        content[names.SYSTEM_INSTRUCTIONS] = system
    tools = tool_definitions(items(member(body, "toolConfig"), "tools"))
    if tools:
        content[names.TOOL_DEFINITIONS] = tools
    return content


def _message(message: Any) -> dict[str, Any]:
    """Read a message; reasoning that is sent back with only its signature is left out."""
    parts: list[Part] = [part for part in parts_of(member(message, "content")) if not unreadable(part)]
    return {"role": named(member(message, "role"), "user"), "parts": parts}


def _output(response: Any, reasons: Sequence[str]) -> Content:
    if not reasons:
        return {}
    message = member(member(response, "output"), "message")
    parts, role = parts_of(member(message, "content")), named(member(message, "role"), "assistant")
    return {names.OUTPUT_MESSAGES: [{"role": role, "parts": parts, "finish_reason": reasons[0]}]}


def billing(response: Any) -> Billing:
    """Return what the price depends on besides: for how long a cache was written, the service tier and the latency."""
    details = items(member(response, "usage"), "cacheDetails")
    amounts: dict[str, int] = {}
    for one in details:
        unit = f"cache_write_{string(member(one, 'ttl'))}_tokens"
        amounts[unit] = amounts.get(unit, 0) + (count(member(one, "inputTokens")) or 0)
    return Billing(
        amounts=amounts,
        terms=terms(
            member(member(response, "serviceTier"), "type"), member(member(response, "performanceConfig"), "latency")
        ),
    )


def _timings(response: Any, found: Mapping[str, Any]) -> Timings | None:
    """Read how long the service took, by its own clock."""
    latency = seconds(member(member(response, "metrics"), "latencyMs"))
    return timings(latency, None, None, found.get(names.USAGE_OUTPUT_TOKENS))


CONVERSE = Endpoint(
    kind=operation_kinds.CHAT,
    request=table(*REQUEST),
    response=table(*RESPONSE),
    model=model_of,
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    billing=billing,
    timings=_timings,
    timed=frozenset({names.USAGE_OUTPUT_TOKENS}),
    accumulator=ConverseEvents,
)
COUNT_TOKENS = Endpoint(
    kind=operation_kinds.COUNT_TOKENS,
    request=table(),
    response=table(field(names.AWS_BEDROCK_COUNTED_INPUT_TOKENS, count, "inputTokens")),
    model=model_of,
)
"""Nothing is generated, and nothing is billed."""
