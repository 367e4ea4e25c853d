"""A text as rules read it: without the escapes of JSON and the marks of typesetters, and the way back to what stands there.

An escape is one character, as in JSON that was cut off, which nothing can parse: else its letter would be taken for a part of
the word that follows, and an `@` that is written as one would be missed. Spaces and hyphens of typesetters are plain ones.
"""

from __future__ import annotations

import re
from bisect import bisect_right

ESCAPED_QUOTES = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5"
"""Replacements of a double quote, an apostrophe and a backtick after one backslash, and after several: Unicode noncharacters."""
_QUOTES = dict(zip("\"'`", ESCAPED_QUOTES[:3], strict=True))
_INNER_QUOTES = dict(zip("\"'`", ESCAPED_QUOTES[3:], strict=True))
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/"}
# A run of backslashes is read once: JSON within JSON doubles them.
_ESCAPE = re.compile(r"(?<!\\)(\\+)(?:u([0-9A-Fa-f]{4})|([bfnrt/])|([\"'`]))")
_INVISIBLE = "\u00ad\u200b-\u200d\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_TYPESET = re.compile(
    rf"(?P<invisible>[{_INVISIBLE}]+)"
    "|[\u00a0\u2000-\u200a\u2010-\u2013\u202f\u205f\u2212\u3000\ufe63\uff02-\uff0b\uff0d-\uff1a\uff1c-\uff1e\uff20-\uff5e]"
)
_HYPHENS = frozenset("\u2010\u2011\u2012\u2013\u2212\ufe63")
_FULL_WIDTH = 0xFEE0  # what a full-width character has more than the one of ASCII


class Decoded:
    """A text, decoded.

    Attributes:
        text: the text as it is written.
        plain: the text as it is read.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = text
        # For each place in `plain` from which on positions differ, by how many characters they do.
        self._places: list[int] = []
        self._shifts: list[int] = []
        if "\\" in text or not text.isascii():
            self._decode()

    def _decode(self) -> None:
        text = self.text
        pieces, end, length, shift = [], 0, 0, 0
        for start, stop, read in sorted(_replacements(text)):
            pieces += [text[end:start], read]
            length += start - end + len(read)
            end = stop
            if stop - start != len(read):
                shift += stop - start - len(read)
                self._places.append(length)
                self._shifts.append(shift)
        if end:
            self.plain = "".join([*pieces, text[end:]])

    def position(self, place: int) -> int:
        """Return where in `text` a place of `plain` is."""
        at = bisect_right(self._places, place)
        return place + self._shifts[at - 1] if at else place


def _replacements(text: str) -> list[tuple[int, int, str]]:
    """Return what is read in another way than it is written: where it begins and ends, and how it is read."""
    found = []
    if "\\" in text:
        found += [(*match.span(), _read_escape(match)) for match in _ESCAPE.finditer(text)]
    if not text.isascii():
        found += [(*match.span(), _read_typeset(match)) for match in _TYPESET.finditer(text)]
    return found


def _read_escape(match: re.Match[str]) -> str:
    backslashes, digits, letter, quote = match.groups()
    if digits:
        read = chr(int(digits, base=16))
        typeset = _TYPESET.match(read)
        return _QUOTES.get(read, read) if typeset is None else _read_typeset(typeset)
    if letter:
        return _LETTERS[letter]
    if len(backslashes) % 2 == 0:
        return quote  # it is the backslash that is escaped
    return (_QUOTES if len(backslashes) == 1 else _INNER_QUOTES)[quote]


def _read_typeset(match: re.Match[str]) -> str:
    character = match[0]
    if match["invisible"]:
        return ""
    if character in _HYPHENS:
        return "-"
    return chr(ord(character) - _FULL_WIDTH) if character >= "\uff02" else " "
