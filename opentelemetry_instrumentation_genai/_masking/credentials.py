"""The credentials of one HTTP request, which no message of its failure may quote.

They are read from the request only after it has failed. Whether they came from a provider of tokens or from headers of the
caller, the request has what the server received and can echo.
"""

from __future__ import annotations

import re
from base64 import b64decode
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# These hold credentials and nothing else, of any length.
_CREDENTIAL = frozenset({"authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key"})
_LIKELY = re.compile(
    r"auth|key|token|secret|passw|pwd|cookie|credential|signature|session|(?<![a-z])sig(?![a-z])", re.IGNORECASE
)
_HARMLESS = frozenset({"idempotency-key", "sec-websocket-key"})
_LONG_ENOUGH = 8  # characters of what is only likely to be a credential
_SCHEME = re.compile(r"[A-Za-z][\w-]*\s+")
_MEMBER = re.compile(r"=\s*\"?([^\s,;\"]{8,})")  # of what has several, as cookies and signatures have
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_MOST = 64  # spellings in all
_PARAMETER = re.compile(r"[?&;#]([^=?&;#/]{1,256})=[^&;#]")


def credentials_of(request: Any, *others: Any) -> tuple[str, ...]:
    """Return the credentials that a request carried, in each spelling in which a message may have them.

    Args:
        request: an HTTP request of httpx or alike; None where it is not known.
        others: what is a credential besides, such as the client's key, where that is a text.
    """
    found = [other for other in others if isinstance(other, str)]
    if request is not None:
        found += _secrets_of_pairs(request.headers.multi_items())
        found += _of_url(request.url)
    return tuple(_spelled(found))


def credentials_in(headers: Any) -> tuple[str, ...]:
    """Return the credentials that headers of httpx or alike hold, in the same form."""
    return tuple(_spelled(_secrets_of_pairs(headers.multi_items())))


def credentials_named(values: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return those of (name, value) pairs, such as variables of an environment, that have the name of a credential, in the same form."""
    return tuple(_spelled(_secrets_of_pairs(values)))


def credentials_among(values: Iterable[str]) -> tuple[str, ...]:
    """Return values of headers, each of which is a credential, and their parts, in the same form."""
    return tuple(_spelled(secret for value in values for secret in _secrets_of_value(value)))


def has_credential(url: str) -> bool:
    """Return whether the query of a URL, or what is like one, gives something under the name of a credential."""
    return any(_LIKELY.search(name) for name in _PARAMETER.findall(unquote(url)))


def _secrets_of_pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for spelled, value in pairs:
        name = spelled.lower()
        if name in _CREDENTIAL:
            yield from _secrets_of_value(value)
        elif name not in _HARMLESS and _LIKELY.search(name):
            yield from (secret for secret in _secrets_of_value(value) if len(secret) >= _LONG_ENOUGH)


def _secrets_of_value(value: str) -> Iterator[str]:
    """Yield the value of a header, the credential after a scheme such as `Bearer`, and the pieces of the value."""
    yield value
    scheme = _SCHEME.match(value)
    if scheme is not None:
        secret = value[scheme.end() :]
        yield secret
        if scheme[0].strip().lower() == "basic":
            yield from _of_basic(secret)
    yield from _MEMBER.findall(value)
    if _CONTROL.search(value.strip()):
        yield from (piece for piece in _CONTROL.split(value) if len(piece) >= _LONG_ENOUGH)


def _of_basic(encoded: str) -> Iterator[str]:
    """Yield the decoded credential of the scheme `Basic`, and its password alone."""
    try:
        decoded = b64decode(encoded).decode()
    except ValueError:
        return
    yield decoded
    yield decoded.partition(":")[2]


def _of_url(url: Any) -> Iterator[str]:
    """Yield the password of a URL, and the values of its query that have the name of a credential."""
    yield url.password or ""
    for name, value in url.params.multi_items():
        if _LIKELY.search(name) and len(value) >= _LONG_ENOUGH:
            yield value


def _spelled(secrets: Iterable[str]) -> dict[str, None]:
    """Return each secret without the space around it, and as URLs and pages encode it; the longest first."""
    spelled: dict[str, None] = {}
    for secret in secrets:
        plain = secret.strip()
        if plain and len(spelled) < _MOST:
            spelled.update(dict.fromkeys([plain, unquote(plain), *_encoded(plain)]))
    return dict.fromkeys(sorted(spelled, key=len, reverse=True))


def _encoded(secret: str) -> Iterator[str]:
    if secret.isalnum():
        return
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret), escape(secret))
