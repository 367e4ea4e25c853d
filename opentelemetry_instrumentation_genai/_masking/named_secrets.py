"""Secrets that are recognised by a name alone: a value of a password, a key, a token or a secret, in any notation.

A name is found, then the separator before its value (`:`, `=`, the bar of a table, the bracket of XML, a word such as `is`, …),
then the end of the value: the quote that closes it, or the end by the notation around it. Special characters belong to the value.
`_secret_values.py` decides by the name's kind whether the value is a secret.

A bounded number of characters is searched for each name, so that the time for a text is linear.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .decoded import ESCAPED_QUOTES
from .secret_names import kind_of, names
from .secret_values import Value, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .secret_names import Name

_LONGEST_LOOK = 64  # characters of a value by which it is decided whether it is a secret
_MARGIN = 16  # characters that may be taken off the end of a value
_MOST_WITHIN = 4  # names within a value that is none which are looked at: code has some, and a hostile text many

_QUOTE = rf"[\"'{ESCAPED_QUOTES}]"
_CLOSING = rf"[\"'`*\]){ESCAPED_QUOTES}”\u2019»]{{0,4}}"
_SPACE = r"[ \t]{0,64}"
_SEPARATOR = re.compile(
    # `=`, `:` and the like, also after a type, with the value in this line or in the next
    rf"(?P<is>{_CLOSING}{_SPACE}(?::?[ ]?(?:str|[sS]tring)[ ]?(?==))?(?:=>|:=|->|={{1,3}}|:|→)(?:[*`]{{1,2}}(?=[ \t]))?{_SPACE}(?:[|>][+-]?(?=\r?\n))?(?:\r?\n[ \t]{{0,16}})?)"
    rf"|(?P<bar>[ \t`*\"]{{0,6}}\|[ \t]{{0,64}})"
    # <add key="…" value="…"/>, {"name": "…", "value": "…"}, and the same in YAML
    rf"|(?P<pair>{_QUOTE}?\s{{0,2}}[,>]?\s{{0,40}}[<\"'{ESCAPED_QUOTES}]?(?i:value){_QUOTE}?\s{{0,2}}(?:=>|[:=>])\s{{0,3}})"
    r"|(?P<tag>[\"']?(?:\s[\w:.-]{1,40}=\"[^\"\n]{0,80}\"){0,3}[ ]?>\s{0,3}(?:<!\[CDATA\[)?)"
    rf"|(?P<call>(?:{_QUOTE}\s?,|\()\s?(?=[\"'`{ESCAPED_QUOTES}]))"
    r"|(?P<word>(?:['\u2019]s|[\"'`*]{0,3}\s(?:is|was|to|ist|lautet|est|es|será|é|è|är|er|jest))(?:\s(?:now|set\sto))?:?\s{1,2})"
    r"|(?P<space>\s{1,2}(?=\S))"
)
_OPENING = re.compile(
    rf"(?:[bBrRuUfF@$]{{1,2}}(?=[\"']))?(\"{{3}}|'{{3}}|[\"'`“„«\u2018{ESCAPED_QUOTES}]|\*\*?(?=[^\s*]))?"
)
_CLOSERS = {"“": "”", "„": "“", "«": "»", "\u2018": "\u2019"}
# A quote that is escaped ends at the latest with what it stands in.
_OUTER = dict.fromkeys(ESCAPED_QUOTES[:3], '"') | dict.fromkeys(ESCAPED_QUOTES[3:], '"' + ESCAPED_QUOTES[:3])
_LINE_END = re.compile(r"[\r\n]")
# Where a value without quotes ends at the latest, and where another thing begins within it.
_END = re.compile(rf"[\s{ESCAPED_QUOTES}“”\u2019»、。\uff0c\uff1b\ufffc\x00]|[\"'`](?![A-Za-z0-9$#@!%])")
_NEXT = re.compile(
    r"&(?:amp;)?[A-Za-z_.-]{1,40}=|;(?=\s|$|[A-Za-z][\w .-]{2,30}=)|,(?=\s|$|[\"']|[A-Za-z_][\w.-]{2,40}[=:])|</[\w:.-]{1,40}>|<(?=(?:br|li|p|td)\b)|\|(?=\s|$)"
)
_AFTER = frozenset(["", *" \t,;:.!?)]}>"])  # what stands after a quote that closes
_PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}
# Two words before a name that its value follows without a sign, as in .netrc; else that is an option, or a statement of SQL.
_LOGINS = ("login", "user", "account")
# The last word of their names is where a name begins, so some of it stands before.
_AWS = re.compile(r"(?i:secret[_-]?(?:access[_-]?)?key|(?:session|security)[_-]?token)$")
_AWS_VALUE = re.compile(r"[A-Za-z0-9/+%]{38,}={0,2}")
_BEFORE = 20
NAMED_PATTERNS = (_AWS, _AWS_VALUE, _SEPARATOR, _OPENING, _LINE_END, _END, _NEXT)


def named_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Return the spans of secrets in a decoded text that are recognised by their name."""
    return _secrets(text, names(text))


