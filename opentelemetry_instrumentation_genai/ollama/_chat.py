"""Chat: `POST /api/chat`, by Ollama's API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.endpoint import Content, Endpoint
from .._adapter.fields import items, member, string, table
from .._adapter.parts import Part, first_text, generic, named, reasoning, text, tool_call, tool_call_response
from .._conventions import names, operation_kinds
from ._chunks import MessageChunks
from ._common import REQUEST, RESPONSE, TIMED, finish_reasons, images, server_timings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _input(body: Mapping[str, Any]) -> Content:
    content: Content = {}
    messages, tools = items(body, "messages"), items(body, "tools")
    if messages:
        content[names.INPUT_MESSAGES] = [_message(message) for message in messages]
    if tools:
        content[names.TOOL_DEFINITIONS] = [_tool_definition(tool) for tool in tools]
    return content


def _message(message: Any) -> dict[str, Any]:
    role = named(member(message, "role"), "user")
    if role != "tool":
        return {"role": role, "parts": _read_parts(message)}
    answer = tool_call_response(member(message, "tool_call_id"), member(message, "content"))
    input_message = {"role": role, "parts": [answer, *images(message)]}
    name = first_text(message, "tool_name", "name")
    return {**input_message, "name": string(name)} if name else input_message


def _read_parts(message: Any) -> list[Part]:
    """Read the parts of a message other than a tool result."""
    thought, content = first_text(message, "thinking"), first_text(message, "content")
    parts = [reasoning(thought)] if thought else []
    if content:
        parts.append(text(content))
    return [*parts, *images(message), *map(_tool_call, items(message, "tool_calls"))]


def _tool_call(call: Any) -> Part:
    function = member(call, "function")
    return tool_call(member(call, "id"), member(function, "name"), member(function, "arguments"))


def _tool_definition(tool: Any) -> dict[str, Any]:
    kind = string(member(tool, "type")) or "function"
    function = member(tool, kind)
    source = tool if function is None else function
    return {
        **generic(source, kind),
        "name": named(member(source, "name"), kind),
    }


def _output(response: Any, reasons: Sequence[str]) -> Content:
    return {
        names.OUTPUT_MESSAGES: [
            {"role": "assistant", "parts": _read_parts(member(response, "message")), "finish_reason": reason}
            for reason in reasons
        ]
    }


CHAT = Endpoint(
    kind=operation_kinds.CHAT,
    methods=("_client:Client.chat", "_client:AsyncClient.chat"),
    request=table(*REQUEST),
    response=table(*RESPONSE),
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    timings=server_timings,
    timed=TIMED,
    accumulator=MessageChunks,
)
