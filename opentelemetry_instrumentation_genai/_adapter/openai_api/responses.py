"""The Responses API: `POST /responses` and `GET /responses/{id}`, by OpenAI's API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..endpoint import Content, Endpoint
from ..failure import Failure, reported_error
from ..fields import count, field, integer, items, member, string, table
from .common import MEASURED_VALUES, REQUEST_TIER, RESPONSE, SAMPLING, output_type, parts_of, tool_definition
from .items import input_message, input_messages, output_parts
from .typed_events import TypedEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_UNFINISHED = ("queued", "in_progress")
_INCOMPLETE = {"max_output_tokens": "length", "max_tokens": "length", "content_filter": "content_filter"}
_FOR_THE_CALLER = frozenset(
    {"function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call"}
)


def conversation_id(value: Any) -> str | None:
    """Return the id of a conversation, given as such or as an object that has it."""
    return string(value) or string(member(value, "id"))


def compacted(value: object) -> bool | None:
    """Return True if a list of items contains a compaction, None otherwise."""
    entries = value if isinstance(value, (list, tuple)) else ()
    return True if any(member(entry, "type") == "compaction" for entry in entries) else None


def _cursor(value: object) -> str | None:
    return str(value) if isinstance(value, (int, str)) and value != "" else None


_REQUEST = table(
    *SAMPLING,
    field(names.REQUEST_MAX_TOKENS, integer, "max_output_tokens"),
    field(names.REQUEST_REASONING_LEVEL, string, "reasoning.effort"),
    field(names.REQUEST_PREVIOUS_RESPONSE_ID, string, "previous_response_id"),
    field(names.CONVERSATION_ID, conversation_id, "conversation"),
    field(names.CONVERSATION_COMPACTED, compacted, "input"),
    field(names.OUTPUT_TYPE, output_type, "text.format.type"),
    field(names.PROMPT_NAME, string, "prompt.id"),
    field(names.PROMPT_VERSION, string, "prompt.version"),
    REQUEST_TIER,
)
RESPONSE_ATTRIBUTES = (
    *RESPONSE,
    field(names.RESPONSE_STATUS, string, "status"),
    field(names.CONVERSATION_ID, conversation_id, "conversation"),
    field(names.CONVERSATION_COMPACTED, compacted, "output"),
)
# ResponseUsage of the API reference.
RESPONSE_USAGE = (
    field(names.USAGE_INPUT_TOKENS, count, "usage.input_tokens"),
    field(names.USAGE_OUTPUT_TOKENS, count, "usage.output_tokens"),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.input_tokens_details.cached_tokens"),
    field(names.USAGE_CACHE_WRITE_INPUT_TOKENS, count, "usage.input_tokens_details.cache_write_tokens"),
    field(names.USAGE_CACHE_CREATION_INPUT_TOKENS, count, "usage.input_tokens_details.cache_write_tokens"),
    field(names.USAGE_REASONING_OUTPUT_TOKENS, count, "usage.output_tokens_details.reasoning_tokens"),
)


def _finish_reasons(response: Any, streamed: bool) -> list[str]:
    """Return the one finish reason, derived from the status of the response: this API has no finish reasons."""
    status = string(member(response, "status"))
    if status is None or (status in _UNFINISHED and not streamed):
        return []  # a background response that is still running
    if status == "completed":
        return ["tool_calls" if _awaits_tool_result(response) else "stop"]
    if status == "incomplete":
        reason = string(member(member(response, "incomplete_details"), "reason"))
        return [_INCOMPLETE.get(reason or "", reason or "error")]
    return ["error"]


def _awaits_tool_result(response: Any) -> bool:
    """Return whether the output has a tool call that the application still has to answer."""
    output = items(response, "output")
    calls = {str(member(entry, "call_id")) for entry in output if _is_for_the_caller(entry)}
    return bool(calls.difference(str(member(entry, "call_id")) for entry in output if _is_answer(entry)))


def _is_for_the_caller(entry: Any) -> bool:
    kind = string(member(entry, "type"))
    return kind in _FOR_THE_CALLER or (kind == "tool_search_call" and member(entry, "execution") == "client")


def _is_answer(entry: Any) -> bool:
    kind = member(entry, "type")
    return isinstance(kind, str) and kind.endswith("_output")


def _failure(response: Any) -> Failure | None:
    error = member(response, "error")
    return reported_error(error) if member(response, "status") in ("failed", None) else None


def _counts_usage(response: Any, first: Callable[[str], bool]) -> bool:
    """Return whether a call that creates a response counts its usage.

    A background response may have been fetched, and counted, before its stream ends.
    """
    identity = _finished_in_background(response)
    return identity is None or first(identity)


def counts_fetched_usage(response: Any, first: Callable[[str], bool]) -> bool:
    """Return whether a call that fetches a response counts its usage: only for a background response not counted before."""
    identity = _finished_in_background(response)
    return identity is not None and first(identity)


def _finished_in_background(response: Any) -> str | None:
    """Return the id of a background response that has ended, None for any other; by the API reference it has its usage then."""
    if not _runs_in_background(response) or member(response, "usage") is None:
        return None
    return None if member(response, "status") in _UNFINISHED else string(member(response, "id"))


def _runs_in_background(response: Any) -> bool:
    """Return whether a response goes on, or has gone on, after the call that created it."""
    return member(response, "background") is True


def _input(body: Mapping[str, Any]) -> Content:
    content = _settings(body)
    given = member(body, "input")
    if isinstance(given, str):
        content[names.INPUT_MESSAGES] = [{"role": "user", "parts": parts_of(given)}]
    elif isinstance(given, (list, tuple)):
        content[names.INPUT_MESSAGES] = input_messages(given)
    return content


def _settings(source: Any) -> Content:
    """Read the system instructions and tool definitions of a request, or of a response, which repeats them."""
    content: Content = {}
    instructions = member(source, "instructions")
    if isinstance(instructions, str):
        content[names.SYSTEM_INSTRUCTIONS] = parts_of(instructions)
    elif isinstance(instructions, (list, tuple)):
        content[names.SYSTEM_INSTRUCTIONS] = [part for entry in instructions for part in input_message(entry)["parts"]]
    tools = items(source, "tools")
    if tools:
        content[names.TOOL_DEFINITIONS] = [tool_definition(tool) for tool in tools]
    return content


def _output(response: Any, reasons: Sequence[str]) -> Content:
    parts = [part for entry in items(response, "output") for part in output_parts(entry)]
    if not parts and not reasons:
        return {}
    reason = reasons[0] if reasons else ""
    return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": parts, "finish_reason": reason}]}


def _fetched(response: Any, reasons: Sequence[str]) -> Content:
    return {**_settings(response), **_output(response, reasons)}


RESPONSES = Endpoint(
    kind=operation_kinds.CHAT,
    messages="input",
    request=_REQUEST,
    response=table(*RESPONSE_ATTRIBUTES, *RESPONSE_USAGE),
    constants={names.OPENAI_API_TYPE: "responses"},
    finish_reasons=_finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=_failure,
    accumulator=TypedEvents,
    measured_values=MEASURED_VALUES,
    counts_usage=_counts_usage,
    task=names.RESPONSE_ID,
    creates_task=_runs_in_background,
)
FETCH_RESPONSE = Endpoint(
    kind=operation_kinds.FETCH_RESPONSE,
    input="parameters",
    request=table(
        field(names.RESPONSE_ID, string, "id"),
        field(names.REQUEST_STREAM_CURSOR, _cursor, "starting_after"),
    ),
    response=table(*RESPONSE_ATTRIBUTES, *RESPONSE_USAGE),
    constants={names.OPENAI_API_TYPE: "responses"},
    finish_reasons=_finish_reasons,
    output_content=_fetched,
    counts_usage=counts_fetched_usage,
    task=names.RESPONSE_ID,
    accumulator=TypedEvents,
    measured_values=MEASURED_VALUES,
)
