"""Redaction of content before anything carries it, by built-in rules, the user's patterns and the user's callables.

The callables run first, each with one part at a time. The rules and patterns then read every text that is left, so that they
cover what a callable returns as well. If a callable or a pattern fails, the content of the call is dropped, and a warning is
logged once.
"""

from __future__ import annotations

import re
from inspect import iscoroutine
from time import perf_counter
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import suppress_instrumentation

from .._adapter.parts import Blob, Dropped, Part, plain
from .._masking.rule import Rule, needed, redacted
from .._masking.rules import RULES
from .._runtime.callables import checked, entry_point, load, name_of
from .._runtime.errors import RefusedError
from .._runtime.guard import warn_once
from .patterns import Own, own_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENTRY_POINTS = "opentelemetry_genai_redaction"
_BETWEEN = "\n\x00\n"
_LONG_NUMBER = 10**10  # a number with fewer digits is not that of a card
# Names of members of our own parts: these names are not searched for secrets.
_NAMES = frozenset(
    {
        "arguments",
        "byte_size",
        "content",
        "description",
        "file_id",
        "finish_reason",
        "id",
        "mime_type",
        "modality",
        "name",
    }
    | {"parameters", "parts", "properties", "response", "role", "sha256", "type", "uri"}
)
_MARK = re.compile(r"\[[a-z0-9_]+\]")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Members beside `value` that name it.
_NAMING = ("name", "key")


class Redaction:
    """The rules, patterns and callables that redact content.

    Args:
        rules: the built-in rules, in the order in which they are applied.
        patterns: the user's own patterns.
        redactors: the user's callables, each after its name in warnings.
        seconds: how many seconds the user's patterns and callables may take for one call.
    """

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        patterns: Sequence[Own] = (),
        redactors: Sequence[tuple[str, Callable[[Part], object]]] = (),
        seconds: float = 0.25,
    ) -> None:
        self.rules = tuple(rules)
        self.patterns = tuple(patterns)
        self.redactors = tuple(redactors)
        self.seconds = seconds

    def begin(self) -> Redacting:
        """Start the redaction of one call's content."""
        return Redacting(self)


