"""Convert the items of the Responses API to messages and parts; an item of an unknown type becomes a generic part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fields import items, member, string
from ..parts import (
    Part,
    attached,
    free_tool_call,
    generic,
    plain,
    reasoning,
    server_tool_call,
    server_tool_call_response,
    tool_call,
    tool_call_answer,
    tool_call_response,
    unreadable,
)
from .common import parts_of, role_of, tool_definition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Calls of tools that the application runs: item type -> name of the tool, and member with its arguments.
_CALLS = {
    "function_call": (None, "arguments"),
    "custom_tool_call": (None, "input"),
    "computer_call": ("computer", "actions"),  # older versions: one `action`
    "local_shell_call": ("local_shell", "action"),
    "shell_call": ("shell", "action"),
    "apply_patch_call": ("apply_patch", "operation"),
}
# Results of these calls: item type -> member with the result.
_ANSWERS = {
    "function_call_output": "output",
    "custom_tool_call_output": "output",
    "computer_call_output": "output",
    "local_shell_call_output": "output",
    "shell_call_output": "output",
    "apply_patch_call_output": "output",
}
# Tools that the provider runs: item type -> members of the call, and members of the result.
_SERVER_CALLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "web_search_call": (("action",), ()),
    "file_search_call": (("queries",), ("results",)),
    "code_interpreter_call": (("code", "container_id"), ("outputs",)),
    "image_generation_call": (
        ("action", "revised_prompt", "size", "quality", "background"),
        ("result", "output_format"),
    ),
    "mcp_call": (("server_label", "name", "arguments"), ("output", "error")),
    "mcp_list_tools": (("server_label",), ("tools", "error")),
    "tool_search_call": (("arguments", "execution"), ()),
    "program": (("code",), ()),
}
_SERVER_ANSWERS = {"tool_search_output": ("tools",), "program_output": ("result",)}


# Items that the application adds.
_FROM_THE_CALLER = ("mcp_approval_response", "configuration_update", "compaction_trigger")


def input_messages(given: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the items of the input as messages, without those that have nothing readable.

    Reasoning that is sent back to the provider is encrypted.
    """
    messages = map(input_message, given)
    return [message for message in messages if not all(map(unreadable, message["parts"])) or not message["parts"]]


def input_message(item: Any) -> dict[str, Any]:
    """Convert one item of the input to a message."""
    kind = string(member(item, "type"))
    if isinstance(item, str):
        return {"role": "user", "parts": parts_of(item)}
    if kind in (None, "message") and member(item, "role") is not None:
        return {"role": role_of(item, "user"), "parts": parts_of(member(item, "content"))}
    return {"role": role_of(item, _from(item, kind)), "parts": output_parts(item)}


def _from(item: Any, kind: str | None) -> str:
    if kind in _ANSWERS or (kind == "tool_search_output" and member(item, "execution") == "client"):
        return "tool"
    return "user" if kind in _FROM_THE_CALLER else "assistant"


def output_parts(item: Any) -> list[Part]:
    """Convert one item of the output, or of an earlier output in the input, to parts of a message."""
    kind = string(member(item, "type")) or ""
    if kind in _READERS:
        return _READERS[kind](item)
    if kind in _CALLS:
        return [_call(item, kind)]
    if kind in _ANSWERS:
        return [_tool_result(item, kind)]
    if kind in ("tool_search_call", "tool_search_output") and member(item, "execution") == "client":
        return [_searched(item, kind)]
    if kind in _SERVER_CALLS:
        return _server_tool(item, kind)
    if kind in _SERVER_ANSWERS:
        results = (*_SERVER_ANSWERS[kind], "status")
        return [server_tool_call_response(_identity(item), _chosen(item, _named(kind), results))]
    return [generic(item)]


def _searched(item: Any, kind: str) -> Part:
    """Convert a tool search that the application runs, or its result."""
    if kind == "tool_search_call":
        return free_tool_call(_identity(item), "tool_search", member(item, "arguments"))
    return tool_call_answer(_identity(item), _tools(member(item, "tools")))


def _call(item: Any, kind: str) -> Part:
    name, place = _CALLS[kind]
    given = member(item, place)
    if kind == "function_call":
        return tool_call(member(item, "call_id"), member(item, "name"), given)
    if kind == "computer_call":  # arguments have to be an object
        given = member(item, "action") if given is None else {"actions": given}
    return free_tool_call(member(item, "call_id"), name or member(item, "name"), given)


def _tool_result(item: Any, kind: str) -> Part:
    identity, output = _identity(item), member(item, _ANSWERS[kind])
    if kind == "apply_patch_call_output":
        members = {"status": member(item, "status"), "output": output}
        return tool_call_response(identity, {name: value for name, value in members.items() if value is not None})
    if member(output, "type") == "computer_screenshot":
        return tool_call_answer(
            identity, attached("image", url=member(output, "image_url"), file_id=member(output, "file_id"))
        )
    if isinstance(output, (list, tuple)) and output and member(output[0], "type"):
        return tool_call_answer(identity, parts_of(output))
    return tool_call_response(identity, output)


def _tools(tools: Any) -> list[dict[str, Any]]:
    return [tool_definition(tool) for tool in tools] if isinstance(tools, (list, tuple)) else []


def _reasoning(item: Any) -> Part:
    """Convert reasoning, in full or as a summary; encrypted content is left out."""
    texts = [member(entry, "text") for entry in (*items(item, "summary"), *items(item, "content"))]
    return reasoning("\n".join(text for text in texts if isinstance(text, str)), id=plain(member(item, "id")))


def _server_tool(item: Any, kind: str) -> list[Part]:
    arguments, results = _SERVER_CALLS[kind]
    name, identity = _named(kind), _identity(item)
    parts = [server_tool_call(identity, name, _chosen(item, name, (*arguments, "status")))]
    if any(member(item, member_name) is not None for member_name in results):
        parts.append(server_tool_call_response(identity, _chosen(item, name, results)))
    return parts


def _named(kind: str) -> str:
    """Return the name of the tool of an item type: `web_search` for `web_search_call`."""
    return kind.removesuffix("_call").removesuffix("_output")


def _identity(item: Any) -> Any:
    return member(item, "call_id") or member(item, "id")


def _chosen(item: Any, kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    chosen: dict[str, Any] = {"type": kind}
    for name in names:
        value = member(item, name)
        if value is not None:
            chosen[name] = _member_value(value, kind, name)
    return chosen


def _member_value(value: Any, kind: str, name: str) -> Any:
    if (kind, name) == ("image_generation", "result"):
        return attached("image", data=value)
    return _tools(value) if (kind, name) == ("tool_search", "tools") else plain(value)


_READERS: dict[str, Callable[[Any], list[Part]]] = {
    "message": lambda item: parts_of(member(item, "content")),
    "reasoning": lambda item: [_reasoning(item)],
    "compaction": lambda item: [{"type": "compaction", "id": plain(member(item, "id"))}],
    "additional_tools": lambda item: [{**generic(item), "tools": _tools(member(item, "tools"))}],
}
