"""The user's own redaction patterns: read from a file, checked, and applied so that none can stall the application.

The file is UTF-8 text with a rule in each line, `name = regular expression`; empty lines and lines that begin with `#` are
skipped. A name consists of small letters, digits and `_`. Python's `re` cannot be interrupted, and some patterns take exponential
time. So:

- a pattern that could take exponential time is refused: a repeat or an alternative within a repeat, a reference back to a group,
  many choices in a row;
- every other pattern takes polynomial time. It is applied to a text in windows, which are the shorter, the more repeats and
  choices the pattern has: the time for a text is linear, and the time for a window, after which the clock is read, is bounded.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._runtime.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"([a-z][a-z0-9_]{0,63})\s*=\s*(.*)")
_REASON = re.compile(r"bad character range|[a-z][a-z ,():>-]*[a-z)]")
_MOST_CHOICES = 256
_MOST_WIDE = 3
_STEPS = 30_000_000  # of a pattern in one window, in the worst case: about 0.1 s
_WINDOW = (64, 8192)  # characters that one has at least, and at most


class Own(NamedTuple):
    """A redaction pattern of the user's.

    Attributes:
        name: the name that replaces a match, in brackets.
        pattern: the compiled pattern.
        window: how many characters it is applied to at a time. A match of up to half of that is always found.
    """

    name: str
    pattern: re.Pattern[str]
    window: int

    def found(self, text: str) -> Iterator[list[tuple[int, int]]]:
        """Yield the matches in order and without overlaps, a list for each window: the caller can read the clock in between."""
        begin, size = 0, len(text)
        while begin < size:
            stop = min(begin + self.window, size)
            # A match that begins in the second half could go on after the window; the next window has it whole.
            after = size if stop == size else begin + self.window // 2
            spans = []
            # The pattern sees the end of the text at `stop`, but its lookbehinds still see what is before `begin`.
            for match in self.pattern.finditer(text, begin, stop):
                if match.start() >= after:
                    break
                if match.end() > match.start():
                    spans.append(match.span())
                    after = max(after, match.end())
            yield spans
            begin = after


def own_patterns(path: str) -> tuple[Own, ...]:
    """Read the rules of a file.

    Args:
        path: the path of the file; `~` is the user's home.

    Raises:
        RefusedError: the file cannot be read, or one of its lines is not accepted.
    """
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError, RuntimeError) as error:
        raise RefusedError(f"{path} cannot be read: {type(error).__name__}") from None
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(_own(line.strip()))
            except RefusedError as error:
                raise RefusedError(f"line {number} of {path}: {error}") from None
    if not found:
        raise RefusedError(f"{path} has no rule")
    return tuple(found)


def _own(line: str) -> Own:
    match = _LINE.fullmatch(line)
    if match is None or not match[2]:
        raise RefusedError("not `name = regular expression`, with a name of small letters, digits and _")
    try:
        pattern = re.compile(match[2])
        window = _window(_parser().parse(match[2]))
    except re.error as error:
        raise RefusedError(f"no regular expression of Python's: {_reason(error)}") from None
    except (RecursionError, OverflowError):
        raise RefusedError("no regular expression of Python's: too large") from None
    if pattern.match(""):
        raise RefusedError("it matches the empty text")
    return Own(match[1], pattern, window)


def _reason(error: re.error) -> str:
    """Return Python's reason why a pattern is invalid, and the position; the end, which quotes the pattern, is left out."""
    match = _REASON.match(error.msg)
    reason = match[0] if match else "not understood"
    return reason if error.pos is None else f"{reason}, at character {error.pos + 1}"


def _parser() -> Any:
    """Return Python's own parser of patterns, which is not a public module."""
    name = "re._parser" if sys.version_info >= (3, 11) else "sre_parse"
    parser = sys.modules.get(name)
    if parser is None or not hasattr(parser, "parse"):
        raise RefusedError("this Python does not show the structure of a pattern, so it cannot be checked")
    return parser


def _window(pattern: Any) -> int:
    """Return how many characters a pattern can be applied to at a time.

    The start of a match and the end of each wide repeat are positions in the window, in this order. For each choice of these
    positions the rest of the pattern is tried in `choices` ways.
    """
    found = _Found()
    _look_at(pattern, found, repeated=False)
    if found.wide > _MOST_WIDE:
        raise RefusedError(f"more than {_MOST_WIDE} repeats of open length")
    places = found.wide + 1
    rest = found.choices * (1 + pattern.getwidth()[0])
    window = int((_STEPS * math.factorial(places) / rest) ** (1 / places))
    if window < _WINDOW[0]:
        raise RefusedError("too many choices beside repeats of open length")
    return min(window, _WINDOW[1])


class _Found:
    """What a pattern consists of: its wide repeats, and in how many ways all the rest of it can be matched."""

    wide = 0
    choices = 1

    def times(self, ways: int) -> None:
        """Multiply the choices by those of another part of the pattern."""
        self.choices *= ways
        if self.choices > _MOST_CHOICES:
            raise RefusedError("too many choices in a row")


_CHARACTER = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})
_PLAIN = _CHARACTER | {"AT", "FAILURE"}


def _look_at(pattern: Any, found: _Found, *, repeated: bool) -> None:
    for kind, given in pattern:
        name = str(kind)
        if name in _PLAIN:
            continue
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _look_at_repeat(given, found, repeated=repeated)
        elif name == "SUBPATTERN":
            _look_at(given[-1], found, repeated=repeated)
        elif name in ("ASSERT", "ASSERT_NOT"):
            _look_at(given[1], found, repeated=repeated)
        elif name == "ATOMIC_GROUP":
            _look_at(given, found, repeated=repeated)
        elif name == "BRANCH" and not repeated:
            found.times(len(given[1]))
            for branch in given[1]:
                _look_at(branch, found, repeated=False)
        else:
            raise RefusedError("an alternative within a repeat, or a reference to a group")


def _look_at_repeat(given: Any, found: _Found, *, repeated: bool) -> None:
    least, most, inner = given
    exact = least == most
    if repeated and not exact:
        raise RefusedError("a repeat within a repeat")
    if exact and int(most) > _MOST_CHOICES:
        raise RefusedError(f"a repeat of more than {_MOST_CHOICES} times")
    if exact and not (len(inner) == 1 and str(inner[0][0]) in _CHARACTER):
        found.times(int(most))  # what is in it may take no character, over and over
    if not exact:
        if int(most) - int(least) > 8:
            found.wide += 1
        else:
            found.times(int(most) - int(least) + 1)
    _look_at(inner, found, repeated=repeated or not exact or int(most) > 1)
