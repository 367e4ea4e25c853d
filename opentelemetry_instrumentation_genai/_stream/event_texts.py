"""Server-sent events as text: members of their JSON are removed or added, and the rest stays as received."""

from __future__ import annotations

import json
import re
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from .._adapter.json_text import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*")
_value_at = json.JSONDecoder().raw_decode


class Text(NamedTuple):
    """One server-sent event as received, and its data as JSON, if it is that. The data may be in several lines."""

    raw: bytes
    data: bytes = b""
    value: Any = None

    @classmethod
    def of(cls, raw: bytes) -> Text:
        """Read an event."""
        values = [value for name, value, _ in map(_split, raw.splitlines(keepends=True)) if name == b"data:"]
        data = b"\n".join(values)
        return cls(raw, data, parsed(data)) if values else cls(raw)

    def with_data(self, text: str) -> Text:
        """Return the event with other data, in the lines that had it; if those are too few, in more lines after them."""
        data = text.encode()
        values = deque(data.split(b"\n"))
        lines = list(map(_split, self.raw.splitlines(keepends=True)))
        left = sum(name == b"data:" for name, _, _ in lines)
        raw: list[bytes] = []
        for name, value, ending in lines:
            if name == b"data:":
                left -= 1
                taken = [values.popleft() for _ in range(1 if left else len(values)) if values]
                raw += [(ending or b"\n").join(name + one for one in taken), ending if taken else b""]
            else:
                raw += [name, value, ending]
        return self._replace(raw=b"".join(raw), data=data)


def _split(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the name of a field with its colon, its value, and the line ending."""
    content = line.rstrip(b"\r\n")
    name, colon, value = content.partition(b":")
    return name + (colon or b":" if name == b"data" else colon), value, line[len(content) :]


class Texts:
    """Events as texts: members are removed from their JSON, or added to it, and the rest of the text is unchanged."""

    def chunk(self, event: Text) -> Any:
        """Return its data, parsed."""
        return event.value

    def without(self, event: Text, name: str) -> Text:
        """Return the event without the member and one comma."""
        text = event.data.decode()
        found = _members(text)
        for position, (held, start, end) in enumerate(found):
            if held == name and position:
                return event.with_data(text[: found[position - 1][2]] + text[end:])
            if held == name:
                rest = text[found[1][1] :] if len(found) > 1 else text[end:]
                return event.with_data(text[:start] + rest)
        return event

    def with_members_of(self, event: Text, other: Text, names: Sequence[str]) -> Text:
        """Return the event with the other's members added at the end."""
        text, source = event.data.decode(), other.data.decode()
        found, others = _members(text), _members(source)
        more = [source[start:end] for name, start, end in others if name in names]
        comma = _comma(text, found) or _comma(source, others) or ","
        at = found[-1][2] if found else text.index("{") + 1
        return event.with_data(text[:at] + comma.join([""] * bool(found) + more) + text[at:]) if more else event

    def before(self, event: Text) -> Sequence[Text]:
        """Return the empty lines before an event."""
        lines = event.raw[: len(event.raw) - len(event.raw.lstrip(b"\r\n"))]
        return (Text(lines),) if lines else ()


def _comma(text: str, found: Sequence[tuple[str, int, int]]) -> str:
    """Return the text between the last two members of an object."""
    return text[found[-2][2] : found[-1][1]] if len(found) > 1 else ""


def _members(text: str) -> list[tuple[str, int, int]]:
    """Return the members of a JSON object: name, start of the name, end of the value."""
    found = []
    at = _after_space(text, text.index("{") + 1)
    while text[at] == '"':
        start = at
        name, at = _value_at(text, at)
        _, at = _value_at(text, _after_space(text, text.index(":", at) + 1))
        found.append((name, start, at))
        at = _after_space(text, at)
        if text[at] != ",":
            break
        at = _after_space(text, at + 1)
    return found


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()
