"""Responses on a connection of the Realtime API, by OpenAI's API reference: those of today, and those of the beta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..endpoint import Content, Endpoint
from ..failure import Failure, reported, reported_error
from ..fields import count, field, integer, items, member, number, string, table
from ..parts import Part, attached, text, unread
from .common import parts_of, role_of, tool_definition
from .items import input_message, output_parts
from .realtime_events import RealtimeEvents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INCOMPLETE = {"max_output_tokens": "length"}
_CALLS = frozenset({"function_call"})
_AUDIO = frozenset({"input_audio", "output_audio", "audio"})


def _modality(value: object) -> str | None:
    """Return the `gen_ai.output.type` of the modalities that a response may have: audio always comes with its transcript."""
    if not isinstance(value, (list, tuple)) or not value:
        return None
    return "speech" if "audio" in value else "text"


_REQUEST = table(
    field(names.REQUEST_TEMPERATURE, number, "temperature"),  # of the beta, as are the modalities without `output_`
    field(names.REQUEST_MAX_TOKENS, integer, "max_response_output_tokens"),
    field(names.REQUEST_MAX_TOKENS, integer, "max_output_tokens"),
    field(names.OUTPUT_TYPE, _modality, "modalities"),
    field(names.OUTPUT_TYPE, _modality, "output_modalities"),
    field(names.REQUEST_REASONING_LEVEL, string, "reasoning.effort"),
    field(names.PROMPT_NAME, string, "prompt.id"),
    field(names.PROMPT_VERSION, string, "prompt.version"),
)
_IN, _OUT = "usage.input_token_details", "usage.output_token_details"
_CACHED = f"{_IN}.cached_tokens_details"
_RESPONSE = table(
    field(names.RESPONSE_ID, string, "id"),
    field(names.RESPONSE_MODEL, string, "model"),
    field(names.RESPONSE_STATUS, string, "status"),
    field(names.CONVERSATION_ID, string, "conversation_id"),
    field(names.OPENAI_REALTIME_SESSION_ID, string, "session_id"),
    field(names.USAGE_INPUT_TOKENS, count, "usage.input_tokens"),
    field(names.USAGE_OUTPUT_TOKENS, count, "usage.output_tokens"),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, f"{_IN}.cached_tokens"),
    field(names.USAGE_TEXT_INPUT_TOKENS, count, f"{_IN}.text_tokens"),
    field(names.USAGE_IMAGE_INPUT_TOKENS, count, f"{_IN}.image_tokens"),
    field(names.USAGE_AUDIO_INPUT_TOKENS, count, f"{_IN}.audio_tokens"),
    field(names.USAGE_TEXT_CACHE_READ_INPUT_TOKENS, count, f"{_CACHED}.text_tokens"),
    field(names.USAGE_IMAGE_CACHE_READ_INPUT_TOKENS, count, f"{_CACHED}.image_tokens"),
    field(names.USAGE_AUDIO_CACHE_READ_INPUT_TOKENS, count, f"{_CACHED}.audio_tokens"),
    field(names.USAGE_TEXT_OUTPUT_TOKENS, count, f"{_OUT}.text_tokens"),
    field(names.USAGE_AUDIO_OUTPUT_TOKENS, count, f"{_OUT}.audio_tokens"),
)


def _finish_reasons(response: Any, _streamed: bool) -> list[str]:
    """Return the one finish reason, derived from the status; of a response that was interrupted it is the provider's reason for that."""
    status = string(member(response, "status"))
    reason = string(member(member(response, "status_details"), "reason"))
    if status is None:  # it was not created
        return []
    if status == "completed":
        return [
            "tool_calls"
            if any(string(member(entry, "type")) in _CALLS for entry in items(response, "output"))
            else "stop"
        ]
    if status == "incomplete":
        return [_INCOMPLETE.get(reason or "", reason or "error")]
    return [reason or status] if status == "cancelled" else ["error"]


def _failure(response: Any) -> Failure | None:
    """Return the failure of a response; one that was interrupted has not failed."""
    error = member(response, "error")
    if error is None and member(response, "status") == "failed":
        error = member(member(response, "status_details"), "error")
        return reported_error(error) or reported(None, None)
    return reported_error(error)


def _input(body: Mapping[str, Any]) -> Content:
    return {**_messages(items(body, "input"), {}), **_settings(body)}


def _settings(source: Any) -> Content:
    """Read the system instructions and tool definitions of a request, or of what a response has of its session."""
    content: Content = {}
    instructions, tools = member(source, "instructions"), items(source, "tools")
    if isinstance(instructions, str) and instructions:
        content[names.SYSTEM_INSTRUCTIONS] = parts_of(instructions)
    if tools:
        content[names.TOOL_DEFINITIONS] = [tool_definition(tool) for tool in tools]
    return content


def _output(response: Any, reasons: Sequence[str]) -> Content:
    """Read the output messages, and what is known of the input only since the response began, such as transcripts of audio."""
    content, transcripts = _settings(response), member(response, "transcripts")
    if transcripts:
        content.update(_messages(items(response, "input"), transcripts))
    parts = [part for entry in items(response, "output") for part in _item_parts(entry, {})]
    if parts or reasons:
        reason = reasons[0] if reasons else ""
        content[names.OUTPUT_MESSAGES] = [{"role": "assistant", "parts": parts, "finish_reason": reason}]
    return content


def _messages(entries: Sequence[Any], transcripts: Mapping[str, str]) -> Content:
    return {names.INPUT_MESSAGES: [_message(entry, transcripts) for entry in entries]} if entries else {}


def _message(entry: Any, transcripts: Mapping[str, str]) -> dict[str, Any]:
    if member(entry, "type") != "message":
        return input_message(entry)
    return {"role": role_of(entry, "user"), "parts": _item_parts(entry, transcripts)}


def _item_parts(entry: Any, transcripts: Mapping[str, str]) -> list[Part]:
    if member(entry, "type") != "message":
        return output_parts(entry)
    transcript = transcripts.get(str(member(entry, "id")))
    return [part for piece in items(entry, "content") for part in _parts(piece, transcript)]


def _parts(piece: Any, transcript: str | None) -> list[Part]:
    """Convert a piece of content: of audio, its transcript where there is one, else the audio itself."""
    if string(member(piece, "type")) not in _AUDIO:
        return parts_of([piece])
    words, data = transcript or member(piece, "transcript"), member(piece, "audio")
    if isinstance(words, str):
        return [text(words)]
    return [attached("audio", data=data) if isinstance(data, str) else unread("audio", None)]


REALTIME = Endpoint(
    kind=operation_kinds.REALTIME,
    messages="input",
    request=_REQUEST,
    response=_RESPONSE,
    constants={names.OPENAI_API_TYPE: "realtime"},
    finish_reasons=_finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=_failure,
    accumulator=RealtimeEvents,
)
