"""Redaction: what is taken out of content before anything carries it, by built-in rules, the user's patterns and their callables.

The callables come first, each with one part at a time; then the rules see every text of what is left, so that what a callable
returns is covered as well. What fails drops the content of the call, and says so once.
"""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from inspect import iscoroutine, iscoroutinefunction
from time import perf_counter
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import suppress_instrumentation

from .._adapter.parts import Blob, Dropped, Part, plain
from .._guard import say_once
from .._masking.rule import Rule, needed, redacted
from .._masking.rules import RULES
from .._setting_errors import RefusedError
from .patterns import Own, own_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENTRY_POINTS = "opentelemetry_genai_redaction"
_BETWEEN = "\n\x00\n"
_LONG_NUMBER = 10**10  # a number with fewer digits is no card
# Members of parts, in our own words.
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
# Members that hold the name of what `value` is the value of.
_NAMING = ("name", "key")


class Redaction:
    """What is redacted.

    Args:
        rules: built-in rules, in the order in which they are applied.
        patterns: the user's own.
        redactors: the user's callables, by what they are called in messages.
        seconds: how long the user's patterns and callables may take for one call.
    """

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        patterns: Sequence[Own] = (),
        redactors: Sequence[tuple[str, Callable[[Part], Any]]] = (),
        seconds: float = 0.25,
    ) -> None:
        self.rules = tuple(rules)
        self.patterns = tuple(patterns)
        self.redactors = tuple(redactors)
        self.seconds = seconds

    def begin(self) -> Redacting:
        """Start with the content of a call."""
        return Redacting(self)


class Redacting:
    """The redaction of one call's content, with the time that it may still take."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._left = redaction.seconds

    def needed(self, values: Any) -> bool:
        """Whether anything has to be done about JSON values. All texts are looked at as one, which is the fastest."""
        redaction = self._redaction
        if redaction.redactors or redaction.patterns:
            return True
        texts: list[str] = []
        return self._any_named(values, texts) or needed(redaction.rules, _BETWEEN.join(texts))

    def _any_named(self, value: Any, texts: list[str]) -> bool:
        """Whether a member is redacted for its name; else, `texts` has all texts and long numbers."""
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            return any(self._any_named(entry, texts) for entry in value)
        elif isinstance(value, dict):
            return any(self._is_named(value, key, told, texts) for key, told in value.items())
        elif _is_long_number(value):
            texts.append(str(value))
        return False

    def _is_named(self, held: Part, key: str, told: Any, texts: list[str]) -> bool:
        if _is_binary(held, key, told):
            return False
        if key not in _NAMES:
            texts.append(key)
            if self._by_name(held, key, told) is not None:
                return True
        return self._any_named(told, texts)

    def part(self, part: Part) -> Part | None:
        """A part without what is redacted; None where a redactor drops it.

        Raises:
            Dropped: a redactor or a pattern failed, or took too long.
        """
        told: Any = part
        for name, redactor in self._redaction.redactors:
            told = self._asked(name, redactor, told)
            if told is None:
                return None
        cleaned: Part = self.value(told)
        return cleaned

    def _asked(self, name: str, redactor: Callable[[Part], Any], part: Part) -> Part | None:
        if self._left < 0:
            raise Dropped
        begin = perf_counter()
        try:
            with suppress_instrumentation():  # it may ask a model, whose calls would come here again
                told = redactor(part)
        except Exception as error:  # noqa: BLE001 - it is the user's; the call is not to fail with it
            say_once("The redactor %s raised %s: the content of such calls is left out.", name, type(error).__name__)
            self._left = -1
            raise Dropped from None
        self._spent(f"The redactor {name}", perf_counter() - begin)
        if told is None:
            return None
        if not isinstance(told, dict) or not all(
            isinstance(told.get(key), str) for key in ("type", "name") if key in part
        ):
            if iscoroutine(told):
                told.close()
            self._left = -1
            say_once("The redactor %s returned no part: the content of such calls is left out.", name)
            raise Dropped
        cleaned: Part = plain(told, inline=True)
        same = type(part) is Blob and "content" in part and cleaned.get("content") == part["content"]
        return Blob(cleaned) if same else cleaned

    def _spent(self, name: str, seconds: float) -> None:
        self._left -= seconds
        if self._left < 0:
            say_once("%s took longer than %s s: the content of such calls is left out.", name, self._redaction.seconds)
            raise Dropped

    def value(self, value: Any) -> Any:
        """JSON values without what is redacted, in texts, in names of members and in long numbers."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return dict(self._member(value, key, told) for key, told in value.items())
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        if _is_long_number(value):
            digits = str(value)
            told = self.text(digits)
            return value if told == digits else told
        return value

    def _member(self, held: Part, key: str, told: Any) -> tuple[str, Any]:
        """A member of an object. What is called a password, say, is one by its name."""
        if _is_binary(held, key, told):
            return key, told
        if key in _NAMES:
            return key, self.value(told)
        mark, value = self._by_name(held, key, told), self.value(told)
        # A rule that knows all of the value tells more of it than its name does.
        return self.text(key), value if mark is None or (isinstance(value, str) and _MARK.fullmatch(value)) else mark

    def _by_name(self, held: Part, key: str, told: Any) -> str | None:
        """What stands for the value of a member that the member's name tells to be a secret; None where it does not."""
        if type(told) is int:
            told = str(told)
        if not isinstance(told, str) or not told:
            return None
        names = [key]
        if key in ("value", "Value"):
            names += [name for each in _NAMING if isinstance(name := held.get(each), str)]
        for rule in self._redaction.rules:
            if rule.named is not None and any(rule.named(name, told) for name in names):
                return f"[{rule.name}]"
        return None

    def text(self, text: str) -> str:
        """A text without what is redacted."""
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
        """A message of an exception without what is redacted; None where nothing of it is to be told."""
        try:
            told = self.part({"type": "exception", "content": text})
        except Dropped:
            return None
        content = None if told is None else told.get("content")
        return content if isinstance(content, str) else None


