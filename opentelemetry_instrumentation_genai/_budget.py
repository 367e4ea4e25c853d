"""A budget in bytes for the content of a call: spent newest first by whole parts, then inside a text at a character's boundary.

What is counted is JSON text in UTF-8. Whatever is cut stays JSON by its schema, and says how large it was in `original_bytes`: a
text part that was cut, and a part of type `cut` in the place of what was left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ._attributes import INPUT_MESSAGES, OUTPUT_MESSAGES, SYSTEM_INSTRUCTIONS, TOOL_DEFINITIONS
from ._content import Blob, Part, encode

if TYPE_CHECKING:
    from ._operation import Content

# What is newest comes first; in each of these, what stands last does.
_ORDER = (OUTPUT_MESSAGES, INPUT_MESSAGES, SYSTEM_INSTRUCTIONS, TOOL_DEFINITIONS)
_MESSAGES = (OUTPUT_MESSAGES, INPUT_MESSAGES)
# Where parts have what can be cut inside.
_INSIDE = {
    "text": "content",
    "reasoning": "content",
    "refusal": "content",
    "compaction": "content",
    "tool_call": "arguments",
    "tool_call_response": "response",
}
_MARK = 192  # bytes that the mark of what was left out takes at most, in a message of its own
_ROLES = frozenset({"system", "user", "assistant", "tool", "developer"})
_REASONS = frozenset({"stop", "length", "content_filter", "tool_call", "tool_calls", "error"})
# What is redacted more than can be told, lest a secret be cut in two and not known any more: longer than keys are.
MARGIN = 4096
_STRUCTURE = 1 << 16  # larger than that, what is no text is not looked into only to be cut


class Redact(Protocol):
    """How content is redacted while it is taken."""

    def part(self, part: Part, /) -> Part | None:
        """A part, redacted; None for one that is dropped."""

    def value(self, value: Any, /) -> Any:
        """What a message says of itself, redacted."""


class Budget(NamedTuple):
    """How many bytes of content are told.

    Attributes:
        call: of one call, in all attributes together.
        part: of one part.
    """

    call: int
    part: int

    def allows(self, size: int) -> bool:
        """Whether content of so many bytes is surely within it."""
        return size <= self.call and size <= self.part

    def spend(self, content: Content, redact: Redact) -> tuple[Content, bool]:
        """Take of content what is within the budget.

        Args:
            content: JSON values by the conventions' schemas.
            redact: how it is redacted.

        Returns:
            What remains of it, and whether something was cut.
        """
        purse = _Purse(self, redact)
        kept: Content = {}
        for name in _ORDER:
            if name in content:
                taken = purse.messages(content[name]) if name in _MESSAGES else purse.parts(content[name])
                if taken is not None:
                    kept[name] = taken
        return kept, purse.cut


class _Purse:
    """What is left of a budget while it is spent.

    Attributes:
        cut: whether something was cut.
    """

    def __init__(self, budget: Budget, redact: Redact) -> None:
        self.cut = False
        self._room = budget.call
        self._part = budget.part
        self._redact = redact
        self._closed = False
        self._left_out = self._bytes_left_out = 0

    def messages(self, messages: list[Any]) -> list[Any] | None:
        """The newest messages, with a mark for the older ones; None where there is room for nothing."""
        if not self._open():
            return None
        kept: list[Any] = []
        marked: dict[str, Any] | None = None
        for message in reversed(messages):
            before = self._left_out
            told = self._message(message)
            if marked is None and self._left_out > before:
                marked = told = told or _anonymous(message)
            if told is not None:
                kept.append(told)
        if marked is None:
            self._room += _MARK
        else:
            marked["parts"].insert(0, self._mark())
        return kept[::-1]

    def _message(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """The newest parts of a message."""
        parts = message["parts"]
        told = None if self._closed else {**self._redact.value({**message, "parts": []}), "parts": []}
        size = 0 if told is None else encoded_size(told) + 1
        if told is None or size > self._room:
            self._close()
            self._leave_out(*parts)
            return None
        self._room -= size
        told["parts"] = self._taken(parts)
        if self._closed and not told["parts"]:
            self._room += size
            return None
        return told

    def parts(self, parts: list[Any]) -> list[Any] | None:
        """The last parts of a list, with a mark for those before; None where there is room for nothing."""
        if not self._open():
            return None
        kept = self._taken(parts)
        if self._left_out:
            kept.insert(0, {**self._mark(), "name": "cut"} if "name" in parts[0] else self._mark())
        else:
            self._room += _MARK
        return kept

    def _open(self) -> bool:
        """Begin with an attribute: its brackets, and room for a mark."""
        self._left_out = self._bytes_left_out = 0
        if self._room < _MARK + 2:
            self._close()
            return False
        self._room -= _MARK + 2
        return True

    def _close(self) -> None:
        """There is no room for what is older."""
        self._closed = self.cut = True

    def _mark(self) -> Part:
        return {"type": "cut", "parts": self._left_out, "original_bytes": self._bytes_left_out}

    def _leave_out(self, *parts: Part) -> None:
        self._left_out += len(parts)
        self._bytes_left_out += sum(map(encoded_size, parts))

    def _taken(self, parts: list[Any]) -> list[Any]:
        """The last of some parts."""
        kept = []
        for part in reversed(parts):
            if self._closed:
                self._leave_out(part)
            else:
                told = self._take(part)
                if told is not None:
                    kept.append(told)
        return kept[::-1]

    def _take(self, part: Part) -> Part | None:
        """A part, redacted and as far as there is room; None where there is none, or where it is redacted as a whole."""
        size, limit = encoded_size(part), min(self._part, self._room - 1)
        shortened = _shortened(part, limit) if size > limit else None
        if shortened is None and size > limit + _STRUCTURE:
            told = _stub({**part, "name": "cut"} if "name" in part else part, size)  # nobody has looked at its name
        else:
            redacted = self._redact.part(shortened or part)
            if redacted is None:
                return None
            told = redacted
            if shortened is not None:
                told = _without_tail(told, _original(part))
        fitting = told if encoded_size(told) <= limit else _fitted(told, limit, _original(part), size)
        if fitting is None:
            self._close()
            self._leave_out(part)
            return None
        if "original_bytes" in fitting and "original_bytes" not in part:
            self.cut = True
        self._room -= encoded_size(fitting) + 1
        return fitting


def encoded_size(value: Any) -> int:
    """The bytes of a value as JSON."""
    text = encode(value)
    return len(text) if text.isascii() else len(text.encode())


def _text_of(part: Part) -> tuple[str, Any]:
    """The member of a part that can be cut inside, and its value; None where it has none."""
    name = _INSIDE.get(part["type"], "")
    return name, part.get(name)


def _original(part: Part) -> int | None:
    """The bytes of a part's text."""
    _, text = _text_of(part)
    return len(text.encode()) if isinstance(text, str) else None