class Redacting:
    """Redacts one call's content, within the time that remains for it."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._left = redaction.seconds

    def needed(self, values: Any) -> bool:
        """Return whether JSON values may need redaction. All texts are joined and searched as one, which is the fastest."""
        redaction = self._redaction
        if redaction.redactors or redaction.patterns:
            return True
        texts: list[str] = []
        return self._any_named(values, texts) or needed(redaction.rules, _BETWEEN.join(texts))

    def _any_named(self, value: Any, texts: list[str]) -> bool:
        """Return whether any member is redacted for its name; if not, `texts` then has all texts and long numbers."""
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            return any(self._any_named(entry, texts) for entry in value)
        elif isinstance(value, dict):
            return any(self._is_named(value, key, member_value, texts) for key, member_value in value.items())
        elif _is_long_number(value):
            texts.append(str(value))
        return False

    def _is_named(self, held: Part, key: str, value: Any, texts: list[str]) -> bool:
        if _is_binary(held, key, value):
            return False
        if key not in _NAMES:
            texts.append(key)
            if self._by_name(held, key, value) is not None:
                return True
        return self._any_named(value, texts)

    def part(self, part: Part) -> Part | None:
        """Return a part with its secrets redacted; None where a redactor drops it.

        Raises:
            Dropped: a redactor or a pattern failed, or took too long.
        """
        remaining: Any = part
        for name, redactor in self._redaction.redactors:
            remaining = self._call_redactor(name, redactor, remaining)
            if remaining is None:
                return None
        cleaned: Part = self.value(remaining)
        return cleaned

    def _call_redactor(self, name: str, redactor: Callable[[Part], object], part: Part) -> Part | None:
        if self._left < 0:
            raise Dropped
        begin = perf_counter()
        try:
            with suppress_instrumentation():  # it may call a model, and that call would be redacted in turn
                returned = redactor(part)
        except Exception as error:  # noqa: BLE001 - an error of the user's callable must not fail the call
            warn_once("The redactor %s raised %s: the content of such calls is left out.", name, type(error).__name__)
            self._left = -1
            raise Dropped from None
        self._spent(f"The redactor {name}", perf_counter() - begin)
        if returned is None:
            return None
        if not isinstance(returned, dict) or not all(
            isinstance(returned.get(key), str) for key in ("type", "name") if key in part
        ):
            if iscoroutine(returned):
                returned.close()
            self._left = -1
            warn_once("The redactor %s returned no part: the content of such calls is left out.", name)
            raise Dropped
        cleaned: Part = plain(returned, inline=True)
        same = type(part) is Blob and "content" in part and cleaned.get("content") == part["content"]
        return Blob(cleaned) if same else cleaned

    def _spent(self, name: str, seconds: float) -> None:
        self._left -= seconds
        if self._left < 0:
            warn_once("%s took longer than %s s: the content of such calls is left out.", name, self._redaction.seconds)
            raise Dropped

    def value(self, value: Any) -> Any:
        """Return JSON values redacted: their texts, the names of their members, and long numbers."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return dict(self._member(value, key, member_value) for key, member_value in value.items())
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        if _is_long_number(value):
            digits = str(value)
            text = self.text(digits)
            return value if text == digits else text
        return value

    def _member(self, held: Part, key: str, value: Any) -> tuple[str, Any]:
        """Return the redacted name and value of a member. A value is also redacted for its name, such as `password`."""
        if _is_binary(held, key, value):
            return key, value
        if key in _NAMES:
            return key, self.value(value)
        mark, clean = self._by_name(held, key, value), self.value(value)
        # If a rule has matched the whole value, its mark is more precise than that of the name.
        return self.text(key), clean if mark is None or (isinstance(clean, str) and _MARK.fullmatch(clean)) else mark

    def _by_name(self, held: Part, key: str, value: Any) -> str | None:
        """Return the mark that replaces a member's value if its name is that of a secret; None if it is not."""
        if type(value) is int:
            value = str(value)
        if not isinstance(value, str) or not value:
            return None
        names = [key]
        if key in ("value", "Value"):
            names += [name for each in _NAMING if isinstance(name := held.get(each), str)]
        for rule in self._redaction.rules:
            if rule.named is not None and any(rule.named(name, value) for name in names):
                return f"[{rule.name}]"
        return None

    def text(self, text: str) -> str:
        """Return a text with its secrets redacted."""
        text = self._by_rules(text)
        for own in self._redaction.patterns:
            text = self._without(own, text)
        return text

    def _by_rules(self, text: str) -> str:
        return redacted(self._redaction.rules, text)

    def _without(self, own: Own, text: str) -> str:
        begin = perf_counter()
        kept, end = [], 0
        for spans in own.found(text):
            for start, stop in spans:
                kept += [text[end:start], f"[{own.name}]"]
                end = stop
            now = perf_counter()
            self._spent(f"The pattern {own.name}", now - begin)
            begin = now
        return "".join([*kept, text[end:]]) if end else text

    def words(self, text: str) -> str | None:
        """Return the redacted message of an exception; None where it is dropped."""
        try:
            part = self.part({"type": "exception", "content": text})
        except Dropped:
            return None
        content = None if part is None else part.get("content")
        return content if isinstance(content, str) else None


def redaction(names: Sequence[str]) -> Redaction:
    """Return the redaction that a setting names.

    Args:
        names: names of built-in rules, `all` for all of these, `file:PATH`, and names of entry points.

    Raises:
        RefusedError: a name is not accepted.
    """
    wanted = set(RULES) if "all" in names else set(names)
    patterns: list[Own] = []
    redactors = []
    for name in names:
        if name.startswith("file:"):
            patterns += own_patterns(name[len("file:") :])
        elif name not in RULES and name != "all":
            redactors.append(named(name))
    return Redaction([rule for name, rules in RULES.items() if name in wanted for rule in rules], patterns, redactors)


def named(redactor: object) -> tuple[str, Callable[[Part], object]]:
    """Return the name of a redactor in warnings, and its callable.

    Args:
        redactor: the callable, or the name of an entry point.

    Raises:
        RefusedError: it is neither, or it is asynchronous.
    """
    if isinstance(redactor, str):
        return redactor, _loaded(redactor)
    return name_of(redactor), checked(redactor)


def _loaded(name: str) -> Callable[[Part], object]:
    """Return the callable that an entry point names."""
    try:
        entry = entry_point(name, ENTRY_POINTS)
    except LookupError:
        raise RefusedError(f"{name} is no rule, and no entry point of {ENTRY_POINTS}") from None
    try:
        return load(entry)
    except RefusedError as error:
        raise RefusedError(f"the entry point {name} cannot be loaded: {error}") from None


def _is_binary(part: Part, key: str, value: object) -> bool:
    """Return whether a member is a digest, or base64 data that the settings ask for."""
    if key == "sha256":
        return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
    return key == "content" and type(part) is Blob


def _is_long_number(value: object) -> bool:
    """Return whether a number has at least as many digits as that of a card."""
    return type(value) is int and not -_LONG_NUMBER < value < _LONG_NUMBER
