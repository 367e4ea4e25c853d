"""Truncation of a part: the beginning of its text is kept, up to a whole character, or a mark of type `cut` replaces the part.

Sizes are those of JSON text in UTF-8. Half a secret is not recognised, so more text than can be kept is redacted before the cut.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._adapter.parts import Blob, encode

if TYPE_CHECKING:
    from .._adapter.parts import Part

# By type of part, the member that can be truncated.
_INSIDE = {
    "text": "content",
    "reasoning": "content",
    "refusal": "content",
    "compaction": "content",
    "revised_prompt": "content",
    "tool_call": "arguments",
    "tool_call_response": "response",
    "value": "content",  # of an attribute that has neither messages nor parts
}
# So many characters more than are recorded are redacted, since a secret cut in two is not recognised: longer than keys.
MARGIN = 4096
_STRUCTURE = 1 << 16  # a larger value that is not a text is not redacted only to be truncated


def encoded_size(value: Any) -> int:
    """Return the size of a value as JSON, in bytes."""
    text = encode(value)
    return len(text) if text.isascii() else len(text.encode())


def _text_of(part: Part) -> tuple[str, Any]:
    """Return the name of a part's member that can be truncated, and its value; None for the value where it has none."""
    name = _INSIDE.get(part["type"], "")
    return name, part.get(name)


def original(part: Part) -> int | None:
    """Return the size of a part's text in bytes; None where it has no text."""
    _, text = _text_of(part)
    return len(text.encode()) if isinstance(text, str) else None


def looked_at(part: Part, limit: int) -> Part | None:
    """Return as much of a part as has to be redacted to record `limit` bytes of it; None where that is too much.

    A text is truncated. If the other members are long, they are left out.
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


def without_tail(redacted: Part, looked: Part, part: Part) -> Part:
    """Return a part that was redacted only in part, without the end of its text, where half a secret may be."""
    name, text = _text_of(redacted)
    if isinstance(text, str) and _text_of(looked)[1] is not _text_of(part)[1]:
        redacted = {**redacted, name: text[:-MARGIN]}
    return {**redacted, "original_bytes": original(part)}


def fitted(part: Part, limit: int, whole: Part, size: int) -> Part | None:
    """Truncate a part to a number of bytes.

    Args:
        part: the redacted part.
        limit: how many bytes the result may have.
        whole: the part before redaction.
        size: the size of that in bytes.

    Returns:
        The truncated part, or a mark in its place; None if not even a mark fits.
    """
    if type(part) is Blob and part.get("content"):
        truncated = {**part, "content": "", "original_bytes": size}
        return truncated if encoded_size(truncated) <= limit else None
    name, value = _text_of(part)
    if value is not None:
        text = value if isinstance(value, str) else encode(value)
        truncated = {**part, name: "", "original_bytes": original(whole) or len(text.encode())}
        room = limit - encoded_size(truncated)
        if room > 0:
            return {**truncated, name: _head(text, room)}
    mark = stub(part, size)
    return mark if encoded_size(mark) <= limit else None


def stub(part: Part, size: int) -> Part:
    """Return the mark that replaces a part without a text to truncate."""
    mark: Part = {"type": "cut", "original_bytes": size}
    if "name" in part:
        name = part["name"]
        mark["name"] = name if isinstance(name, str) and len(name) <= 64 else "cut"
    return mark


def _head(text: str, room: int) -> str:
    """Return the longest beginning of a text that takes at most `room` bytes in JSON."""
    escaped = encode(text[:room])[1:-1].encode()[:room].decode("utf-8", "ignore")
    for end in range(len(escaped), max(len(escaped) - 6, 0), -1):
        try:
            head: str = json.loads(f'"{escaped[:end]}"')
        except ValueError:  # an escape was cut in two
            continue
        return head
    return ""
