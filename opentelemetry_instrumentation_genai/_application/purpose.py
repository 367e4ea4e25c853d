"""The purpose of a request, by rules about the beginning of its conversation. A rule searches texts, which takes linear time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._runtime.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PLACES = ("any", "system", "user")
_MEMBERS = ("purpose", "contains", "in")


class Rule(NamedTuple):
    """A purpose, and which requests have it.

    Attributes:
        purpose: the purpose as it is recorded.
        contains: texts in lower case, all of which must be found; with none, every request has this purpose.
        place: where they are searched: in the `system` instructions, in the first message of the `user`, or in `any` of them.
    """

    purpose: str
    contains: tuple[str, ...]
    place: str = "any"

    def holds(self, system: str, user: str) -> bool:
        """Return whether a request has this purpose.

        Args:
            system: its system instructions, in lower case.
            user: its user's first message, in lower case.
        """
        _, contains, place = self
        for text in contains:  # a generator would take most of the time
            if (place == "system" or text not in user) and (place == "user" or text not in system):
                return False
        return True


USER_CHAT = "User Chat"
SYSTEM_PROMPT = "System Prompt"
# Requests that chat frontends make by themselves; the purposes are those of llm-otel-kit, except the summary.
BUILT_IN = (
    Rule("Title Generation", ("generate a concise", "title")),
    Rule("Title Generation", ("title for the conversation",)),
    Rule("Title Generation", ("title for this conversation",)),
    Rule("Tag Generation", ("generate", "tags categorizing")),
    Rule("Tag Generation", ("generate tags",)),
    Rule("Tag Generation", ("tag the conversation",)),
    Rule("Suggestion Generation", ("suggest", "follow-up question")),
    Rule("Suggestion Generation", ("suggest", "follow-up prompt")),
    Rule("Summarization", ("summarize the conversation",)),
    Rule("Summarization", ("summary of the conversation",)),
    Rule("Summarization", ("summarize the lines of conversation",)),
    Rule("Summarization", ("summarize the chat history",)),
)


def purpose(rules: Sequence[Rule], system: str, user: str) -> str:
    """Return the purpose of a request by the first rule that holds.

    Args:
        rules: the user's, and then the built-in ones.
        system: the system instructions of the request.
        user: the first message of its user.
    """
    low_system, low_user = system.lower(), user.lower()
    for rule in rules:
        if rule.holds(low_system, low_user):
            return rule.purpose
    return USER_CHAT if user or not system else SYSTEM_PROMPT


def rules(given: Any) -> tuple[Rule, ...]:
    """Return the rules that a setting gives.

    Args:
        given: `file:PATH` of a JSON file, or the content of such a file: a list of objects with `purpose`, `contains` (a text or
            a list of texts) and optionally `in` (`system`, `user` or `any`).

    Raises:
        RefusedError: the rules are not of this form.
    """
    if isinstance(given, str):
        given = _loaded(given[len("file:") :])
    if not isinstance(given, (list, tuple)):
        raise RefusedError("the rules are no list")
    return tuple(_numbered(given))


def _loaded(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {type(error).__name__}") from None
    except ValueError:
        raise RefusedError(f"{path} is no JSON") from None


def _numbered(given: Sequence[Any]) -> Iterable[Rule]:
    for number, entry in enumerate(given, 1):
        unknown = sorted(map(str, entry.keys() - _MEMBERS)) if isinstance(entry, dict) else ()
        if unknown:
            raise RefusedError(f"rule {number} has {unknown[0]!r}; known are {', '.join(_MEMBERS)}")
        rule = _rule(entry)
        if rule is None:
            raise RefusedError(f"rule {number} is not understood")
        yield rule


def _rule(entry: Any) -> Rule | None:
    if isinstance(entry, Rule):
        return entry
    if not isinstance(entry, dict):
        return None
    label, contains, place = entry.get("purpose"), entry.get("contains", ()), entry.get("in", "any")
    texts = (contains,) if isinstance(contains, str) else contains
    if not isinstance(label, str) or not label or place not in _PLACES or not isinstance(texts, (list, tuple)):
        return None
    if not all(isinstance(text, str) and text for text in texts):
        return None
    return Rule(label, tuple(text.lower() for text in texts), place)
