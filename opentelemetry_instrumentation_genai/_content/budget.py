"""The limit of the recorded content of a call, in bytes. A text that does not fit is truncated.

The newest parts are kept, and of documents the first, which fit the query best. Sizes are in bytes of UTF-8, those of parts as JSON.
Texts are truncated between characters. Truncated content still matches its JSON schema: a text part has the size of its whole text in
`original_bytes`; a part of type `cut` replaces a part that cannot be truncated, or all parts that were left out, and has the sum of
their sizes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .._conventions.names import (
    INPUT_MESSAGES,
    OUTPUT_MESSAGES,
    PROMPT_VARIABLE,
    RETRIEVAL_DOCUMENTS,
    RETRIEVAL_QUERY_TEXT,
    SYSTEM_INSTRUCTIONS,
    TOOL_DEFINITIONS,
)
from .truncation import encoded_size, fitted, looked_at, stub, without_tail

if TYPE_CHECKING:
    from collections.abc import Collection

    from .._adapter.endpoint import Content
    from .._adapter.parts import Part

_TEXTS = (RETRIEVAL_QUERY_TEXT, PROMPT_VARIABLE)  # what attributes begin with that are texts, and no JSON
# The budget is spent in this order, and within each attribute but documents from the last entry to the first.
# Other attributes come after these, the one that was added last first.
_ORDER = (
    OUTPUT_MESSAGES,
    INPUT_MESSAGES,
    SYSTEM_INSTRUCTIONS,
    TOOL_DEFINITIONS,
    RETRIEVAL_QUERY_TEXT,
    RETRIEVAL_DOCUMENTS,
)
_NO_ROOM: Any = object()  # None stands for JSON null, which is a value
_CUT_PART = 192  # the most bytes of a part of type `cut`, with a message around it that has no other part
_ROLES = frozenset({"system", "user", "assistant", "tool", "developer"})
_REASONS = frozenset({"stop", "length", "content_filter", "tool_call", "tool_calls", "error"})


class Redact(Protocol):
    """Redacts content while the budget is spent."""

    def part(self, part: Part, /) -> Part | None:
        """Return the redacted part; None where it is dropped."""

    def value(self, value: Any, /) -> Any:
        """Return a redacted value: here, the members of a message besides its parts."""


class Budget(NamedTuple):
    """How many bytes of content are recorded.

    Attributes:
        call: the limit of one call, for all attributes together.
        part: the limit of one part.
        attribute: the limit of one attribute. OpenTelemetry's SDK limits characters; of these a text never has more than bytes.
    """

    call: int
    part: int
    attribute: int = sys.maxsize

    def allows(self, sizes: Collection[int]) -> bool:
        """Return whether attributes of these sizes surely fit. If not, `spend` has to look."""
        size = sum(sizes)
        return size <= self.call and size <= self.part and max(sizes, default=0) <= self.attribute

    def spend(self, content: Content, redact: Redact) -> tuple[Content, bool]:
        """Reduce content to what fits the budget.

        Args:
            content: JSON values by the conventions' schemas.
            redact: redacts the parts and messages that are kept.

        Returns:
            The content that is kept, and whether anything was truncated or left out.
        """
        remaining = _Remaining(self, redact)
        kept: Content = {}
        for name in (*_ORDER, *(name for name in reversed(content) if name not in _ORDER)):
            if name in content:
                taken = remaining.attribute(name, content[name])
                if taken is not _NO_ROOM:
                    kept[name] = taken
        return kept, remaining.cut


class _Remaining:
    """What is left of the budget while the content of one call is reduced.

    Attributes:
        cut: whether anything was truncated or left out.
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
        """Return what fits of an attribute. By its shape it is treated as messages, as parts or as one value. `_NO_ROOM` if nothing fits."""
        # If the limit of this attribute alone is reached, later ones may still be recorded.
        withheld = max(self._room - self._attribute, 0)
        self._room -= withheld
        try:
            if not self._open():
                return _NO_ROOM
            if _are(value, "parts", list) and _are(value, "role", str):
                return self._messages(value)
            if not _are(value, "type", str):
                return self._value(name, value)
            return self._parts(value[::-1])[::-1] if name == RETRIEVAL_DOCUMENTS else self._parts(value)
        finally:
            self._room += withheld
            self._closed = self._closed and not withheld

    def _value(self, name: str, value: Any) -> Any:
        """Return a value that is neither messages nor parts. It is redacted like a part.

        An object of type `cut` replaces a truncated one, but for a text.
        """
        part = self._take({"type": "value", "name": name, "content": value})
        self._room += _CUT_PART
        if part is None:
            return _NO_ROOM
        if "original_bytes" not in part or (name.startswith(_TEXTS) and "content" in part):
            return part.get("content")
        return {"type": "cut", **{name: part[name] for name in ("original_bytes", "content") if name in part}}

    def _messages(self, messages: list[Any]) -> list[Any]:
        """Return the newest messages that fit, with one part of type `cut` for the others."""
        kept: list[Any] = []
        marked: dict[str, Any] | None = None
        for message in reversed(messages):
            before = self._left_out
            kept_message = self._message(message)
            if marked is None and self._left_out > before:
                marked = kept_message = kept_message or _anonymous(message)
            if kept_message is not None:
                kept.append(kept_message)
        if marked is None:
            self._room += _CUT_PART
        else:
            marked["parts"].insert(0, self._cut_part())
        return kept[::-1]

    def _message(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Return a message with its newest parts that fit; None if none does."""
        parts = message["parts"]
        kept = None if self._closed else {**self._redact.value({**message, "parts": []}), "parts": []}
        size = 0 if kept is None else encoded_size(kept) + 1
        if kept is None or size > self._room:
            self._close()
            self._leave_out(*parts)
            return None
        self._room -= size
        kept["parts"] = self._taken(parts)
        if self._closed and not kept["parts"]:
            self._room += size
            return None
        return kept

    def _parts(self, parts: list[Any]) -> list[Any]:
        """Return the last parts of a list that fit, with one part of type `cut` for the others."""
        kept = self._taken(parts)
        if self._left_out:
            kept.insert(0, {**self._cut_part(), "name": "cut"} if "name" in parts[0] else self._cut_part())
        else:
            self._room += _CUT_PART
        return kept

    def _open(self) -> bool:
        """Start an attribute: reserve the bytes of its brackets and of a part of type `cut`. Return False if the budget has too few."""
        self._left_out = self._bytes_left_out = 0
        if self._room < _CUT_PART + 2:
            self._close()
            return False
        self._room -= _CUT_PART + 2
        return True

    def _close(self) -> None:
        """Leave out all that follows in this attribute, and in later ones if the budget of the call is spent."""
        self._closed = self.cut = True

    def _cut_part(self) -> Part:
        return {"type": "cut", "parts": self._left_out, "original_bytes": self._bytes_left_out}

    def _leave_out(self, *parts: Part) -> None:
        self._left_out += len(parts)
        self._bytes_left_out += sum(map(encoded_size, parts))

    def _taken(self, parts: list[Any]) -> list[Any]:
        """Return the last parts that fit. The others are counted as left out, but for those that redaction drops."""
        kept = []
        for part in reversed(parts):
            if self._closed:
                self._leave_out(part)
            else:
                taken = self._take(part)
                if taken is not None:
                    kept.append(taken)
        return kept[::-1]

    def _take(self, part: Part) -> Part | None:
        """Return a part, redacted and truncated to what fits; None where nothing fits, or where redaction drops it."""
        size, limit = encoded_size(part), min(self._part, self._room - 1)
        looked = part if size <= limit else looked_at(part, limit)
        if looked is None:
            candidate = stub({**part, "name": "cut"} if "name" in part else part, size)  # a name that was not redacted
        else:
            redacted = self._redact.part(looked)
            if redacted is None:
                return None
            candidate = redacted if looked is part else without_tail(redacted, looked, part)
        fitting = candidate if encoded_size(candidate) <= limit else fitted(candidate, limit, part, size)
        if fitting is None:
            self._close()
            self._leave_out(part)
            return None
        if "original_bytes" in fitting and "original_bytes" not in part:
            self.cut = True
        self._room -= encoded_size(fitting) + 1
        return fitting


def _are(entries: Any, member: str, kind: type) -> bool:
    """Return whether a value is a list of objects that all have a member of this name and type."""
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and isinstance(entry.get(member), kind) for entry in entries
    )


def _anonymous(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message for a part of type `cut` alone. A role or finish reason that is none of the usual is `unknown`: it could be long."""
    placeholder: dict[str, Any] = {"role": message["role"] if message["role"] in _ROLES else "unknown", "parts": []}
    if "finish_reason" in message:
        placeholder["finish_reason"] = message["finish_reason"] if message["finish_reason"] in _REASONS else "unknown"
    return placeholder
