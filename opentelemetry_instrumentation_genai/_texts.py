"""Server-sent events as text: members taken out of the JSON in them, or put into it, and the rest left as it came."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*")
_value_at = json.JSONDecoder().raw_decode


class Text(NamedTuple):
    """One server-sent event as it came, and the JSON in it, if one line of it is that."""

    raw: bytes
    data: bytes = b""
    value: Any = None

    def with_data(self, text: str) -> Text:
        """The event with other data."""
        return self._replace(raw=self.raw.replace(self.data, text.encode(), 1))


class Texts:
    """Events as they are on the wire: a member is taken out of, or put into, their JSON text, the rest of which stays as it is."""

    def chunk(self, event: Text) -> Any:
        """What its data says."""
        return event.value

    def cleared(self, event: Text, name: str) -> Text:
        """Its text without the member and one comma."""
        text = event.data.decode()
        found = _members(text)
        for position, (held, start, end) in enumerate(found):
            if held == name and position:
                return event.with_data(text[: found[position - 1][2]] + text[end:])
            if held == name:
                rest = text[found[1][1] :] if len(found) > 1 else text[end:]
                return event.with_data(text[:start] + rest)
        return event

    def given(self, event: Text, other: Text, names: Sequence[str]) -> Text:
        """Its text with the members as the other has them, at its end."""
        text, source = event.data.decode(), other.data.decode()
        (_, _, before), (_, start, end) = _members(text)[-2:]
        comma = text[before:start]
        more = "".join(comma + source[at:to] for name, at, to in _members(source) if name in names)
        return event.with_data(text[:end] + more + text[end:])


def _members(text: str) -> list[tuple[str, int, int]]:
    """The members of a JSON object: name, where it starts, where its value ends."""
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
