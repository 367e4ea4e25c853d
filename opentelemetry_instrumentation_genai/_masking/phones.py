"""Telephone numbers, as they are written in many countries, and checks against dates, times, versions and other numbers.

Sources: ITU-T E.123 and E.164, the numbering plans of the countries. What a pattern finds is checked, with what stands around it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .phone_names import is_another_number

if TYPE_CHECKING:
    from collections.abc import Iterator

_GAP = r"[ ().\-/]{0,3}"
_INTERNATIONAL = rf"(?:\+[1-9]|(?<![0-9] )00 ?[1-9])(?:{_GAP}[0-9]){{6,14}}(?!\.?[0-9])"
_NATIONAL = (
    # North American, also with the trunk prefix
    r"(?:1(?:[ .-]{1,2}|(?=\()))?(?:(?:\([2-9][0-9]{2}\)[ .-]{0,2}|[2-9][0-9]{2}[ -]{1,2})[0-9]{3}[ -][0-9]{4}|\(?[2-9][0-9]{2}\)?\.[0-9]{3}\.[0-9]{4})"
    # pairs, as in France
    r"|0[1-9](?:\.[0-9]{2}){4}|0[1-9](?:-[0-9]{2}){4}|0[1-9](?: [0-9]{2}){4}"
    # an area code after the trunk prefix 0
    r"|\(?0[1-9][0-9]{0,4}\)?(?:[ -]{1,3}| ?/ ?)[0-9]{2,4}(?:[ -]?[0-9]{2,4}){1,4}"
    # Brazil; Russia and Turkey; China
    r"|\([1-9][0-9]\) ?[0-9]{4,5}-[0-9]{4}|8[ -][0-9]{3}[ -][0-9]{3}[ -][0-9]{2}[ -][0-9]{2}|[08] ?\([0-9]{3}\) ?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}"
    r"|1[3-9][0-9]([ -])[0-9]{4}\1[0-9]{4}"
)
NUMBER = re.compile(
    rf"(?<![\w.+-])(?:{_INTERNATIONAL}|(?<![0-9][ :/,'])(?:{_NATIONAL})(?![\w-]|[.,:/][0-9]| [0-9]))",
    re.ASCII,
)
# What a number of seven digits at least is in. It begins with what few characters of a text are, which makes the search fast.
RUN = re.compile(r"[0-9+(][0-9+ ().\-/]{6,}")
_AROUND = 4  # characters after a run that a pattern looks at
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:1[89]|20)[0-9]{2}"
DATE = re.compile(
    rf"\(?(?:(?:{_DAY}([./-]) ?{_MONTH}\1 ?|{_MONTH}([./-]) ?{_DAY}\2 ?)(?:{_YEAR}|[0-9]{{2}}(?![./-]?[0-9]))"
    rf"|{_YEAR}([./-]){_MONTH}(?:\3{_DAY})?|{_DAY}\.{_MONTH}\.(?![0-9])|(?:{_DAY} {_MONTH}|{_MONTH}[./-]) ?{_YEAR}|{_YEAR}{_MONTH}{_DAY}(?:[ T_-]?[0-9]{{6}})?)(?![0-9])"
)
# Groups of three, as in large numbers with a sign.
_GROUPED = re.compile(r"\+[0-9]{1,3}(?:\.[0-9]{3}){1,2}|\+[0-9]{1,3}(?: [0-9]{3}){1,2}")
# A range of postal codes, or of anything that begins with zero; a postal code of North America.
_RANGE = re.compile(r"0[0-9]{2,4} ?[-/] ?0[0-9]*|0[0-9]{4}-[0-9]{4}$")
_DIGITS = re.compile("[0-9]+")
PHONE_PATTERNS = (NUMBER, RUN, DATE, _GROUPED, _RANGE, _DIGITS)


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Return where in a decoded text telephone numbers are that are written as such."""
    for run in RUN.finditer(text):
        place, end = run.start(), run.end() + _AROUND
        while (match := NUMBER.search(text, place, end)) is not None:
            start, stop = match.span()
            if text[start] == "(" and ")" not in match[0]:
                start += 1  # it opens more than the number
            found = _is_number(text[start:stop]) and not is_another_number(text, start)
            if found:
                yield start, stop
            place = stop if found else match.start() + 1


def _is_number(number: str) -> bool:
    digits = sum(map(str.isdigit, number))
    groups = _DIGITS.findall(number)
    if len(groups) != 5 and all(len(group) == 2 for group in groups):
        return False  # bytes
    if number.startswith("+"):
        return 8 <= digits <= 15 and (digits > 9 or _GROUPED.fullmatch(number) is None)
    if number.startswith("00"):
        return 10 <= digits <= 17
    if number[number.startswith("(")] == "0":
        return 9 <= digits <= 12 and DATE.match(number) is None and _RANGE.match(number) is None
    return DATE.match(number) is None
