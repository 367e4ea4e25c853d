"""Chat completions: `POST /chat/completions`, by OpenAI's API reference, with the dialects of compatible servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..endpoint import Content, Endpoint
from ..fields import MOST, field, integer, items, member, members, string, table
from ..parts import (
    Part,
    attached,
    first_text,
    free_tool_call,
    generic,
    plain,
    reasoning,
    text,
    tool_call,
    tool_call_answer,
    tool_call_response,
)
from .chunks import ChoiceChunks
from .common import (
    MEASURED_VALUES,
    REQUEST_TIER,
    RESPONSE,
    SAMPLING,
    USAGE,
    billing,
    choice_count,
    failure,
    output_type,
    parts_of,
    role_of,
    tool_definition,
)
from .stream_usage import STREAM_USAGE
from .timings import server_timings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _modality(value: object) -> str | None:
    return "speech" if isinstance(value, (list, tuple)) and "audio" in value else None


_REQUEST = table(
    *SAMPLING,
    field(names.REQUEST_MAX_TOKENS, integer, "max_completion_tokens"),
    field(names.REQUEST_CHOICE_COUNT, choice_count, "n"),
    field(names.REQUEST_REASONING_LEVEL, string, "reasoning_effort"),
    field(names.OUTPUT_TYPE, _modality, "modalities"),
    field(names.OUTPUT_TYPE, output_type, "response_format.type"),
    REQUEST_TIER,
)


def finish_reasons(response: Any, _streamed: bool = False) -> list[str]:
    """Return one finish reason for each choice, in order of index; `error` for a choice without one."""
    return [string(members(choice).get("finish_reason")) or "error" for choice in in_order(response)[:MOST]]


def in_order(response: Any) -> Sequence[Any]:
    """Return the choices of a response in order of index."""
    choices: Any = members(response).get("choices")
    if not isinstance(choices, (list, tuple)):
        return ()
    if len(choices) < 2:
        return choices
    return sorted(choices, key=lambda choice: integer(member(choice, "index")) or 0)


def _input(body: Mapping[str, Any]) -> Content:
    content: Content = {}
    messages = items(body, "messages")
    if messages:
        content[names.INPUT_MESSAGES] = [_message(message) for message in messages]
    tools = [*items(body, "tools"), *items(body, "functions")]
    if tools:
        content[names.TOOL_DEFINITIONS] = [tool_definition(tool) for tool in tools]
    return content


_PLAIN = {"role", "content"}
_ANSWERING = ("tool", "function")


def _message(message: Any) -> dict[str, Any]:
    role = role_of(message, "user")
    if (
        type(message) is dict
        and message.keys() == _PLAIN
        and type(message["content"]) is str
        and role not in _ANSWERING
    ):
        return {"role": role, "parts": [text(message["content"])]}  # fast path: most messages are like this
    name = member(message, "name")
    input_message = {"role": role, "parts": _message_parts(role, message)}
    return {**input_message, "name": string(name) or ""} if isinstance(name, str) else input_message


def _message_parts(role: str, message: Any) -> list[Part]:
    if role not in _ANSWERING:
        return _read_parts(message)
    answer, identity = member(message, "content"), member(message, "tool_call_id")
    if isinstance(answer, (list, tuple)):
        return [tool_call_answer(identity, parts_of(answer))]
    return [tool_call_response(identity, answer)]


def _read_parts(message: Any) -> list[Part]:
    """Read the parts of a message other than a tool result: reasoning, content, refusal, tool calls, audio."""
    parts = _reasoning_parts(message)
    content = member(message, "content")
    if content:
        annotations = items(message, "annotations")
        more = {"annotations": [generic(entry) for entry in annotations]} if annotations else {}
        parts += [text(content, **more)] if isinstance(content, str) else parts_of(content)
    refusal = member(message, "refusal")
    if refusal:
        parts.append({"type": "refusal", "content": plain(refusal)})
    parts += [_tool_call(call) for call in items(message, "tool_calls")]
    function = member(message, "function_call")
    if function is not None:  # the deprecated form of a tool call, without an id
        parts.append(tool_call(None, member(function, "name"), member(function, "arguments")))
    audio = member(message, "audio")
    if audio is not None:
        parts.append(_audio(audio))
    return parts


def _reasoning_parts(message: Any) -> list[Part]:
    """Read the reasoning of a message: one text, or else the entries of `reasoning_details`; encrypted content is left out."""
    thought = first_text(message, "reasoning_content", "reasoning")
    if thought:
        return [reasoning(thought)]
    texts = [first_text(entry, "text", "summary") for entry in items(message, "reasoning_details")]
    return [reasoning(content) for content in texts if content]


def _tool_call(call: Any) -> Part:
    custom = member(call, "custom")
    if custom is not None:
        return free_tool_call(member(call, "id"), member(custom, "name"), member(custom, "input"))
    function = member(call, "function")
    return tool_call(member(call, "id"), member(function, "name"), member(function, "arguments"))


def _audio(audio: Any) -> Part:
    data, transcript = member(audio, "data"), member(audio, "transcript")
    if not isinstance(data, str):
        return attached("audio", file_id=member(audio, "id"))
    part = {**attached("audio", data=data), "id": plain(member(audio, "id"))}
    return {**part, "transcript": transcript} if transcript else part


def _output(response: Any, reasons: Sequence[str]) -> Content:
    if not reasons:
        return {}
    return {
        names.OUTPUT_MESSAGES: [
            {"role": "assistant", "parts": _read_parts(member(choice, "message")), "finish_reason": reason}
            for choice, reason in zip(in_order(response), reasons, strict=False)
        ]
    }


CHAT = Endpoint(
    kind=operation_kinds.CHAT,
    request=_REQUEST,
    response=table(*RESPONSE, *USAGE),
    constants={names.OPENAI_API_TYPE: "chat_completions"},
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=failure,
    timings=server_timings,
    billing=billing,
    accumulator=ChoiceChunks,
    measured_values=MEASURED_VALUES,
    stream_usage=STREAM_USAGE,
)
