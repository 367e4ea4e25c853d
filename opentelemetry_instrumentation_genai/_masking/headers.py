"""Credentials in headers of HTTP and in options of commands that make them."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING

from .decoded import ESCAPED_QUOTES
from .secret_names import Kind
from .secret_values import Value, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHARACTER = r"[A-Za-z0-9_.*~+/:=%-]"
_OPENING = rf"[\"'{ESCAPED_QUOTES}]{{0,2}}\s{{0,3}}[:=,]\s{{0,3}}[fb]?[\"'`{ESCAPED_QUOTES}]{{0,2}}"
_AUTHORIZATION = re.compile(
    rf"(?i:authorization){_OPENING}(?P<scheme>[A-Za-z][A-Za-z0-9-]{{1,24}}\s{{1,4}})?(?P<value>{_CHARACTER}{{6,}})"
)
_SCHEME = re.compile(rf"(?<![\w-])(?P<scheme>[Bb]earer|BEARER|[Bb]asic)\s{{1,4}}(?P<value>{_CHARACTER}{{12,}})")
_SCHEMES = frozenset({"bearer", "basic", "digest", "negotiate", "token", "apikey"})
_COOKIES = re.compile(rf"(?i:cookies?){_OPENING}(?P<pairs>[^\r\n\"'{ESCAPED_QUOTES}]+)")
_COOKIE = re.compile(r"=([^\s;,=()\[\]`<>”»]{16,})")
_USER = re.compile(
    r"\s(?:-u\s{1,2}|--(?:proxy-)?user[ =])(?:(?P<quote>[\"'])(?:[^\"':\s]{1,64}):(?P<quoted>[^\"'\r\n]+)|[^\s:\"']{1,64}:(?P<plain>[^\s\"']+))"
)
_HIDDEN = re.compile(r"[*•xX.…_-]+")
HEADER_PATTERNS = (_AUTHORIZATION, _SCHEME, _COOKIES, _COOKIE, _USER, _HIDDEN)


def has_header(text: str) -> bool:
    """Return whether there is a word in a text that one of these needs."""
    return any(word in text for words, _ in _FINDERS for word in words)


def credentials(text: str) -> Iterator[tuple[int, int]]:
    """Return where in a decoded text the credentials of headers and of options are."""
    found: set[tuple[int, int]] = set()
    for words, finder in _FINDERS:
        if any(word in text for word in words):
            found.update(finder(text))
    end = 0
    for start, stop in sorted(found):
        if start >= end:
            yield start, stop
            end = stop


def is_header_secret(name: str, value: str) -> bool:
    """Return whether the value of a header, or of a member that is called like one, is a credential."""
    last = name[-16:].lower()
    if last.endswith("authorization"):
        return _is_key(value)
    return last.endswith(("cookie", "cookies")) and next(_cookies(f"{last[-7:]}: {value}"), None) is not None


def _authorizations(text: str) -> Iterator[tuple[int, int]]:
    for match in _AUTHORIZATION.finditer(text):
        value = match["value"].rstrip(".:")
        if value.lower() not in _SCHEMES and (_is_credential(value) if match["scheme"] else _is_key(value)):
            yield match.start("value"), match.start("value") + len(value)


def _is_credential(value: str) -> bool:
    """Return whether the value after a scheme is a credential, and not a placeholder word."""
    if _HIDDEN.fullmatch(value):
        return False
    mixed = any(map(str.isupper, value)) and any(map(str.islower, value))
    return any(map(str.isdigit, value)) or "=" in value or (mixed and len(value) >= 12) or len(value) >= 24


def _schemes(text: str) -> Iterator[tuple[int, int]]:
    for match in _SCHEME.finditer(text):
        value = match["value"].rstrip(".:")
        if _IS_OF_SCHEME[match["scheme"]](value):
            yield match.start("value"), match.start("value") + len(value)


def _is_key(value: str) -> bool:
    return is_secret(Value(value[:512], quoted=True), Kind.KEY)


def _is_basic(value: str) -> bool:
    """Return whether a value encodes a user's name and a password, by RFC 7617."""
    try:
        return b":" in b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False


_IS_OF_SCHEME = {
    "Bearer": _is_credential,
    "BEARER": _is_credential,
    "bearer": _is_key,
    "Basic": _is_basic,
    "basic": _is_basic,
}


def _cookies(text: str) -> Iterator[tuple[int, int]]:
    for header in _COOKIES.finditer(text):
        for match in _COOKIE.finditer(text, header.start("pairs"), header.end("pairs")):
            if any(map(str.isdigit, match[1])):
                yield match.span(1)


def _users(text: str) -> Iterator[tuple[int, int]]:
    for match in _USER.finditer(text):
        yield match.span("plain" if match["quote"] is None else "quoted")


# What each needs, which most texts have not.
_FINDERS = (
    (("uthorization", "UTHORIZATION"), _authorizations),
    (("earer ", "EARER ", "asic "), _schemes),
    (("-u ", "-user ", "-user="), _users),
    (("ookie", "OOKIE"), _cookies),
)
