"""The endpoints of Letta's API, by its reference: messages to an agent, which the server runs until it has an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.endpoint import Content, Endpoint
from ..._adapter.fields import count, field, items, member, members, string, table
from ..._adapter.joined_object import JoinedObject
from ..._adapter.openai_api.chat import CHAT
from ..._adapter.openai_api.common import failure, parts_of
from ..._adapter.parts import Part, first_text, reasoning, tool_call, tool_call_response
from ..._conventions import names, operation_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ENDS = {"usage_statistics": "usage", "stop_reason": "stop_reason", "error_message": "error"}
_PIECES = ("arguments", "content", "reasoning")
_REASONS = {"end_turn": "stop", "tool_rule": "stop", "max_tokens_exceeded": "length"}


class Events:
    """The messages of a stream: each comes whole, or in pieces with the same id; at the end the stop reason and the usage."""

    def __init__(self, content: bool) -> None:
        self._content = content
        self._messages: dict[Any, JoinedObject] = {}
        self._ends: dict[str, Any] = {}

    def add(self, event: Any) -> None:
        """Add an event."""
        kind = string(member(event, "message_type"))
        if kind in _ENDS:
            self._ends[_ENDS[kind]] = {**members(event), "type": member(event, "error_type")}
        elif self._content and kind is not None:
            self._messages.setdefault((kind, string(member(event, "id"))), JoinedObject(_PIECES)).add(event)

    def result(self) -> dict[str, Any]:
        """Return the response as far as it was received."""
        return {**self._ends, "messages": [message.result() for message in self._messages.values()]}


def _input(body: Mapping[str, Any]) -> Content:
    given = member(body, "input")
    return CHAT.input_content(body if given is None else {"messages": [{"content": given}]})


def _output(response: Any, reasons: Sequence[str]) -> Content:
    """Read what the agent thought, did and answered as one message."""
    parts = [part for message in items(response, "messages") for part in _parts(message)]
    return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": parts, "finish_reason": reasons[0]}]}


def _parts(message: Any) -> list[Part]:
    kind = member(message, "message_type")
    if kind == "assistant_message":
        return parts_of(member(message, "content"))
    if kind == "reasoning_message":
        return [reasoning(first_text(message, "reasoning") or "")]
    call = member(message, "tool_call")
    if kind in ("tool_call_message", "approval_request_message") and call is not None:
        return [tool_call(member(call, "tool_call_id"), member(call, "name"), member(call, "arguments"))]
    if kind == "tool_return_message":
        return [tool_call_response(member(message, "tool_call_id"), member(message, "tool_return"))]
    return []


def _finish_reasons(response: Any, _streamed: bool) -> list[str]:
    reason = string(member(member(response, "stop_reason"), "stop_reason")) or "error"
    return [_REASONS.get(reason, reason)]


_AGENT = Endpoint(
    kind=operation_kinds.REMOTE_AGENT,
    request=table(
        field(names.AGENT_ID, string, "agent_id"),
        field(names.CONVERSATION_ID, string, "conversation_id"),
    ),
    response=table(
        field(names.USAGE_INPUT_TOKENS, count, "usage.prompt_tokens"),
        field(names.USAGE_OUTPUT_TOKENS, count, "usage.completion_tokens"),
        field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.cached_input_tokens"),
        field(names.USAGE_CACHE_WRITE_INPUT_TOKENS, count, "usage.cache_write_tokens"),
        field(names.USAGE_CACHE_CREATION_INPUT_TOKENS, count, "usage.cache_write_tokens"),
        field(names.USAGE_REASONING_OUTPUT_TOKENS, count, "usage.reasoning_tokens"),
    ),
    model=lambda _body: None,
    finish_reasons=_finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=failure,
    accumulator=Events,
)
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/v1/agents/{agent_id}/messages"): _AGENT.called_by("agents.messages", "MessagesResource"),
    ("post", "/v1/agents/{agent_id}/messages/stream"): _AGENT.called_by(
        "agents.messages", "MessagesResource", "stream"
    ),
    ("post", "/v1/conversations/{conversation_id}/messages"): _AGENT.called_by(
        "conversations.messages", "MessagesResource"
    ),
}