def aws_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Return the spans of AWS secret keys and session tokens in a decoded text, recognised by their names."""
    wanted = [name for name in names(text) if _AWS.search(text, max(name.start - _BEFORE, 0), name.end)]
    return (span for span in _secrets(text, wanted) if _AWS_VALUE.fullmatch(text, *span))


def is_aws_secret(name: str, value: str) -> bool:
    """Return whether a value is an AWS secret key or session token, by the name of the member that holds it."""
    return _AWS.search(name[-_LONGEST_LOOK:]) is not None and _AWS_VALUE.fullmatch(value) is not None


def _secrets(text: str, wanted: Iterable[Name]) -> Iterator[tuple[int, int]]:
    end, within, last = 0, 0, 0
    for name in wanted:
        within = within + 1 if name.start < last else 0
        if name.start < end or within > _MOST_WITHIN:
            continue
        found = _value(text, name)
        if found is None:
            continue
        start, stop, secret = found
        if secret:
            yield start, stop
            end = stop
        elif not within:
            last = stop


def is_named_secret(name: str, value: str) -> bool:
    """Return whether a value is a secret, by the name of the member that holds it."""
    kind = kind_of(name)
    return kind is not None and is_secret(Value(value[:_LONGEST_LOOK], quoted=True), kind)


def _value(text: str, name: Name) -> tuple[int, int, bool] | None:
    """Return the start and the end of a name's value, and whether it is a secret; None where the name has no value."""
    separator = _SEPARATOR.match(text, name.end)
    if separator is None or not _separates(text, name, separator):
        return None
    mode = _mode(text, name, separator)
    start, quote = _opened(text, separator.end())
    if quote and text[start : start + 1] in _AFTER:
        return None  # it closes what the name stands in
    look = text[start : start + _LONGEST_LOOK]
    stop = _stop(look, mode, quote)
    value = Value(look[:stop], quoted=bool(quote), mode=mode)
    secret = stop > 0 and is_secret(value, name.kind)
    return start, start + (_whole(text, start, mode, quote) if secret else stop), secret


def _whole(text: str, start: int, mode: str, quote: str) -> int:
    """Return the length of a value of which only the beginning was read so far, and read little more than the value."""
    length = _LONGEST_LOOK * 2
    while (stop := _stop(text[start : start + length], mode, quote)) > length - _MARGIN and start + length < len(text):
        length *= 4
    return stop


def _separates(text: str, name: Name, separator: re.Match[str]) -> bool:
    """Return whether what follows a name leads to its value."""
    if separator.lastgroup == "tag":
        before = text[max(name.start - 64, 0) : name.start]
        return "<" in before and "</" not in before[before.rfind("<") :]
    # In a path of parts with colons, as in names of resources, it is one of them.
    return separator[0] != ":" or text[name.start - 1 : name.start] != ":"


def _mode(text: str, name: Name, separator: re.Match[str]) -> str:
    """Return what separates a name from its value; a mere space does it in an option, in a line of .netrc and in SQL."""
    if separator.lastgroup != "space":
        return separator.lastgroup or ""
    words = text[max(name.start - 80, 0) : name.end].split()
    option = words[-1].lstrip("\"'(").startswith("-")
    return "space" if option or (len(words) > 2 and words[-3] in _LOGINS) or text[separator.end()] == "'" else "prose"


def _opened(text: str, place: int) -> tuple[int, str]:
    """Return where a value begins, and the quote that opens it."""
    opening = _OPENING.match(text, place)
    assert opening is not None  # it matches the empty text
    quote = opening[1] or ""
    if quote.startswith("*") and quote not in _line(text[opening.end() : opening.end() + _LONGEST_LOOK]):
        return place, ""
    return opening.end(), quote


def _line(look: str) -> str:
    end = _LINE_END.search(look)
    return look if end is None else look[: end.start()]


def _stop(look: str, mode: str, quote: str) -> int:
    """Return how many characters of a text are the value that it begins with."""
    line = _line(look)
    if quote:
        end = _closed(look, quote)
        # An escaped backslash before a letter reads like the end of a line.
        return end if end < len(look) and " " not in look[:end] else _closed(line, quote)
    if mode == "tag" or (mode == "pair" and "</" in line):
        return len(line.partition("<")[0].partition("]]>")[0])
    if mode == "bar":
        return len(line.partition("|")[0].rstrip(" \t`*"))
    return _bare(line)


def _closed(line: str, quote: str) -> int:
    """Return the end of a value in quotes; the end of the line if the closing quote is missing."""
    closer = _CLOSERS.get(quote, quote)
    end = line.find(closer)
    if quote == "'":
        end += _doubled(line, end)
    for outer in _OUTER.get(quote, ()):
        other = line.find(outer)
        if other >= 0:
            end = other if end < 0 else min(end, other)
    return len(line) if end < 0 else end


def _doubled(line: str, end: int) -> int:
    """Return how much further a value continues after doubled apostrophes, which are escapes in YAML and SQL."""
    last = end
    while last >= 0 and line[last : last + 2] == "''" and line[last + 2 : last + 3] not in _AFTER:
        last = line.find("'", last + 2)
    return last - end if last >= 0 else 0


def _bare(line: str) -> int:
    """Return the end of a value without quotes: before a space, the start of another value, or punctuation of a sentence."""
    end = _END.search(line)
    value = line if end is None else line[: end.start()]
    following = _NEXT.search(value)
    if following is not None:
        value = value[: following.start()]
    for _ in range(_MARGIN):
        if not value or not (
            value[-1] in ".,;:" or value.count(value[-1]) > value.count(_PAIRS.get(value[-1], value[-1]))
        ):
            break
        value = value[:-1]
    return len(value)