def _shortened(part: Part, limit: int) -> Part | None:
    """A part with a text that is longer than could be told, with as much of it as has to be looked at."""
    name, text = _text_of(part)
    most = max(limit, 0) + MARGIN
    return {**part, name: text[:most]} if isinstance(text, str) and len(text) > most else None


def _without_tail(part: Part, original: int | None) -> Part:
    """A shortened part without its end, where half a secret may be."""
    name, text = _text_of(part)
    if isinstance(text, str):
        part = {**part, name: text[:-MARGIN]}
    return {**part, "original_bytes": original}


def _fitted(part: Part, limit: int, original: int | None, size: int) -> Part | None:
    """A part that is cut to so many bytes; None if nothing of it can be told in them."""
    if type(part) is Blob and part.get("content"):
        told = {**part, "content": "", "original_bytes": size}
        return told if encoded_size(told) <= limit else None
    name, value = _text_of(part)
    if value is not None:
        text = value if isinstance(value, str) else encode(value)
        told = {**part, name: "", "original_bytes": original or len(text.encode())}
        room = limit - encoded_size(told)
        if room > 0:
            return {**told, name: _head(text, room)}
    stub = _stub(part, size)
    return stub if encoded_size(stub) <= limit else None


def _stub(part: Part, size: int) -> Part:
    """What stands for a part that has no text to cut."""
    stub: Part = {"type": "cut", "original_bytes": size}
    if "name" in part:
        name = part["name"]
        stub["name"] = name if isinstance(name, str) and len(name) <= 64 else "cut"
    return stub


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


def _anonymous(message: dict[str, Any]) -> dict[str, Any]:
    """A message in which nothing but a mark stands: what it says of itself could be long."""
    told: dict[str, Any] = {"role": message["role"] if message["role"] in _ROLES else "unknown", "parts": []}
    if "finish_reason" in message:
        told["finish_reason"] = message["finish_reason"] if message["finish_reason"] in _REASONS else "unknown"
    return told
