"""Chat of Cohere's Command R, by AWS's page of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.endpoint import Content, Endpoint
from ..._adapter.fields import field, integer, items, member, members, number, string, strings, table, whole_string
from ..._adapter.parts import Part, first_text, generic, named, plain, text, tool_call, tool_call_response
from ..._conventions import names, operation_kinds
from ._common import finish_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROLES = {"CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool", "USER": "user"}


def _json(value: object) -> str | None:
    return "json" if value == "json_object" else None


_REQUEST = table(
    field(names.REQUEST_TEMPERATURE, number, "temperature"),
    field(names.REQUEST_TOP_P, number, "p"),
    field(names.REQUEST_TOP_K, integer, "k"),
    field(names.REQUEST_MAX_TOKENS, integer, "max_tokens"),
    field(names.REQUEST_STOP_SEQUENCES, strings, "stop_sequences"),
    field(names.REQUEST_FREQUENCY_PENALTY, number, "frequency_penalty"),
    field(names.REQUEST_PRESENCE_PENALTY, number, "presence_penalty"),
    field(names.REQUEST_SEED, integer, "seed"),
    field(names.OUTPUT_TYPE, _json, "response_format.type"),
)
_RESPONSE = table(
    field(names.RESPONSE_ID, string, "response_id"),
    field(names.AWS_BEDROCK_STOP_REASON, string, "finish_reason"),
)


def _finish_reasons(response: Any, _streamed: bool) -> list[str]:
    held = members(response)
    reason = string(held.get("finish_reason"))
    if reason is not None:
        return [finish_reason(reason)]
    return ["error"] if "text" in held else []


def _input(body: Mapping[str, Any]) -> Content:
    content: Content = {}
    messages = [_past(message) for message in items(body, "chat_history")]
    results = [_result(result) for result in items(body, "tool_results")]
    message = first_text(body, "message")
    if message is not None:
        messages.append({"role": "user", "parts": [text(message)]})
    if results:
        messages.append({"role": "tool", "parts": results})
    if messages:
        content[names.INPUT_MESSAGES] = messages
    preamble = first_text(body, "preamble")
    if preamble is not None:
        content[names.SYSTEM_INSTRUCTIONS] = [text(preamble)]
    tools = [_tool(tool) for tool in items(body, "tools")]
    if tools:
        content[names.TOOL_DEFINITIONS] = tools
    return content


def _past(message: Any) -> dict[str, Any]:
    role = named(member(message, "role"), "user")
    results = [_result(result) for result in items(message, "tool_results")]
    return {"role": _ROLES.get(role, role), "parts": [*_spoken(message, "message"), *results]}


def _spoken(message: Any, name: str) -> list[Part]:
    content = first_text(message, name)
    calls = [tool_call(None, member(call, "name"), member(call, "parameters")) for call in items(message, "tool_calls")]
    return [*([] if content is None else [text(content)]), *calls]


def _result(result: Any) -> Part:
    call = member(result, "call")
    answer = tool_call_response(None, member(result, "outputs"))
    return {**answer, "call": plain(call)} if call is not None else answer


def _tool(tool: Any) -> dict[str, Any]:
    definition = generic(tool, "function")
    if "parameter_definitions" in definition:
        definition["parameters"] = definition.pop("parameter_definitions")
    return {**definition, "name": named(definition.get("name"), "function")}


def _output(response: Any, reasons: Sequence[str]) -> Content:
    if not reasons:
        return {}
    return {
        names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": _spoken(response, "text"), "finish_reason": reasons[0]}]
    }


class _Events:
    """Accumulates the events of a stream; the last one has the whole response."""

    __slots__ = ("_calls", "_content", "_last", "_pieces")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._pieces: list[str] = []
        self._calls: list[Any] = []
        self._last: dict[str, Any] = {}

    def add(self, event: Any) -> None:
        """Add one event."""
        held = members(event)
        kind = held.get("event_type")
        if kind == "text-generation" and self._content:
            self._pieces.append(whole_string(held.get("text")) or "")
        elif kind == "tool-calls-generation":
            self._calls += items(held, "tool_calls")
        elif kind == "stream-end":
            self._last = {**members(held.get("response")), "finish_reason": held.get("finish_reason")}

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        received: dict[str, Any] = {"text": "".join(self._pieces)}
        if self._calls:
            received["tool_calls"] = self._calls
        return {**received, **self._last}


COHERE = Endpoint(
    kind=operation_kinds.CHAT,
    request=_REQUEST,
    response=_RESPONSE,
    finish_reasons=_finish_reasons,
    input_content=_input,
    output_content=_output,
    accumulator=_Events,
    messages="message",
)
