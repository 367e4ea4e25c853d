"""Whether a value is a secret, by the kind of its name: not a word, a placeholder, or code that reads a secret from elsewhere."""

from __future__ import annotations

import re
from typing import NamedTuple

from .key_formats import random_word
from .secret_names import Kind


class Value(NamedTuple):
    """A value.

    Attributes:
        text: the value, without its quotes.
        quoted: whether it stood in some.
        mode: what separated it from its name.
    """

    text: str
    quoted: bool = False
    mode: str = "is"


_SHORTEST = {Kind.PASSWORD: 6, Kind.KEY: 12, Kind.WEAK: 24}
_LETTERS = 24  # that many letters in one word, which no word has

_PLACEHOLDER = re.compile(
    r"[*•xX.#_?…-]+|\{[\s\S]{0,64}\}|[<\[(%][\w\s.'\"-]{0,64}[>\])%]|\$[A-Za-z_]{1,64}|\$[A-Z_][A-Z0-9_]{1,64}|\$[({][\s\S]+|\{\{[\s\S]+|%[a-z]|[:@][a-z_]{1,64}"
)
# Code that a value comes from: a call, an entry of something, a member of something.
_NAME = (
    r"_{0,2}(?:[A-Za-z][a-z_]{1,48}(?:[A-Z][a-z_]{1,24}){0,5}[0-9]{0,3}|[A-Z_]{2,24}|[a-z]{1,12}[0-9]{1,3}[a-z_]{3,24})"
)
_MEMBER = rf"{_NAME}(?:\?\.|\.|::|->)"
_CALLED = rf"(?=\w{{3}}){_NAME}"
_CODE = re.compile(
    rf"[&*!$]{{0,2}}(?:(?:{_MEMBER}){{0,4}}{_CALLED}[(\[{{](?=[\w\"'`$()\[\]{{}}]|$)|(?:{_MEMBER}){{1,4}}{_CALLED}(?<![0-9][0-9])[;,)]{{0,3}}$)"
)
_PATH = re.compile(r"(?:\.{0,2}|~|[A-Za-z]:)[/\\][\w./\\ -]*|[a-z][a-z0-9+.-]{1,20}://\S*|arn:\S*")
_MEASURE = re.compile(
    r"[0-9]+(?:[.,][0-9]+)?[ ]?[A-Za-z%]{1,3}|[0-9]{4}-[0-9]{2}-[0-9]{2}\S*|[0-9.,:/-]*[0-9][.,:/-][0-9.,:/-]*"
)
_JOINTS = re.compile(r"[-_./:,|\\]")
_LISTS = re.compile(r"[|:/,]")
_WORD = re.compile(
    r"(?:[A-Z]{0,4}[^\W\d_A-Z]{2,24}){1,4}[0-9]{0,4}|[A-Z]{2,24}[0-9]{0,4}|[0-9]{1,8}|v[0-9]{1,4}|[^\W\d_]|"
)
_ONE_WORD = re.compile(r"[A-Za-z]{24,}[\w.*~+/-]*={0,2}")
_CAMEL = re.compile(r"[A-Za-z][a-z]{1,24}(?:[A-Z][a-z]{2,24}){1,8}")
_HEX = re.compile(r"[0-9a-f]{32,}")
_PROSE = re.compile(r"\W{0,2}[A-Z]?[^\W\d_A-Z]+\W{0,2}|[0-9]{1,3}")
_INNER_SPECIAL = re.compile(r"\S[!@#$%^&*?~+=<>{}\[\]()|\\;\ufdd0-\ufdd5]+\S")
VALUE_PATTERNS = (
    _PLACEHOLDER,
    _CODE,
    _PATH,
    _MEASURE,
    _JOINTS,
    _LISTS,
    _WORD,
    _ONE_WORD,
    _CAMEL,
    _PROSE,
    _INNER_SPECIAL,
)


def is_secret(value: Value, kind: Kind) -> bool:
    """Return whether a value is one, of a name of that kind."""
    text = value.text
    short = len(text) < _SHORTEST[kind] and not (kind is Kind.KEY and _is_short_key(text))
    if short or _PLACEHOLDER.fullmatch(text) or _is_path(text) or _MEASURE.fullmatch(text):
        return False
    if not value.quoted and _CODE.match(text):
        return False
    if value.mode == "prose":
        return _is_unlike_prose(text, kind)
    if kind is Kind.PASSWORD:
        return _is_password(value)
    if any(map(str.isspace, text)):
        return False
    return _is_key(text) if kind is Kind.KEY else _is_random(text)


def _is_unlike_prose(text: str, kind: Kind) -> bool:
    """Return whether a word that follows a name after a mere space can only be a secret."""
    if kind is Kind.PASSWORD:
        digits, small, capitals = (any(map(test, text)) for test in (str.isdigit, str.islower, str.isupper))
        special = _INNER_SPECIAL.search(text) is not None or (small and capitals and text.isalnum())
        return len(text) >= 8 and digits and (small or capitals) and special and not _is_wordy(text + "/")
    return kind is Kind.KEY and (_HEX.fullmatch(text) is not None or (len(text) >= 24 and _is_random(text)))


def _is_password(value: Value) -> bool:
    text = value.text
    words = text.split()
    if len(words) > 1:
        prose = sum(_PROSE.fullmatch(word) is not None for word in words)
        return any(map(_is_no_word, words)) and prose * 2 <= len(words)
    if text.isdigit():
        return value.mode in ("is", "pair", "tag", "call")
    return _is_no_word(text)


def _is_no_word(word: str) -> bool:
    """Return whether it has both digits and letters, has a special character within, or is too long for a word."""
    digits, letters = any(map(str.isdigit, word)), any(map(str.isalpha, word))
    if digits and letters:
        return len(_LISTS.split(word)) < 3 or not _is_wordy(word, _LISTS)  # as in `required|min:8`
    if _INNER_SPECIAL.search(word):
        return digits or letters
    return len(word) >= _LETTERS and word.isascii() and word.isalpha() and not _CAMEL.fullmatch(word)


def _is_key(text: str) -> bool:
    digits, letters = any(map(str.isdigit, text)), any(map(str.isalpha, text))
    if digits and letters:
        return not _is_wordy(text) and not text.startswith("--")
    return _ONE_WORD.fullmatch(text) is not None and not _CAMEL.fullmatch(text)


def _is_path(text: str) -> bool:
    return _PATH.fullmatch(text) is not None and (
        "://" in text or text.startswith("arn:") or _is_wordy(text.lstrip("~./\\") + "/")
    )


def _is_short_key(text: str) -> bool:
    """Return whether a text has small letters, capitals and digits, and the digits not only at its end."""
    mixed = all(any(map(test, text)) for test in (str.isdigit, str.islower, str.isupper))
    return len(text) >= 8 and mixed and not _WORD.fullmatch(text)


def _is_wordy(text: str, joints: re.Pattern[str] = _JOINTS) -> bool:
    """Return whether a text consists of words and numbers, as identifiers do."""
    pieces = joints.split(text)
    return len(pieces) > 1 and all(map(_WORD.fullmatch, pieces))


def _is_random(text: str) -> bool:
    return all(character.isalnum() or character in "+/=_-" for character in text) and random_word(text)
