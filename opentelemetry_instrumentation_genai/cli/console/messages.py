"""Captured content as lines of role and text. What is no content of the conventions is shown as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._conventions import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST = 1_000  # characters of one message
_MOST = 60  # messages of one call
_FIRST = 5  # of these, from the beginning
_LARGEST = 1 << 22  # characters of a JSON text, which would take more than 50 ms to read
# What a part is says more than its role: Anthropic's API has the results of tools in messages of the user.
_ROLES = {"reasoning": "reasoning", "tool_call_response": "tool", "server_tool_call_response": "tool"}


class Message(NamedTuple):
    """One part of a message.

    Attributes:
        role: the role of its author, or what it is.
        text: what it says, or its beginning.
        known: whether a call of the same conversation may have had it before.
    """

    role: str
    text: str
    known: bool = False


def messages_of(attributes: Mapping[str, Any]) -> tuple[Message, ...]:
    """Return the captured content of a span or an event, in the order of the conversation.

    Args:
        attributes: content as JSON texts, or structured.
    """
    found = [*_messages(attributes)]
    if len(found) > _MOST:
        last = _MOST - _FIRST
        left_out = Message("…", f"{len(found) - _MOST:,} parts are not shown")
        found = [*found[:_FIRST], left_out, *found[-last:]]
    return tuple(found)


def _messages(attributes: Mapping[str, Any]) -> Iterator[Message]:
    get = attributes.get
    if tools := [tool.get("name") for tool in _read(get(names.TOOL_DEFINITIONS)) if isinstance(tool, dict)]:
        yield Message("tools", _cut(", ".join(map(str, tools))), known=True)
    for part in _read(get(names.SYSTEM_INSTRUCTIONS)):
        yield Message("system", _part(part), known=True)
    given = _read(get(names.INPUT_MESSAGES))
    for number, message in enumerate(given, 1):
        yield from (part._replace(known=number < len(given)) for part in _parts(message))
    for message in _read(get(names.OUTPUT_MESSAGES)):
        yield from _parts(message)
    for name, role in _SINGLE.items():
        if (value := get(name)) is not None:
            yield Message(role, _cut(value if isinstance(value, str) else _json(value)))


_SINGLE = {
    names.TOOL_CALL_ARGUMENTS: "arguments",
    names.TOOL_CALL_RESULT: "result",
    names.RETRIEVAL_QUERY_TEXT: "query",
    names.RETRIEVAL_DOCUMENTS: "documents",
}


def _parts(message: Any) -> Iterator[Message]:
    if not isinstance(message, dict) or not isinstance(parts := message.get("parts"), (list, tuple)):
        yield Message("?", _cut(message if isinstance(message, str) else _json(message)))
        return
    role = str(message.get("role", ""))[:20]
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        yield Message(_ROLES.get(str(kind), role), _part(part))


def _read(value: Any) -> list[Any]:
    """Return content as a list; a text that is no JSON, as one cut by a limit of attributes is none, stays a text."""
    if isinstance(value, str):
        if len(value) > _LARGEST:
            return [f"{len(value):,} characters"]
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _part(part: Any) -> str:
    """Return one part of a message as a text."""
    if not isinstance(part, dict):
        return _cut(part if isinstance(part, str) else _json(part))
    match part.get("type"):
        case "text" | "reasoning":
            return _cut(str(part.get("content", "")))
        case "tool_call":
            return _cut(f"→ {part.get('name')}({_value(part.get('arguments'))})")
        case "tool_call_response":
            return _cut(f"← {_value(part.get('response', part.get('result')))}")
        case "server_tool_call":
            return _cut(f"→ {part.get('name')}({_value(part.get('server_tool_call'))})")
        case "server_tool_call_response":
            return _cut(f"← {_value(part.get('server_tool_call_response'))}")
        case kind:
            return _cut(f"<{', '.join(str(word) for word in (kind, *_described(part)) if word)}>")


def _described(part: Mapping[str, Any]) -> Iterator[object]:
    """Describe an image, a file or anything else that is no text."""
    yield from (part.get(name) for name in ("modality", "mime_type", "uri", "file_id"))
    if isinstance(size := part.get("byte_size"), int):
        yield f"{size:,} bytes"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """Write a value as JSON, in letters that people read."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str) -> str:
    """Return the beginning of a long text, and how much is left out."""
    more = len(text) - _LONGEST
    return text if more <= 0 else f"{text[:_LONGEST]}… ({more:,} characters more)"