def redaction(names: Sequence[str]) -> Redaction:
    """Make what a setting names.

    Args:
        names: built-in rules, `all` of them, `file:PATH`, and entry points.

    Raises:
        RefusedError: one of them is not accepted.
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


def named(redactor: Any) -> tuple[str, Callable[[Part], Any]]:
    """A callable after what it is called.

    Args:
        redactor: the callable, or the name of an entry point.

    Raises:
        RefusedError: it is neither.
    """
    if isinstance(redactor, str):
        return redactor, _loaded(redactor)
    if not callable(redactor):
        raise RefusedError("it cannot be called")
    if iscoroutinefunction(redactor):
        raise RefusedError("it is asynchronous")
    return getattr(redactor, "__qualname__", type(redactor).__qualname__), redactor


def _loaded(name: str) -> Callable[[Part], Any]:
    """The callable that an entry point names."""
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        try:
            found = entry.load()
        except Exception as error:  # noqa: BLE001 - it is somebody else's module
            raise RefusedError(f"the entry point {name} cannot be loaded: {type(error).__name__}") from None
        if callable(found):
            loaded: Callable[[Part], Any] = found
            return loaded
        raise RefusedError(f"the entry point {name} is no callable")
    raise RefusedError(f"{name} is no rule, and no entry point of {ENTRY_POINTS}")


def _is_binary(part: Part, key: str, told: Any) -> bool:
    """Whether a member is a digest, or base64 that was asked for."""
    if key == "sha256":
        return isinstance(told, str) and _DIGEST.fullmatch(told) is not None
    return key == "content" and type(part) is Blob


def _is_long_number(value: Any) -> bool:
    """Whether a number has as many digits as that of a card."""
    return type(value) is int and not -_LONG_NUMBER < value < _LONG_NUMBER
