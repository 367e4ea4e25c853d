"""Messages: `POST /v1/messages`, by Anthropic's API reference, including its beta features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..billing import Billing
from ..endpoint import Content, Endpoint
from ..failure import Failure, reported_error
from ..fields import count, field, integer, items, member, members, number, string, strings, table
from ..parts import Part, named, text, unreadable
from .blocks import parts_of, tool_definition
from .events import MessageEvents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..fields import Attribute

SAMPLING = (
    field(names.REQUEST_TEMPERATURE, number, "temperature"),
    field(names.REQUEST_TOP_P, number, "top_p"),
    field(names.REQUEST_TOP_K, integer, "top_k"),
    field(names.REQUEST_STOP_SEQUENCES, strings, "stop_sequences"),
)
RESPONSE = (
    field(names.RESPONSE_ID, string, "id"),
    field(names.RESPONSE_MODEL, string, "model"),
    field(names.ANTHROPIC_STOP_REASON, string, "stop_reason"),
)
# The provider's stop reasons -> finish reasons of the conventions; any other is recorded as it is.
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}


def _json(value: Any) -> str | None:
    return "json" if member(value, "type") in ("json_schema", "json_object") else None


def input_tokens(usage: Any) -> int | None:
    """Return the count of all input tokens: the provider counts tokens read from a cache, or written to it, separately."""
    counts = members(usage)
    fresh = count(counts.get("input_tokens"))
    if fresh is None:
        return None
    read, written = counts.get("cache_read_input_tokens"), counts.get("cache_creation_input_tokens")
    if not read and not written:
        return fresh
    return count(fresh + (count(read) or 0) + (count(written) or 0))


def _compactions(iterations: Any) -> list[Any]:
    entries = iterations if isinstance(iterations, (list, tuple)) else ()
    return [entry for entry in entries if member(entry, "type") == "compaction"]


def _compaction_input(iterations: Any) -> int | None:
    return count(sum(input_tokens(entry) or 0 for entry in _compactions(iterations))) or None


def _compaction_output(iterations: Any) -> int | None:
    return count(sum(count(member(entry, "output_tokens")) or 0 for entry in _compactions(iterations))) or None


def _compacted(content: Any) -> bool | None:
    blocks = content if isinstance(content, (list, tuple)) else ()
    return True if any(member(block, "type") == "compaction" for block in blocks) else None


def _edited(edits: Any) -> bool | None:
    return True if isinstance(edits, (list, tuple)) and edits else None


_REQUEST = table(
    *SAMPLING,
    field(names.REQUEST_MAX_TOKENS, integer, "max_tokens"),
    field(names.REQUEST_REASONING_LEVEL, string, "output_config.effort"),
    field(names.OUTPUT_TYPE, _json, "output_format"),
    field(names.OUTPUT_TYPE, _json, "output_config.format"),
    field(names.ANTHROPIC_REQUEST_SERVICE_TIER, string, "service_tier"),
    field(names.ANTHROPIC_THINKING_TYPE, string, "thinking.type"),
    field(names.ANTHROPIC_THINKING_BUDGET, integer, "thinking.budget_tokens"),
)
# Usage of the API reference.
USAGE = (
    field(names.USAGE_INPUT_TOKENS, input_tokens, "usage"),
    field(names.USAGE_OUTPUT_TOKENS, count, "usage.output_tokens"),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.cache_read_input_tokens"),
    field(names.USAGE_CACHE_WRITE_INPUT_TOKENS, count, "usage.cache_creation_input_tokens"),
    field(names.USAGE_CACHE_CREATION_INPUT_TOKENS, count, "usage.cache_creation_input_tokens"),
    field(names.ANTHROPIC_CACHE_CREATION_5M, count, "usage.cache_creation.ephemeral_5m_input_tokens"),
    field(names.ANTHROPIC_CACHE_CREATION_1H, count, "usage.cache_creation.ephemeral_1h_input_tokens"),
    field(names.USAGE_REASONING_OUTPUT_TOKENS, count, "usage.output_tokens_details.thinking_tokens"),
    field(names.ANTHROPIC_RESPONSE_SERVICE_TIER, string, "usage.service_tier"),
    field(names.ANTHROPIC_COMPACTION_INPUT_TOKENS, _compaction_input, "usage.iterations"),
    field(names.ANTHROPIC_COMPACTION_OUTPUT_TOKENS, _compaction_output, "usage.iterations"),
)


def finish_reasons(response: Any, _streamed: bool = False) -> list[str]:
    """Return the one finish reason; `error` for a message without one, nothing if there is no message."""
    reason = string(member(response, "stop_reason"))
    if reason is not None:
        return [_FINISH.get(reason, reason)]
    return ["error"] if isinstance(member(response, "content"), (list, tuple)) else []


def failure(response: Any) -> Failure | None:
    """Return a failure that a response reports and the SDK does not raise: in the body of a 200, or in a stream read as bytes."""
    held = members(response)
    return reported_error(held.get("error") or held.get("stream_error"))


def _input(body: Mapping[str, Any]) -> Content:
    content: Content = {}
    messages = items(body, "messages")
    if messages:
        content[names.INPUT_MESSAGES] = [_message(message) for message in messages]
    system = parts_of(member(body, "system"))
    if system:
        content[names.SYSTEM_INSTRUCTIONS] = system
    tools = [*items(body, "tools"), *items(body, "mcp_servers")]
    if tools:
        content[names.TOOL_DEFINITIONS] = [tool_definition(tool) for tool in tools]
    return content


def _message(message: Any) -> dict[str, Any]:
    role, content = member(message, "role"), member(message, "content")
    given: list[Part] = [text(content)] if isinstance(content, str) else parts_of(content)
    parts = [
        part for part in given if not unreadable(part)
    ]  # reasoning that is sent back with only its signature is left out
    return {"role": named(role, "user"), "parts": parts}


def _output(response: Any, reasons: Sequence[str]) -> Content:
    if not reasons:
        return {}
    parts = parts_of(member(response, "content"))
    return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": parts, "finish_reason": reasons[0]}]}


# Values of `inference_geo` without a surcharge, by the provider's page of prices; price lists have no surcharge.
_ANYWHERE = (None, "global", "not_available")
# Iterations billed in addition to the response's own usage: compaction, and messages of an advisor model.
_BESIDE = ("compaction", "advisor_message")
_WITHIN = "message"
_BESIDE_USAGE = table(*USAGE)


def billing(response: Any) -> Billing:
    """Return what the price depends on besides the attributes of the response."""
    usage = member(response, "usage")
    searches = count(member(member(usage, "server_tool_use"), "web_search_requests"))
    speed = string(member(usage, "speed"))
    given = member(usage, "iterations")
    iterations = given if isinstance(given, (list, tuple)) else ()
    kinds = {string(member(entry, "type")) for entry in iterations}
    return Billing(
        amounts={} if searches is None else {"web_searches": searches},
        terms={} if speed is None else {"speed": speed},
        beside=[_beside(entry) for entry in iterations if member(entry, "type") in _BESIDE],
        # If another model took over the message, the usage does not split the tokens by model.
        has_list_price=member(usage, "inference_geo") in _ANYWHERE and kinds.issubset({*_BESIDE, _WITHIN}),
    )


def _beside(entry: Any) -> tuple[str | None, Mapping[str, Attribute]]:
    return string(member(entry, "model")), _BESIDE_USAGE.read({"usage": entry})


MESSAGES = Endpoint(
    kind=operation_kinds.CHAT,
    methods=(
        "resources.messages:Messages.create",
        "resources.messages:AsyncMessages.create",
        "resources.beta.messages:Messages.create",
        "resources.beta.messages:AsyncMessages.create",
    ),
    request=_REQUEST,
    response=table(
        *RESPONSE,
        *USAGE,
        field(names.CONVERSATION_COMPACTED, _compacted, "content"),
        field(names.CONVERSATION_COMPACTED, _edited, "context_management.applied_edits"),
    ),
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=failure,
    billing=billing,
    accumulator=MessageEvents,
)
