"""Secrets and personal data of many kinds in many places, and harmless texts that look like them.

The kinds, places and texts are split in two: rules are developed on the one part, and the other, the held-out one, shows how they
do on what nobody tuned them for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import NamedTuple

from .contexts import HELD_OUT, NAMED, PLAIN, Context
from .formats import KEYS, NAMED as NAMED_KEYS, filled
from .harmless import harmless
from .personal import PERSONAL
from .secrets import PASSWORDS, SHAPES

__all__ = ["GROUPS", "KINDS", "Sample", "found", "harmless", "is_held_out", "samples", "spared"]

_MARK = re.compile(r"\[[a-z_]+\]")
_PIECE = 5
"""Of a secret, so many characters in a row are too many."""
_RULES = {
    "JSON Web Token": "jwt",
    "JSON Web Encryption": "jwt",
    "AWS access key id": "aws_key",
    "AWS secret access key": "aws_key",
    "AWS session token": "aws_key",
}


class Sample(NamedTuple):
    """A secret in a place.

    Attributes:
        kind: what it is.
        context: the name of the place.
        text: the whole text.
        secret: what must not stay, as it is written there.
        kept: what must stay.
    """

    kind: str
    context: str
    text: str
    secret: str
    kept: tuple[str, ...]


KINDS: dict[str, str] = {
    **{kind: _RULES.get(kind, "secrets") for kind in (*KEYS, *NAMED_KEYS, *PASSWORDS)},
    **{kind: rule for kind, (rule, _) in SHAPES.items()},
    **{kind: rule for kind, (rule, _) in PERSONAL.items()},
}
"""Each kind, and the rule that finds it."""


GROUPS: dict[str, tuple[str, ...]] = {
    "keys and tokens by their formats": tuple(kind for kind in KEYS if KINDS[kind] == "secrets"),
    "keys, tokens and secrets by their names": tuple(kind for kind in NAMED_KEYS if KINDS[kind] == "secrets"),
    "passwords by their names": tuple(PASSWORDS),
    "credentials of URLs, headers and commands": tuple(kind for kind, (rule, _) in SHAPES.items() if rule == "secrets"),
    **{
        rule: tuple(kind for kind, each in KINDS.items() if each == rule)
        for rule in ("aws_key", "jwt", "private_key", "email", "credit_card", "iban", "phone", "ip")
    },
}
"""The kinds as the documentation lists them."""


def is_held_out(kind: str, context: str = "") -> bool:
    """Return whether a kind, by a digest of its name, or a place belongs to the held-out part."""
    return sha256(kind.encode()).digest()[0] % 3 == 0 or context in HELD_OUT


def samples(kind: str, seed: int = 0, *, each: int = 1) -> Iterator[Sample]:
    """Return samples of a kind in all places that can hold it, `each` of them; the same seed gives the same."""
    random = Random(f"{kind} {seed}")
    for context in NAMED if kind in NAMED_KEYS or kind in PASSWORDS else PLAIN:
        for _ in range(each):
            name, text, secret = _drawn(kind, random)
            if not _fits(context, kind, text):
                continue
            if context in NAMED:
                value = "".join(character for character in text if character not in context.forbidden)
                secret = written = context.escaped(value)
            else:
                written = context.escaped(text)
                secret = context.escaped(secret)
            yield Sample(kind, context.name, context.write(name, written), secret, context.kept)


def _fits(context: Context, kind: str, text: str) -> bool:
    return (
        kind in NAMED_KEYS
        or kind in PASSWORDS
        or not any(character in text for character in context.forbidden + ("\n" if context.name in _LINES else ""))
    )


_LINES = frozenset(
    {
        "code with single quotes",
        "log line",
        "YAML",
        "env file",
        "a list in YAML",
        "table",
        "quotation marks",
        "Markdown",
        "CSV",
        "command line",
    }
)


def _drawn(kind: str, random: Random) -> tuple[str, str, str]:
    """The name, the text, and what of the text is secret."""
    if kind in KEYS:
        text = filled(random, random.choice(KEYS[kind]))
        return "value", text, _core(text)
    if kind in NAMED_KEYS:
        names, forms = NAMED_KEYS[kind]
        value = filled(random, random.choice(forms))
        return random.choice(names), value, value
    if kind in PASSWORDS:
        name, value = PASSWORDS[kind](random)
        return name, value, value
    if kind in SHAPES:
        return "value", *SHAPES[kind][1](random)
    text = PERSONAL[kind][1](random)
    return (
        "value",
        text,
        re.sub(r"^\D*(?=[+(\d])", "", text) if kind.startswith("phone") else text,
    )


def _core(text: str) -> str:
    """What is secret in a text that may name a server before it: the longest word."""
    text = text.removeprefix("FlyV1 ").removeprefix("sk.")  # what is the same in all of them
    return (
        max(text.replace("/", " ").replace("=", " ").replace("&", " ").replace("?", " ").split(), key=len)
        if "://" in text or "sig=" in text
        else text
    )


def found(sample: Sample, redacted: str) -> bool:
    """Return whether nothing of a secret is left, but for a piece that is too short to reveal anything."""
    secret, redacted = sample.secret, _MARK.sub("", redacted)
    pieces = {secret[at : at + _PIECE] for at in range(max(len(secret) - _PIECE, 0) + 1)}
    around = sample.text.replace(secret, "")
    return not any(piece in redacted for piece in pieces if piece not in around and piece.strip())


def spared(sample: Sample, redacted: str) -> bool:
    """Return whether the words around a secret stay."""
    return all(words in redacted for words in sample.kept)
