"""A budget in bytes for the content of a call: spent newest first by whole parts, then inside a text at a character's boundary.

What is counted is JSON text in UTF-8. Whatever is cut stays JSON by its schema, and says how large it was in `original_bytes`: a
text part that was cut, and a part of type `cut` in the place of what was left out.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .._conventions.names import INPUT_MESSAGES, OUTPUT_MESSAGES, SYSTEM_INSTRUCTIONS, TOOL_DEFINITIONS
from .truncation import encoded_size, fitted, looked_at, stub, without_tail

if TYPE_CHECKING:
    from collections.abc import Collection

    from .._adapter.operation import Content
    from .._adapter.parts import Part

# What is newest comes first; in each of these, what stands last does. Other content comes after them, the last first.
_ORDER = (OUTPUT_MESSAGES, INPUT_MESSAGES, SYSTEM_INSTRUCTIONS, TOOL_DEFINITIONS)
_NO_ROOM: Any = object()  # beside null, which is a value
_MARK = 192  # bytes that the mark of what was left out takes at most, in a message of its own
_ROLES = frozenset({"system", "user", "assistant", "tool", "developer"})
_REASONS = frozenset({"stop", "length", "content_filter", "tool_call", "tool_calls", "error"})


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
        attribute: of one attribute: OpenTelemetry's SDK may be limited to so many characters, none of which takes less.
    """

    call: int
    part: int
    attribute: int = sys.maxsize

    def allows(self, sizes: Collection[int]) -> bool:
        """Whether attributes of so many bytes are surely within it."""
        size = sum(sizes)
        return size <= self.call and size <= self.part and max(sizes, default=0) <= self.attribute

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
        for name in (*_ORDER, *(name for name in reversed(content) if name not in _ORDER)):
            if name in content:
                taken = purse.attribute(name, content[name])
                if taken is not _NO_ROOM:
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
        self._attribute = budget.attribute
        self._redact = redact
        self._closed = False
        self._left_out = self._bytes_left_out = 0

    def attribute(self, name: str, value: Any) -> Any:
        """What there is room for of an attribute: messages or parts by their shape, else a value; maybe `_NO_ROOM`."""
        withheld = max(self._room - self._attribute, 0)
        self._room -= withheld
        try:
            if not self._open():
                return _NO_ROOM
            if _are(value, "parts", list) and _are(value, "role", str):
                return self._messages(value)
            return self._parts(value) if _are(value, "type", str) else self._value(name, value)
        finally:
            self._room += withheld
            self._closed = self._closed and not withheld

    def _value(self, name: str, value: Any) -> Any:
        """A value of any kind, which is redacted as a part; one that was cut says so in an object in its place."""
        told = self._take({"type": "value", "name": name, "content": value})
        self._room += _MARK
        if told is None:
            return _NO_ROOM
        if "original_bytes" not in told:
            return told.get("content")
        return {"type": "cut", **{name: told[name] for name in ("original_bytes", "content") if name in told}}

    def _messages(self, messages: list[Any]) -> list[Any]:
        """The newest messages, with a mark for the older ones."""
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

    def _parts(self, parts: list[Any]) -> list[Any]:
        """The last parts of a list, with a mark for those before."""
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
        looked = part if size <= limit else looked_at(part, limit)
        if looked is None:
            told = stub({**part, "name": "cut"} if "name" in part else part, size)  # nobody has looked at its name
        else:
            redacted = self._redact.part(looked)
            if redacted is None:
                return None
            told = redacted if looked is part else without_tail(redacted, looked, part)
        fitting = told if encoded_size(told) <= limit else fitted(told, limit, part, size)
        if fitting is None:
            self._close()
            self._leave_out(part)
            return None
        if "original_bytes" in fitting and "original_bytes" not in part:
            self.cut = True
        self._room -= encoded_size(fitting) + 1
        return fitting


def _are(entries: Any, member: str, kind: type) -> bool:
    """Whether a list has nothing but objects with such a member."""
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and isinstance(entry.get(member), kind) for entry in entries
    )


def _anonymous(message: dict[str, Any]) -> dict[str, Any]:
    """A message in which nothing but a mark stands: what it says of itself could be long."""
    told: dict[str, Any] = {"role": message["role"] if message["role"] in _ROLES else "unknown", "parts": []}
    if "finish_reason" in message:
        told["finish_reason"] = message["finish_reason"] if message["finish_reason"] in _REASONS else "unknown"
    return told
