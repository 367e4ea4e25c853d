"""Contents, system instructions and tools of a request or a response, by the API reference, as parts of the conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import items, member
from ..._adapter.parts import (
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
    tool_call_response,
)
from ._bodies import spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ASSISTANT = "assistant"
_ROLES = {"model": _ASSISTANT, "function": "tool"}
_CODE = "code_execution"
# Members of a part that say nothing of its content. A signature is for the provider alone.
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"})


def message(content: Any) -> dict[str, Any]:
    """Return a message of a request."""
    role = named(member(content, "role"), "user")
    return {"role": _ROLES.get(role, role), "parts": parts_of(content)}


def parts_of(content: Any) -> list[Part]:
    """Return the parts of a content; a text alone is one. What has nothing but a signature is left out."""
    if isinstance(content, str):
        return [text(content)]
    found = (_part(entry) for entry in items(content, "parts"))
    return [part for part in found if part is not None]


def _part(entry: Any) -> Part | None:
    if isinstance(entry, str):
        return text(entry)
    held = spelled(entry)
    written, thought = held.get("text"), held.get("thought") is True
    if isinstance(written, str):
        return reasoning(written) if thought else (text(written) if written or held.keys() == {"text"} else None)
    for name, read in _READERS.items():
        if held.get(name) is not None:
            return read(spelled(held[name]))
    others = {name: value for name, value in held.items() if name not in _BESIDE and value is not None}
    return generic(others, next(iter(others))) if others else None


def _inline(data: Mapping[str, Any]) -> Part:
    kind = data.get("mimeType")
    return attached(modality_of(kind), data=data.get("data"), mime_type=kind)


def _file(data: Mapping[str, Any]) -> Part:
    kind = data.get("mimeType")
    return attached(modality_of(kind), url=data.get("fileUri"), mime_type=kind)


def _call(call: Mapping[str, Any]) -> Part:
    arguments = call.get("args")
    return tool_call(call.get("id"), call.get("name"), {} if arguments is None else arguments)


def _response(response: Mapping[str, Any]) -> Part:
    """Return the response of a function. It has the function's name, because calls often have no id."""
    part = tool_call_response(response.get("id"), response.get("response"))
    media = parts_of(response)
    return {**part, "name": named(response.get("name")), **({"parts": media} if media else {})}


def _code(code: Mapping[str, Any]) -> Part:
    details = {"type": _CODE, "language": plain(code.get("language")), "code": plain(code.get("code"))}
    return server_tool_call(code.get("id"), _CODE, details)


def _code_result(result: Mapping[str, Any]) -> Part:
    details = {"type": _CODE, "outcome": plain(result.get("outcome")), "output": plain(result.get("output"))}
    return server_tool_call_response(result.get("id"), details)


def _server_call(call: Mapping[str, Any]) -> Part:
    kind = named(call.get("toolType"))
    return server_tool_call(call.get("id"), kind, {"type": kind, "input": plain(call.get("args"))})


def _server_response(response: Mapping[str, Any]) -> Part:
    kind = named(response.get("toolType"))
    return server_tool_call_response(response.get("id"), {"type": kind, "content": plain(response.get("response"))})


_READERS: dict[str, Callable[[Mapping[str, Any]], Part]] = {
    "inlineData": _inline,
    "fileData": _file,
    "functionCall": _call,
    "functionResponse": _response,
    "executableCode": _code,
    "codeExecutionResult": _code_result,
    "toolCall": _server_call,
    "toolResponse": _server_response,
}


def tool_definitions(tools: Any) -> list[dict[str, Any]]:
    """Return the tools of a request. Those of the provider are named only: their settings may have keys in them."""
    found: list[dict[str, Any]] = []
    for tool in tools:
        held = spelled(tool)
        found += [_function(declaration) for declaration in items(held, "functionDeclarations")]
        found += [
            {"type": name, "name": name}
            for name, value in held.items()
            if name != "functionDeclarations" and value is not None
        ]
    return found


def _function(declaration: Any) -> dict[str, Any]:
    held = spelled(declaration)
    parameters = held.get("parametersJsonSchema") or held.get("parameters")
    described = {"description": held.get("description"), "parameters": parameters}
    given = {name: plain(value) for name, value in described.items() if value is not None}
    return {"type": "function", "name": named(held.get("name"), "function"), **given}
