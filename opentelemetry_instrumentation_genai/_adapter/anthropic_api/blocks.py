"""Convert the content blocks of a message to parts; a block of an unknown type becomes a generic part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fields import items, member, string
from ..parts import (
    Part,
    attached,
    generic,
    modality_of,
    named,
    plain,
    reasoning,
    server_tool_call,
    server_tool_call_response,
    text,
    tool_call,
    tool_call_answer,
    tool_call_response,
    unread,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_VIEWED_AS_BYTES = ("image", "pdf")  # `file_type` of a text editor's result
_CREDENTIALS = ("authorization_token", "headers")
# How deep blocks may be nested. The API allows two levels: a document in the result of a tool, made of blocks.
_LEVELS = 3


def parts_of(content: Any, levels: int = _LEVELS) -> list[Part]:
    """Convert the content of a message, a text or a list of blocks, to parts.

    Args:
        content: the text, or the blocks.
        levels: how deep blocks may be nested; a deeper block becomes a generic part.
    """
    if isinstance(content, str):
        return [text(content)]
    return [part_of(block, levels) for block in content] if isinstance(content, (list, tuple)) else []


def part_of(block: Any, levels: int = _LEVELS) -> Part:
    """Convert one block to a part."""
    if isinstance(block, str):
        return text(block)
    kind = string(member(block, "type")) or ""
    nesting = _server_answer if kind.endswith("_tool_result") else _NESTING.get(kind)
    if nesting is not None and levels > 0:
        return nesting(block, levels - 1)
    return _READERS.get(kind, _other)(block)


def tool_definition(tool: Any) -> dict[str, Any]:
    """Return a tool by the conventions' schema: the caller's tools are functions, the provider's keep their type.

    Credentials for an MCP server are left out.
    """
    definition = generic(tool)
    for credential in _CREDENTIALS:
        definition.pop(credential, None)
    kind = definition["type"]
    definition["type"] = "function" if kind in ("custom", "unknown") else kind
    if "input_schema" in definition:
        definition["parameters"] = definition.pop("input_schema")
    return {**definition, "name": named(definition.get("name"), kind)}


def _other(block: Any) -> Part:
    part: Part = _readable(generic(block))
    return part


def _readable(source: Any) -> Any:
    """Return JSON values without what only the provider can read: signatures and encrypted content."""
    if isinstance(source, list):
        return [_readable(entry) for entry in source]
    if not isinstance(source, dict):
        return source
    return {
        name: _readable(value)
        for name, value in source.items()
        if name != "signature" and not name.startswith("encrypted_")
    }


def _text(block: Any) -> Part:
    content = member(block, "text")
    if not isinstance(content, str):
        content = "" if content is None else str(plain(content))
    citations = items(block, "citations")
    return text(content, citations=[_other(entry) for entry in citations]) if citations else text(content)


def _thinking(block: Any) -> Part:
    thought = member(block, "thinking")
    return reasoning(thought if isinstance(thought, str) else "")


def _redacted(_block: object) -> Part:
    """Return a reasoning part without content: it is encrypted."""
    return reasoning("", redacted=True)


def _media(block: Any, levels: int) -> Part:
    """Convert an image or a document by its source: inline data, a URL, a file id, a text, or blocks."""
    source, kind = member(block, "source"), str(member(block, "type"))
    form, mime_type = member(source, "type"), member(source, "media_type")
    about = {name: plain(value) for name in ("title", "context") if (value := member(block, name)) is not None}
    if form == "text" and isinstance(member(source, "data"), str):
        return {"type": kind, "content": plain(member(source, "data")), "mime_type": plain(mime_type), **about}
    if form == "content":
        return {"type": kind, "content": parts_of(member(source, "content"), levels), **about}
    known, data = string(mime_type), member(source, "data")
    modality = modality_of(known) if known and kind != "image" else kind
    if form == "base64" and not isinstance(data, str):  # a file or path, which the SDK reads only on sending
        return {**unread(modality, known), **about}
    url, file_id = member(source, "url"), member(source, "file_id")
    return {**attached(modality, url=url, data=data, file_id=file_id, mime_type=known), **about}


def _tool_result(block: Any, levels: int) -> Part:
    identity, content = member(block, "tool_use_id"), member(block, "content")
    if isinstance(content, (list, tuple)):
        answer = tool_call_answer(identity, parts_of(content, levels))
    else:
        answer = tool_call_response(identity, content)
    return {**answer, "is_error": True} if member(block, "is_error") is True else answer


def _tool_use(block: Any) -> Part:
    return tool_call(member(block, "id"), member(block, "name"), member(block, "input"))


def _server_tool_use(block: Any) -> Part:
    """Convert a call of a tool that the provider runs, or of an MCP server that it calls."""
    name = named(member(block, "name"))
    call = tool_call(None, name, member(block, "input"))
    details: dict[str, Any] = {"type": name, "input": call["arguments"]}
    server = member(block, "server_name")
    if server is not None:
        details = {"type": "mcp", "server_name": plain(server), "input": call["arguments"]}
    return server_tool_call(member(block, "id"), name, details)


def _server_answer(block: Any, levels: int) -> Part:
    kind = str(member(block, "type")).removesuffix("_tool_result")
    details: dict[str, Any] = {"type": kind, "content": _readable(_result(member(block, "content"), levels))}
    if member(block, "is_error") is True:
        details["is_error"] = True
    return server_tool_call_response(member(block, "tool_use_id"), details)


def _result(content: Any, levels: int) -> Any:
    """Return a result as JSON values, without the bytes of documents and of viewed files."""
    if isinstance(content, (list, tuple)) and levels > 0:
        return [_result(entry, levels - 1) for entry in content]
    if member(content, "type") in ("document", "image"):
        return part_of(content, levels)
    result = plain(content)
    if isinstance(result, dict) and "content" in result:
        inner = member(content, "content")
        if member(content, "file_type") in _VIEWED_AS_BYTES:
            result["content"] = plain({"type": "base64", "data": inner})
        elif not isinstance(inner, str) and levels > 0:
            result["content"] = _result(inner, levels - 1)
    return result


_NESTING: dict[str, Callable[[Any, int], Part]] = {"image": _media, "document": _media, "tool_result": _tool_result}
_READERS: dict[str, Callable[[Any], Part]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "server_tool_use": _server_tool_use,
    "mcp_tool_use": _server_tool_use,
    "compaction": lambda block: {"type": "compaction", "content": plain(member(block, "content"))},
    "container_upload": lambda block: attached("document", file_id=member(block, "file_id")),
}
