"""Masking of credentials in messages of exceptions and in log lines: those that the rules find, and those of the client.

The client's API key can be any word: some servers require one and accept every value. The rules need the words around a secret, so
they run on the message before the client's credentials are masked. Matches that overlap are masked as one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from .decoded import Decoded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

SHORT = 8
"""In characters. A shorter secret may be a placeholder or a part of a word, so it is masked only as a whole word."""
_ANYWHERE = 16  # characters of a key that does not occur by chance within another word
_TELLING = 4  # visible characters, on one side of the hidden middle of a key, by which it is recognised
_LONGEST = 32  # characters that are searched on each side of the hidden middle
_MOST = 1 << 13  # the most characters of a message: an error may quote the whole request, which can be megabytes
MARGIN = 1 << 12
"""Characters that are searched beyond the end, so that a key across it is found. No key is longer."""
_CUT = re.compile(r" \[cut from ([0-9]{1,15}) bytes\]\Z")
_HIDDEN = re.compile(r"[*•…]+|\.{3,}")
_IN_PERCENT = re.compile("%[0-9A-F]{2}")  # URLs may have lower-case digits here
_OWN = "secrets"

_Found: TypeAlias = "tuple[int, int, str]"  # the start, the end, and the name of the rule that found it


def masked(message: str, secrets: Collection[str] = ()) -> str:
    """Return a message with its credentials masked, and with `?` for what UTF-8 cannot encode. Of a longer message, the first 8,192 characters.

    Args:
        message: the text of an error or of a warning.
        secrets: the client's own credentials. One of at least 8 characters is also found with its middle hidden, by 4 visible ones.
    """
    if len(message) <= _MOST:
        return masked_whole(message, secrets)
    size = len(message.encode("utf-8", "replace"))
    return with_size(masked_whole(message[: _MOST + MARGIN], secrets, _MOST), size)


def with_size(head: str, size: int) -> str:
    """Return the beginning of a truncated message, with a mark of the message's size in bytes."""
    return f"{head} [cut from {size} bytes]"


def without_size(message: str) -> tuple[str, int | None]:
    """Return the beginning of a message that `with_size` has made, and the size; for any other, the message and None."""
    cut = _CUT.search(message)
    return (message, None) if cut is None else (message[: cut.start()], int(cut[1]))


def masked_whole(message: str, secrets: Collection[str] = (), end: int | None = None) -> str:
    """Return a message up to `end`, with its credentials masked. The text after `end` is read only to find a credential across it."""
    from .rule import found
    from .rules import MASKED  # imported here, since a process without failures does not need its many patterns

    decoded = Decoded(message)
    spans = [*found(MASKED, decoded), *_own(decoded, secrets)]
    masked_text = _without(message, spans, end) if spans else message[:end]
    return masked_text.encode("utf-8", "replace").decode("utf-8")


def without(message: str, secrets: Collection[str]) -> str:
    """Return a message with the credentials of the client masked. The rules are not applied."""
    return _without(message, _own(Decoded(message), secrets)) if secrets else message


def _own(decoded: Decoded, secrets: Iterable[str]) -> Iterator[_Found]:
    for secret in filter(None, secrets):
        own = Decoded(secret).plain
        for start, stop, name in (*_whole(decoded.plain, own), *_hidden(decoded.plain, own)):
            yield decoded.position(start), decoded.position(stop), name


def quoted(value: object) -> str:
    """Return a setting's value for a warning, with credentials masked: an API key may have been put into the wrong setting."""
    try:
        return masked(repr(value))
    except Exception:  # noqa: BLE001 - the `__repr__` of the user's value can raise anything
        return type(value).__name__


def _whole(text: str, key: str) -> Iterator[_Found]:
    pattern = _IN_PERCENT.sub(r"(?i:\g<0>)", re.escape(key))
    if len(key) < SHORT:
        pattern = rf"(?<![\w-]){pattern}(?![\w-])"
    elif len(key) < _ANYWHERE:
        pattern = rf"(?<![^\W_]){pattern}(?![^\W_])"
    for match in re.finditer(pattern, text):
        yield (*match.span(), _OWN)


def _hidden(text: str, key: str) -> Iterator[_Found]:
    """Yield the spans of a key with a hidden middle, by its start, its end, or both: `sk-12****89`, `****6789`, `abc1...789`."""
    if len(key) < SHORT:
        return
    lengths = range(min(_LONGEST, len(key)), 0, -1)
    beginning, ending = key[:_TELLING], key[-_TELLING:]
    for match in _HIDDEN.finditer(text):
        start, end = match.span()
        if beginning not in text[max(start - _LONGEST, 0) : start] and ending not in text[end : end + _LONGEST]:
            continue
        before = next((length for length in lengths if text.endswith(key[:length], 0, start)), 0)
        after = next((length for length in lengths if text.startswith(key[-length:], end)), 0)
        if max(before, after) >= _TELLING:
            yield start - before, end + after, _OWN


def _without(text: str, found: Iterable[_Found], until: int | None = None) -> str:
    pieces, end = [], 0
    for start, stop, name in sorted(found):
        if until is not None and start >= until:
            break
        if start >= end:
            pieces += [text[end:start], f"[{name}]"]
        end = max(end, stop)
    return "".join([*pieces, text[end:until]])
