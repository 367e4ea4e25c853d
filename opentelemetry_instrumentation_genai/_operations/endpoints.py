"""The operations as endpoints: which attributes and which content are read from what the application gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.endpoint import Endpoint
from .._adapter.failure import reported
from .._adapter.fields import field, integer, member, members, string, table
from .._adapter.openai_api.common import parts_of
from .._adapter.parts import left_out, plain, text
from .._conventions import names
from .._conventions.operation_kinds import APPLICATION_RETRIEVAL, EXECUTE_TOOL, INVOKE_AGENT, INVOKE_WORKFLOW, STEP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .._adapter.endpoint import Content
    from .._adapter.failure import Failure

RESULT = "result"
"""The member of the response with the result of an operation."""
FAILED = "failed"
"""The member of the response that is there if a tool has failed: the model gets an error as the result, and the run goes on."""
_TOOL_ERROR = "tool_error"


def _no_model(_body: Mapping[str, Any]) -> str | None:
    return None


def _given(attribute: str, name: str, made: Callable[[Any], Any] = plain) -> Callable[[Mapping[str, Any]], Content]:
    """Return a reader of content: what the application gave as `name`, under an attribute."""

    def read(body: Mapping[str, Any]) -> Content:
        value = body.get(name)
        return {} if left_out(value) else {attribute: made(value)}

    return read


def _result(attribute: str, made: Callable[[Any], Any] = plain) -> Callable[[Any, Sequence[str]], Content]:
    """Return a reader of content: the result of the operation, under an attribute."""

    def read(response: Any, _reasons: Sequence[str]) -> Content:
        held = members(response)
        return {attribute: made(held[RESULT])} if RESULT in held else {}

    return read


def _documents(documents: Any) -> list[Any]:
    """Return documents by the JSON schema of the conventions: objects; any other value is the member `content` of one."""
    entries = documents if isinstance(documents, (list, tuple)) else (documents,)
    found = (plain(entry) for entry in entries)
    return [entry if isinstance(entry, dict) else {"content": entry} for entry in found]


def _messages(role: str, **more: Any) -> Callable[[Any], list[Any]]:
    """Return a function that makes messages of what the application gives: a text, messages with a role, or any JSON value."""

    def messages(value: Any) -> list[Any]:
        entries = value if isinstance(value, list) and all(member(entry, "role") for entry in value) else [value]
        return [_message(entry, role, more) for entry in entries]

    return messages


def _message(entry: Any, role: str, more: Mapping[str, Any]) -> dict[str, Any]:
    role, content = string(member(entry, "role")) or role, member(entry, "content")
    content = entry if content is None else content
    if isinstance(content, str):
        parts = [text(content)]
    elif isinstance(content, list) and content and all(string(member(part, "type")) for part in content):
        parts = parts_of(content)
    else:
        parts = [_generic(content)]
    return {"role": role, "parts": parts, **more}


def _generic(value: Any) -> dict[str, Any]:
    """Return a part for a value that is no text."""
    return {"type": "json", "content": plain(value)}


def _failure(response: Any) -> Failure | None:
    held = members(response)
    return reported(_TOOL_ERROR, held.get(RESULT)) if held.get(FAILED) else None


TOOL = Endpoint(
    EXECUTE_TOOL,
    request=table(
        field(names.TOOL_CALL_ID, string, "call_id"),
        field(names.TOOL_DESCRIPTION, string, "description"),
    ),
    response=table(),
    identity=table(
        field(names.TOOL_NAME, string, "name"),
        field(names.TOOL_TYPE, string, "type"),
        field(names.AGENT_NAME, string, "agent_name"),
    ),
    model=_no_model,
    input_content=_given(names.TOOL_CALL_ARGUMENTS, "arguments"),
    output_content=_result(names.TOOL_CALL_RESULT),
    failure=_failure,
)
AGENT = Endpoint(
    INVOKE_AGENT,
    request=table(
        field(names.AGENT_ID, string, "agent_id"),
        field(names.AGENT_DESCRIPTION, string, "description"),
        field(names.AGENT_VERSION, string, "version"),
    ),
    response=table(),
    identity=table(field(names.AGENT_NAME, string, "name")),
    input_content=_given(names.INPUT_MESSAGES, "input", _messages("user")),
    output_content=_result(names.OUTPUT_MESSAGES, _messages("assistant", finish_reason="stop")),
)
WORKFLOW = Endpoint(
    INVOKE_WORKFLOW,
    request=table(),
    response=table(),
    identity=table(field(names.WORKFLOW_NAME, string, "name")),
    model=_no_model,
    input_content=_given(names.INPUT_MESSAGES, "input", _messages("user")),
    output_content=_result(names.OUTPUT_MESSAGES, _messages("assistant", finish_reason="stop")),
)
RETRIEVAL = Endpoint(
    APPLICATION_RETRIEVAL,
    request=table(
        field(names.DATA_SOURCE_ID, string, "data_source"),
        field(names.RETRIEVAL_TOP_K, integer, "top_k"),
    ),
    response=table(),
    input_content=_given(names.RETRIEVAL_QUERY_TEXT, "query", string),
    output_content=_result(names.RETRIEVAL_DOCUMENTS, _documents),
)
APPLICATION_STEP = Endpoint(
    STEP,
    request=table(field(names.STEP_NAME, string, "name")),
    response=table(),
    model=_no_model,
)
