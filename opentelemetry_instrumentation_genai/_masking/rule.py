"""Rules of redaction, and their application to a text: one after the other, each to what the rules before it left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .decoded import Decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Span: TypeAlias = "tuple[int, int]"
"""The start and the end of a match."""
_TAKEN = "\ufffc"  # replaces each character that a rule found, so that no other rule finds it again


class Rule(NamedTuple):
    """One rule.

    Attributes:
        name: its name, which stands in brackets in the place of what it found.
        hint: decoded text -> whether it is worth looking; cheaper than looking.
        find: decoded text -> where it finds something, in order and without overlaps.
        patterns: the patterns that it finds it by.
        numeric: whether it finds only what has two digits next to each other, or almost.
        named: name of a member, its value -> whether the value is what is looked for.
    """

    name: str
    hint: Callable[[str], object]
    find: Callable[[str], Iterator[Span]]
    patterns: tuple[re.Pattern[str], ...]
    numeric: bool = False
    named: Callable[[str, str], bool] | None = None


def rule(
    name: str,
    hint: Callable[[str], object],
    pattern: str,
    check: Callable[[re.Match[str]], Span | None] | None = None,
    *,
    numeric: bool = False,
    flags: re.RegexFlag = re.ASCII,
) -> Rule:
    """Return a rule of one pattern.

    The pattern's words are ASCII by default: in some scripts no space separates a key from the words around it. A group `kept`
    matches text that names the secret, and stays. `check` returns the span of the secret in a match, if any.
    """
    compiled = re.compile(pattern, flags)

    def find(text: str) -> Iterator[Span]:
        match = compiled.search(text)
        while match is not None:
            span = _after_kept(match) if check is None else check(match)
            if span is not None:
                yield span
            # A secret may begin within a match that the check rejects.
            match = compiled.search(text, max(match.start() + 1, span[1] if span else 0))

    return Rule(name, hint, find, (compiled,), numeric)


def _after_kept(match: re.Match[str]) -> Span:
    return match.end("kept") if "kept" in match.re.groupindex else match.start(), match.end()


_NUMBER = re.compile(r"[0-9][ ().\-/]{0,3}[0-9]").search


def needed(rules: Iterable[Rule], text: str) -> bool:
    """Return whether one of the rules finds something in a text."""
    plain = Decoded(text).plain
    numbers = _NUMBER(plain) is not None
    return any(
        (numbers or not rule.numeric) and rule.hint(plain) and next(rule.find(plain), None) is not None
        for rule in rules
    )


def found(rules: Iterable[Rule], decoded: Decoded) -> list[tuple[int, int, str]]:
    """Return what the rules find: where in the text it begins, where it ends, and the rule's name; in order, without overlaps."""
    plain, spans = decoded.plain, []
    for rule in rules:
        if rule.hint(plain):
            new = [*rule.find(plain)]
            if new:
                spans += [(decoded.position(start), decoded.position(stop), rule.name) for start, stop in new]
                plain = _without(plain, new)
    return sorted(spans)


def _without(text: str, spans: list[Span]) -> str:
    pieces, end = [], 0
    for start, stop in spans:
        pieces += [text[end:start], _TAKEN * (stop - start)]
        end = stop
    return "".join([*pieces, text[end:]])


def redacted(rules: Iterable[Rule], text: str) -> str:
    """Return a text without what the rules find."""
    spans = found(rules, Decoded(text))
    if not spans:
        return text
    pieces, end = [], 0
    for start, stop, name in spans:
        pieces += [text[end:start], f"[{name}]"]
        end = stop
    return "".join([*pieces, text[end:]])


def apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Return each span once, and one for those that overlap."""
    whole: Span | None = None
    for start, stop in sorted(spans):
        if whole is None or start >= whole[1]:
            if whole is not None:
                yield whole
            whole = start, stop
        else:
            whole = whole[0], max(stop, whole[1])
    if whole is not None:
        yield whole
