"""Telephone numbers that a word before them, or the name of a member, calls one: digits of any grouping, and of none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .phone_names import is_phone_name
from .phones import DATE, RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS = re.compile(r"\+?\(?[0-9][0-9 ().\-/]{5,40}[0-9](?![0-9])")
_GOES_ON = re.compile(r"[\w-]|[.,:/][0-9]| [0-9]", re.ASCII)
_WIDE_GAP = re.compile(r"[ ().\-/]{4}")
NAMED_PHONE_PATTERNS = (_DIGITS, _GOES_ON, _WIDE_GAP)


def named_phones(text: str) -> Iterator[tuple[int, int]]:
    """Return where in a decoded text numbers are that a word before them calls one of a telephone."""
    for run in RUN.finditer(text):
        start = run.start()
        if start and text[start - 1] not in "\n,]>/" and is_phone_name(text[max(start - 40, 0) : start]):
            match = _DIGITS.match(text, start)
            if match is not None and _is_number(match[0]) and not _GOES_ON.match(text, match.end()):
                yield match.span()


def is_named_phone(name: str, value: str) -> bool:
    """Return whether a value is a telephone number, by the name of the member that holds it."""
    return is_phone_name(name[-40:]) and _DIGITS.fullmatch(value) is not None and _is_number(value)


def _is_number(number: str) -> bool:
    digits = sum(map(str.isdigit, number))
    return 7 <= digits <= 15 and not _WIDE_GAP.search(number) and not DATE.match(number)
