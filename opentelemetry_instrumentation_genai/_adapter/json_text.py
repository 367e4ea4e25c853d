"""JSON text as values: all of it, or without the members that nothing reads, such as the vectors of embeddings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Collection

LARGEST = 8 << 20
"""Bytes beyond which a text is not parsed."""
_STEPS = 100_000  # strings and brackets beyond which a text is not gone through; they take some 50 ms
_MEMBER = 10  # as many of them a member of the outermost object takes
_WINDOW = 256 << 10  # bytes in which the end of a list of numbers is looked for: 4,096 numbers take up to 100,000
_MISSES = 32  # after which lists are not skipped as a whole any more, so that no text makes that slow
_BACKSLASHES = 1024  # in a row, in a string
_SPACE, _SCALAR, _BRACKET = re.compile(rb"[ \t\r\n]*"), re.compile(rb"[^][{}\",: \t\r\n]+"), re.compile(rb'[][{}"]')


def parsed(body: bytes | bytearray) -> Any:
    """Return the JSON values of `body`; None if it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def read_json(body: bytes | bytearray, unread: Collection[str] = ()) -> Any:
    """Read a body without building the values that nothing reads.

    Args:
        body: JSON text.
        unread: names of members of the outermost object that are left out of the result.

    Returns:
        JSON values; None where more is left than `LARGEST`, or where the body is no JSON.
    """
    if unread:
        try:
            return _Skipping(body).members(unread)
        except (ValueError, RecursionError):  # another encoding than UTF-8, no object, or too many parts
            pass
    return parsed(body) if len(body) <= LARGEST else None


def read_body(body: bytes | bytearray, unread: Collection[str], *, text: bool) -> Any:
    """Read a body as `read_json` does, or as a text.

    Args:
        body: the body.
        unread: names of members of the outermost object that are left out of the result.
        text: whether what is no JSON object is a text.
    """
    found = read_json(body, unread)
    if not text or isinstance(found, dict):
        return found
    return body.decode("utf-8", "replace") if len(body) <= LARGEST else None


class _Skipping:
    """Goes through one JSON text in UTF-8, and skips values. ValueError where that cannot be done."""

    __slots__ = ("_body", "_misses", "_steps")

    def __init__(self, body: bytes | bytearray) -> None:
        self._body = body
        self._steps = 0
        self._misses = 0

    def members(self, unread: Collection[str]) -> dict[str, Any]:
        """Return the members of the JSON object in the text, without the `unread` ones."""
        found: dict[str, Any] = {}
        left = LARGEST
        position = self._after(b"{", 0)
        while self._sign(position) != b"}":
            self._step(_MEMBER)
            start, end = position, self._end_of_string(position)
            name = json.loads(self._body[start:end])
            start = self._after(b":", end)
            end = self._end_of_value(start)
            if name not in unread:
                left -= end - start
                found[name] = json.loads(self._body[start:end]) if left >= 0 else _fail()
            position = self._after_member(end)
        if self._after(b"}", position) < len(self._body):
            _fail()
        return found

    def _after_member(self, end: int) -> int:
        """Return the position of the next member, or of the bracket that ends the object."""
        position = self._after_space(end)
        if self._sign(position) == b"}":
            return position
        position = self._after(b",", position)
        return position if self._sign(position) == b'"' else _fail()

    def _sign(self, position: int) -> bytes:
        return bytes(self._body[position : position + 1])

    def _after_space(self, position: int) -> int:
        found = _SPACE.match(self._body, position)
        return position if found is None else found.end()

    def _after(self, sign: bytes, position: int) -> int:
        """Return the position after a sign and the space around it."""
        position = self._after_space(position)
        return self._after_space(position + 1) if self._sign(position) == sign else _fail()

    def _end_of_value(self, start: int) -> int:
        if self._sign(start) == b'"':
            return self._end_of_string(start)
        if self._sign(start) in (b"[", b"{"):
            return self._end_of_nested(start)
        scalar = _SCALAR.match(self._body, start)
        return _fail() if scalar is None else scalar.end()

    def _end_of_nested(self, start: int) -> int:
        """Return the position where a list or an object ends."""
        depth, position = 0, start
        while depth or position == start:
            found = _BRACKET.search(self._body, position)
            sign, position = (found.group(), found.end()) if found is not None else _fail()
            if sign == b'"':
                position = self._end_of_string(position - 1)
                continue
            self._step()
            depth += 1 if sign in b"[{" else -1
            if sign == b"[":
                position = self._end_of_numbers(position)
        return position

    def _end_of_numbers(self, start: int) -> int:
        """Return the position of the bracket that ends the list of numbers at `start`; `start` for any other list."""
        end = self._body.find(b"]", start, start + _WINDOW) if self._misses < _MISSES else -1
        if end >= 0 and all(self._body.find(sign, start, end) < 0 for sign in (b'"', b"[", b"{")):
            return end
        self._misses += 1
        return start

    def _end_of_string(self, start: int) -> int:
        """Return the position after the string that has its opening quotation mark at `start`."""
        end = start if self._sign(start) == b'"' else _fail()
        escaped = True
        while escaped:
            self._step()
            end = self._body.find(b'"', end + 1)
            escaped = self._is_escaped(start + 1, end) if end > 0 else _fail()
        return end + 1

    def _is_escaped(self, start: int, end: int) -> bool:
        """Return whether an odd number of backslashes precedes `end`, in a string that begins at `start`."""
        before = self._body[max(start, end - _BACKSLASHES) : end]
        count = len(before) - len(before.rstrip(b"\\"))
        return bool(count % 2) if count < _BACKSLASHES else _fail()

    def _step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > _STEPS:
            _fail()


def _fail() -> NoReturn:
    raise ValueError
