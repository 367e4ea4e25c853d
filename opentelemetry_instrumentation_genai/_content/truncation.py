"""What is left of a part that is cut: the beginning of its text, up to a character, or a mark of type `cut` in its place.

Sizes are those of JSON text in UTF-8. Half a secret is not recognised, so more than can be kept is redacted before the cut.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._adapter.parts import Blob, encode

if TYPE_CHECKING:
    from .._adapter.parts import Part

# Where parts have what can be cut inside.
_INSIDE = {
    "text": "content",
    "reasoning": "content",
    "refusal": "content",
    "compaction": "content",
    "tool_call": "arguments",
    "tool_call_response": "response",
    "value": "content",  # of an attribute that has neither messages nor parts
}
# What is redacted more than can be told, lest a secret be cut in two and not known any more: longer than keys are.
MARGIN = 4096
_STRUCTURE = 1 << 16  # larger than that, what is no text is not looked into only to be cut


def encoded_size(value: Any) -> int:
    """The bytes of a value as JSON."""
    text = encode(value)
    return len(text) if text.isascii() else len(text.encode())


def _text_of(part: Part) -> tuple[str, Any]:
    """The member of a part that can be cut inside, and its value; None where it has none."""
    name = _INSIDE.get(part["type"], "")
    return name, part.get(name)


def original(part: Part) -> int | None:
    """The bytes of a part's text."""
    _, text = _text_of(part)
    return len(text.encode()) if isinstance(text, str) else None


def looked_at(part: Part, limit: int) -> Part | None:
    """As much of a part as has to be redacted if so many bytes of it can be told; None where that is too much.

    A text is cut. Where it has long members beside it, those are left out.
    """
    name, text = _text_of(part)
    most = max(limit, 0) + MARGIN
    if isinstance(text, str) and len(text) > most:
        part = {**part, name: text[:most]}
    if encoded_size(part) <= most + _STRUCTURE:
        return part
    if not isinstance(text, str):
        return None
    return {member: part[member] for member in ("type", "id", "name", name) if member in part}


def without_tail(told: Part, looked: Part, part: Part) -> Part:
    """A part of which not all was looked at, without the end of a text, where half a secret may be."""
    name, text = _text_of(told)
    if isinstance(text, str) and _text_of(looked)[1] is not _text_of(part)[1]:
        told = {**told, name: text[:-MARGIN]}
    return {**told, "original_bytes": original(part)}


def fitted(part: Part, limit: int, whole: Part, size: int) -> Part | None:
    """Cut a part to so many bytes.

    Args:
        part: it, redacted.
        limit: how many bytes it may have.
        whole: it, as it was.
        size: how many bytes that has.

    Returns:
        What is left of it; None if not even a mark has room.
    """
    if type(part) is Blob and part.get("content"):
        told = {**part, "content": "", "original_bytes": size}
        return told if encoded_size(told) <= limit else None
    name, value = _text_of(part)
    if value is not None:
        text = value if isinstance(value, str) else encode(value)
        told = {**part, name: "", "original_bytes": original(whole) or len(text.encode())}
        room = limit - encoded_size(told)
        if room > 0:
            return {**told, name: _head(text, room)}
    mark = stub(part, size)
    return mark if encoded_size(mark) <= limit else None


def stub(part: Part, size: int) -> Part:
    """What stands for a part that has no text to cut."""
    mark: Part = {"type": "cut", "original_bytes": size}
    if "name" in part:
        name = part["name"]
        mark["name"] = name if isinstance(name, str) and len(name) <= 64 else "cut"
    return mark


def _head(text: str, room: int) -> str:
    """The beginning of a text that takes at most so many bytes in JSON."""
    escaped = encode(text[:room])[1:-1].encode()[:room].decode("utf-8", "ignore")
    for end in range(len(escaped), max(len(escaped) - 6, 0), -1):
        try:
            head: str = json.loads(f'"{escaped[:end]}"')
        except ValueError:  # an escape was cut in two
            continue
        return head
    return ""
