"""Text from elsewhere as a terminal and a log file may have it: whatever is printed or logged goes through here.

An escape sequence can rewrite what a terminal shows, a newline forges a line of a log, an override of the writing direction turns
what is read around.
"""

from __future__ import annotations

from unicodedata import category

_LONGEST = 4096  # characters that a log line has of one value
# Letters and marks that nothing is seen of, beside the format characters.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def printable(text: str) -> str:
    r"""Return a text in which control, format and invisible characters are shown as escapes, such as `\x1b`, `\n` and `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join([character if _is_seen(character) else _escape(character) for character in text])


def loggable(value: object) -> object:
    """Return a value that goes into a log line: a number unchanged, anything else as a printable text."""
    return value if isinstance(value, (int, float)) else printable(str(value)[:_LONGEST])


def _is_seen(character: str) -> bool:
    return (character.isprintable() or category(character) == "Zs") and character not in _UNSEEN


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
