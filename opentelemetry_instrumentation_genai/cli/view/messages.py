"""Messages as a page shows them: roles and parts, all of them plain texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..._conventions import names
from .records import clean, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTENT: Final[tuple[str, ...]] = (
    names.SYSTEM_INSTRUCTIONS,
    names.INPUT_MESSAGES,
    names.OUTPUT_MESSAGES,
    names.TOOL_DEFINITIONS,
    names.TOOL_CALL_ARGUMENTS,
    names.TOOL_CALL_RESULT,
    names.RETRIEVAL_QUERY_TEXT,
    names.RETRIEVAL_DOCUMENTS,
)
"""The attributes that have content, in the order in which they are shown."""

_SHORT: Final = 72  # characters of a line of JSON
_LONG: Final = 20_000  # characters of JSON that are laid out in such lines

Part = dict[str, str]


def conversation(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a call: `role`, `finish_reason`, whether it is of the `output`, and `parts`."""
    shown = []
    system = _parts(decoded(content.get(names.SYSTEM_INSTRUCTIONS)))
    if system:
        shown.append(_message("system", system))
    for name in (names.INPUT_MESSAGES, names.OUTPUT_MESSAGES):
        value = decoded(content.get(name))
        messages = value if isinstance(value, list) else [] if value is None else [value]
        shown += [_shown(message, output=name == names.OUTPUT_MESSAGES) for message in messages]
    _name_results(shown)
    return shown


def tools(content: Mapping[str, Any]) -> list[Part]:
    """Return the tools that the model had: `name`, `description`, and `parameters` as JSON."""
    value = decoded(content.get(names.TOOL_DEFINITIONS))
    return [_tool(tool) for tool in value] if isinstance(value, list) else []


def first_user_text(content: Mapping[str, Any], longest: int = 300) -> str:
    """Return how the first text of the user begins, in one line; empty if there is none."""
    value = decoded(content.get(names.INPUT_MESSAGES))
    for message in value if isinstance(value, list) else ():
        if isinstance(message, dict) and message.get("role") == "user":
            for part in _parts(message.get("parts")):
                if part["kind"] == "text" and part["text"].strip():
                    return " ".join(part["text"][: longest * 4].split())[:longest]
    return ""


def texts(content: Mapping[str, Any]) -> Iterator[str]:
    """Return all texts of a call, to search in."""
    for message in conversation(content):
        for part in message["parts"]:
            yield from (part["name"], part["text"])
    for name in CONTENT[4:]:
        if name in content:
            yield text_of(content[name])


def decoded(value: Any) -> Any:
    """Return what a text of JSON has; anything else, and a text that is none, unchanged."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def indented(value: Any) -> str:
    """Return a value as a text to be read: JSON, in text as well, with one member a line if it is long."""
    value = decoded(value)
    if isinstance(value, str):
        return clean(value)
    try:
        line = json.dumps(value, ensure_ascii=False, default=str)
        if len(line) > _LONG:
            line = json.dumps(value, ensure_ascii=False, indent=2, default=str)
        elif len(line) > _SHORT:
            line = _in_lines(value, "\n")
    except (ValueError, RecursionError):
        return "(nested too deep)"
    return clean(line)


def _in_lines(value: Any, margin: str) -> str:
    """Return JSON in which what fits into a line stands in one."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    if len(line) + len(margin) <= _SHORT or not isinstance(value, (list, dict)):
        return line
    inner = f"{margin}  "
    if isinstance(value, list):
        return f"[{inner}{f',{inner}'.join(_in_lines(item, inner) for item in value)}{margin}]"
    members = [f"{json.dumps(str(name), ensure_ascii=False)}: {_in_lines(item, inner)}" for name, item in value.items()]
    return f"{{{inner}{f',{inner}'.join(members)}{margin}}}"


def _name_results(messages: list[dict[str, Any]]) -> None:
    """Give each result of a tool the name of the tool, which only the call before it has."""
    parts = [part for message in messages for part in message["parts"]]
    called = {part["id"]: part["name"] for part in parts if part["kind"] == "tool_call"}
    for part in parts:
        if part["kind"] == "tool_result" and not part["name"]:
            part["name"] = called.get(part["id"], "")


def _message(role: str, parts: list[Part], *, output: bool = False, reason: str = "") -> dict[str, Any]:
    return {"role": role, "parts": parts, "output": output, "finish_reason": reason}


def _shown(message: Any, *, output: bool) -> dict[str, Any]:
    if not isinstance(message, dict):
        return _message("", [_part(message)], output=output)
    parts = _parts(message.get("parts", message.get("content")))
    return _message(_text(message.get("role")), parts, output=output, reason=_text(message.get("finish_reason")))


def _parts(value: Any) -> list[Part]:
    if value is None:
        return []
    return [_part(part) for part in (value if isinstance(value, list) else [value])]


def _part(part: Any) -> Part:
    """Return one part as texts; what it is unknown is shown as JSON."""
    if not isinstance(part, dict):
        return _shape("text", text_of(part))
    kind = part.get("type")
    match kind:
        case "text":
            return _shape("text", text_of(part.get("content", "")))
        case "reasoning":
            return _shape("reasoning", text_of(part.get("content", "")))
        case "tool_call" | "server_tool_call":
            value = part.get("arguments", part.get("server_tool_call"))
            return _shape("tool_call", indented(value), _text(part.get("name")), _text(part.get("id")))
        case "tool_call_response" | "server_tool_call_response":
            value = part.get("response", part.get("server_tool_call_response", part.get("result")))
            return _shape("tool_result", indented(value), _text(part.get("name")), _text(part.get("id")))
        case "blob" | "uri" | "file":
            return _shape("media", _whereabouts(part), _text(part.get("mime_type") or part.get("modality") or kind))
        case _:
            return _shape("other", indented(part), _text(kind))


def _whereabouts(part: Mapping[str, Any]) -> str:
    """Return where the bytes of a medium are, which are never loaded."""
    if "content" in part:
        content = part["content"]
        size = len(content) * 3 // 4 if isinstance(content, str) else 0
        return f"{size:,} bytes"
    return _text(part.get("uri") or part.get("file_id"))


def _tool(tool: Any) -> Part:
    if not isinstance(tool, dict):
        return {"name": "", "description": text_of(tool), "parameters": ""}
    parameters = tool.get("parameters")
    return {
        "name": _text(tool.get("name") or tool.get("type")),
        "description": _text(tool.get("description")),
        "parameters": "" if parameters is None else indented(parameters),
    }


def _shape(kind: str, text: str, name: str = "", identifier: str = "") -> Part:
    return {"kind": kind, "text": clean(text), "name": name, "id": identifier}


def _text(value: Any) -> str:
    return "" if value is None else clean(text_of(value))
