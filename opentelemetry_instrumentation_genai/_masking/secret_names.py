"""The names of secrets: where they are in a text, and of which kind the value of each is."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """How surely a name makes its value a secret."""

    PASSWORD = auto()  # anything that is no word may be one
    KEY = auto()  # what is long and has letters and digits is one
    WEAK = auto()  # a key in a table, or one to a door: only a long random value is one


class Name(NamedTuple):
    """A name in a text: where its last word begins, where it ends, and the kind of its value."""

    start: int
    end: int
    kind: Kind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERED = r"(?:[ _-]?(?:[0-9]{1,2}|value|base|data|confirm(?:ation)?)(?![a-z0-9]))?"
_PASSWORDS = (
    r"pass(?:word|wd|phrase|code|wort|ord|e)?|pwd|kennwort|contrase(?:ñ|n\u0303?)a|senha|wachtwoord|hasło|пароль|mdp|lösenord|şifre"
    r"|heslo|密码|密碼|口令|パスワード|비밀번호|암호|كلمة (?:المرور|السر)|पासवर्ड"
)
_LAST_WORD = re.compile(
    rf"(?P<password>(?:{_PASSWORDS}){_NUMBERED})"
    rf"|(?P<key>(?:key|token){_NUMBERED})"
    rf"|(?P<secret>(?:secret|credential){_NUMBERED})"
    r"|(?P<signature>sig(?:nature)?(?==))"
    r"|(?P<session>sess(?:ion)?id|(?<=_)session(?==)|auth(?![a-z0-9]))"
)
NAME_PATTERNS = (_LAST_WORD,)
# How they begin. Most texts have none of these, and `str.find` is the fastest check.
_STEMS = (
    "pass", "pwd", "key", "token", "secret", "credential", "sig", "sess", "auth", "kennwort", "contrase", "senha", "wachtwoord", "mdp", "heslo",
)  # fmt: skip
_OTHER_STEMS = (
    "hasło",
    "пароль",
    "lösenord",
    "şifre",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "비밀번호",
    "암호",
    "كلمة",
    "पासवर्ड",
)
# The word before `key` or `token` where it names no secret, and where it surely does.
_PUBLIC = _words(
    "public pub publishable primary foreign cache partition sort range hash routing object map lookup translation hot "
    "short index idempotency dedup deduplication natural surrogate composite candidate unique group row column field "
    "event dict json config registry page next prev previous continuation pagination pad eos bos unk cls sep mask "
    "start end stop max min new special arrow function enter modifier sync resume change fencing cancellation message "
    "answer first last this other each every s3 storageobject"
)
_SECRET = _words(
    "api access auth authentication secret private client subscription master admin account storage shared share "
    "encryption encrypt decryption signing sign signature hmac license licence service app application consumer "
    "integration webhook deploy ssh rsa aes speech vision search maps openai azure cognitive google aws mistral "
    "cohere translator user bot bearer session root server connection"
)
_JOINED = (
    "api",
    "auth",
    "access",
    "secret",
    "client",
    "private",
    "session",
    "refresh",
    "bearer",
    "account",
    "storage",
    "master",
)
_LONGEST_WORD = 20


def names(text: str) -> Iterator[Name]:
    """Return the names in a decoded text, in order."""
    small = _small(text)
    for place in _places(small):
        word = _LAST_WORD.match(small, place)
        kind = None if word is None else _kind(text, small, word)
        if word is not None and kind is not None:
            yield Name(place, word.end(), kind)


def kind_of(name: str) -> Kind | None:
    """Return the kind of value that a member's name gives it; None where it does not name a secret."""
    found = [each for each in names(name[-64:]) if each.end == len(name[-64:])]
    return found[0].kind if found else None


def _small(text: str) -> str:
    small = text.lower()
    # A few letters are two when they are small, which would move all that follows.
    return small if len(small) == len(text) else "".join(letter.lower()[:1] for letter in text)


def _places(small: str) -> list[int]:
    found = []
    for stem in _STEMS if small.isascii() else _STEMS + _OTHER_STEMS:
        place = small.find(stem)
        while place >= 0:
            found.append(place)
            place = small.find(stem, place + 1)
    return sorted(found)


def has_name(text: str) -> bool:
    """Return whether a text may have a name of a secret in it."""
    small = text.lower()
    return any(stem in small for stem in (_STEMS if small.isascii() else _STEMS + _OTHER_STEMS))


def _kind(text: str, small: str, word: re.Match[str]) -> Kind | None:
    place, group = word.start(), word.lastgroup
    joined = place > 0 and small[place - 1].isalpha() and not _is_hump(text, place)
    if group == "password":
        return None if joined and word[0] in ("pass", "passe") else Kind.PASSWORD
    if group == "signature":
        return Kind.KEY if place and small[place - 1] in "?&-; " else None
    if group == "session":
        if word[0] == "auth":
            return None if joined else Kind.KEY
        return None if text[word.end() - 2 : word.end()] == "Id" and small[place - 1 : place] != "_" else Kind.KEY
    if group == "secret":
        return Kind.KEY
    return _kind_of_key(text, small, word, joined=joined)


def _kind_of_key(text: str, small: str, word: re.Match[str], *, joined: bool) -> Kind | None:
    """Return the kind of value that `key` or `token` names, by the word before it; None if it is not a secret."""
    before = _word_before(text, small, word.start())
    if before in _PUBLIC:
        return None
    if before in _SECRET:
        return Kind.KEY
    if joined:  # as in `apikey`, and not in `monkey`
        return Kind.KEY if before.endswith(_JOINED) else None
    if word[0].startswith("token") or text[word.start() - 1 : word.start() + 3] == "_KEY":
        return Kind.KEY
    return Kind.WEAK


def _word_before(text: str, small: str, place: int) -> str:
    """Return the letters and digits before a position, with up to two separators between; in camel case, only the last word."""
    end = place
    while end and place - end < 2 and small[end - 1] in " _.-":
        end -= 1
    start = end
    while start and end - start < _LONGEST_WORD and small[start - 1].isalnum():
        start -= 1
        if _is_hump(text, start):
            break
    return small[start:end]


def _is_hump(text: str, place: int) -> bool:
    """Return whether a word begins here within a name in camel case, as in `apiKey`."""
    return text[place].isupper() and place > 0 and text[place - 1].islower()
