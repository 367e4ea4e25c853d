"""Keys are in no message, whether it goes into telemetry or into a log: those that rules know, and the client's own.

The client's own key may be any word, since some servers ask for one and look at none. Rules tell a secret by the words around it,
so they see a message as it came, and not without the client's key; what overlaps is one secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from .decoded import Decoded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

SHORT = 8
"""Characters. A secret that is shorter may be a placeholder, and stands in compounds of others."""
_ANYWHERE = 16  # characters from which on a key is no part of a longer word by chance
_TELLING = 4  # characters of a key, in front of what stands for the others or after it, by which it is known
_LONGEST = 32  # that many characters are looked at, on either side
_MOST = 1 << 13  # characters of a message: a server may answer with all that it was sent, and megabytes of it
MARGIN = 1 << 12
"""So many characters more are read, since a key that is cut in two is not recognised: longer than keys are."""
_CUT = re.compile(r" \[cut from ([0-9]{1,15}) bytes\]\Z")
_HIDDEN = re.compile(r"[*•…]+|\.{3,}")
_IN_PERCENT = re.compile("%[0-9A-F]{2}")  # URLs are written with small letters too
_OWN = "secrets"

_Found: TypeAlias = "tuple[int, int, str]"  # where it begins, where it ends, and the name of what it is


def masked(message: str, secrets: Collection[str] = ()) -> str:
    """Return a message without keys, as UTF-8 can carry it. One of more than 8,192 characters is cut before anything looks at it.

    Args:
        message: what somebody says.
        secrets: the client's own credentials. From 8 characters on they are looked for also where their middle is hidden.
    """
    if len(message) <= _MOST:
        return masked_whole(message, secrets)
    size = len(message.encode("utf-8", "replace"))
    return with_size(masked_whole(message[: _MOST + MARGIN], secrets, _MOST), size)


def with_size(head: str, size: int) -> str:
    """Return the beginning of a message that was cut, with the bytes that it had."""
    return f"{head} [cut from {size} bytes]"


def without_size(message: str) -> tuple[str, int | None]:
    """Return the beginning of a message that `with_size` has made, and the size; of any other the message, and None."""
    cut = _CUT.search(message)
    return (message, None) if cut is None else (message[: cut.start()], int(cut[1]))


def masked_whole(message: str, secrets: Collection[str] = (), end: int | None = None) -> str:
    """Return a message of bounded length up to `end` without keys; what stands after that tells whether a key goes on there."""
    from .rule import found
    from .rules import MASKED  # many patterns, which a process without failures does not need

    decoded = Decoded(message)
    spans = [*found(MASKED, decoded), *_own(decoded, secrets)]
    told = _without(message, spans, end) if spans else message[:end]
    return told.encode("utf-8", "replace").decode("utf-8")


def without(message: str, secrets: Collection[str]) -> str:
    """Return a message without the client's own credentials; what only rules find stays."""
    return _without(message, _own(Decoded(message), secrets)) if secrets else message


def _own(decoded: Decoded, secrets: Iterable[str]) -> Iterator[_Found]:
    for secret in filter(None, secrets):
        own = Decoded(secret).plain
        for start, stop, name in (*_whole(decoded.plain, own), *_hidden(decoded.plain, own)):
            yield decoded.position(start), decoded.position(stop), name


def quoted(value: object) -> str:
    """A value of a setting as a warning tells it: keys are set in the wrong place at times."""
    try:
        return masked(repr(value))
    except Exception:  # noqa: BLE001 - it is the user's, and only to be told
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
    """Where a key is told by its beginning, its end, or both: `sk-12****89`, `****6789`, `abc...789`."""
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
    told, end = [], 0
    for start, stop, name in sorted(found):
        if until is not None and start >= until:
            break
        if start >= end:
            told += [text[end:start], f"[{name}]"]
        end = max(end, stop)
    return "".join([*told, text[end:until]])
