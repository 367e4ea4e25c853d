"""The requests to an MCP server as endpoints: which attributes and which content are read from request and result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._adapter.endpoint import Endpoint
from ..._adapter.failure import reported, reported_error
from ..._adapter.fields import field, integer, member, members, string, table, whole_string
from ..._adapter.parts import left_out, plain
from ..._conventions import names
from ..._conventions.operation_kinds import MCP_REQUEST, MCP_TOOL_CALL, MCP_WITHIN_TOOL
from ..._operations.endpoints import RESULT
from ._results import json_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._adapter.endpoint import Content
    from ..._adapter.failure import Failure

# The codes that JSON-RPC reserves, and that by which the SDK's servers answer where a handler has raised. A server may put any other number into an error.
_CODES = frozenset({"0", *(str(-code) for code in range(32_000, 32_769))})
_IDENTITY = table(
    field(names.MCP_METHOD_NAME, string, "method"),
    field(names.TOOL_NAME, string, "tool"),
    field(names.PROMPT_NAME, string, "prompt"),
    field(names.MCP_PROTOCOL_VERSION, string, "protocol_version"),
    field(names.NETWORK_TRANSPORT, string, "transport"),
    field(names.NETWORK_PROTOCOL_NAME, string, "protocol"),
)
_REQUEST = table(
    field(names.JSONRPC_REQUEST_ID, string, "request_id"),
    field(names.MCP_SESSION_ID, string, "session_id"),
    field(names.MCP_RESOURCE_URI, string, "uri"),
)

# By which an application makes requests; what it sends otherwise goes by `send_request` alone.
_METHODS = (
    "initialize",
    "send_ping",
    "set_logging_level",
    "list_resources",
    "list_resource_templates",
    "read_resource",
    "subscribe_resource",
    "unsubscribe_resource",
    "call_tool",
    "list_prompts",
    "get_prompt",
    "complete",
    "list_tools",
)


def _no_model(_body: Mapping[str, Any]) -> str | None:
    return None


def _code(value: Any) -> str | None:
    """Return the code of an error of JSON-RPC as a text."""
    code = integer(value)
    return None if code is None else str(code)


_RESPONSE = table(field(names.RPC_RESPONSE_STATUS_CODE, _code, "error.code"))


def _arguments(body: Mapping[str, Any]) -> Content:
    """Return what a tool is given."""
    value = body.get("arguments")
    return {} if left_out(value) else {names.TOOL_CALL_ARGUMENTS: plain(value)}


def _variables(body: Mapping[str, Any]) -> Content:
    """Return the variables of a prompt, each in an attribute of its own."""
    found = ((string(name), whole_string(value)) for name, value in members(body.get("arguments")).items())
    return {names.PROMPT_VARIABLE + name: value for name, value in found if name and value}


def _result(response: Any, _reasons: Sequence[str]) -> Content:
    """Return what a tool has returned."""
    held = members(response)
    return {names.TOOL_CALL_RESULT: json_of(held[RESULT])} if RESULT in held else {}


def _failure(response: Any) -> Failure | None:
    """Return the failure that the result of a tool reports, or that an exception of the SDK has received."""
    result = members(member(response, RESULT))
    if result.get("isError") is True or result.get("is_error") is True:  # of mcp 1, and of 2
        return reported("tool_error", None)
    return reported_error(member(response, "error"))


REQUEST = Endpoint(
    MCP_REQUEST,
    request=_REQUEST,
    response=_RESPONSE,
    identity=_IDENTITY,
    model=_no_model,
    input_content=_variables,
    failure=_failure,
    methods=tuple(f"client.session:ClientSession.{name}" for name in _METHODS),
    measured_values={names.RPC_RESPONSE_STATUS_CODE: _CODES},
)
TOOL_CALL = replace(REQUEST, kind=MCP_TOOL_CALL, input_content=_arguments, output_content=_result)
WITHIN_TOOL = replace(TOOL_CALL, kind=MCP_WITHIN_TOOL)
