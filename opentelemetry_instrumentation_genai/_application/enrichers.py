"""Enrichers: attributes made of how a request's conversation begins. They tell nothing of what is said in it.

What is looked at are the system instructions and the messages up to the user's first one, whether content is captured or not.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.instrumentation.utils import suppress_instrumentation

from .._adapter.fields import member, string
from .._adapter.parts import left_out, serialised
from .._adapter.request_bodies import reading
from .._conventions.names import CONVERSATION_FINGERPRINT, INPUT_MESSAGES, LLM_REQUEST_PURPOSE, SYSTEM_INSTRUCTIONS
from .._guard import guarded, say_once
from .hooks import Callback, hook_request
from .purpose import BUILT_IN, purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from .._adapter.fields import Attribute
    from .._adapter.operation import Operation, Request
    from .._adapter.parts import Part
    from .hooks import Refuse
    from .purpose import Rule

_SYSTEM = ("instructions", "system")
_SPOKEN = ("messages", "input", "prompt")
# Of a conversation that the server keeps, the request has not the beginning.
_CONTINUED = ("previous_response_id", "conversation")
_ROLES = ("system", "developer")
_FIRST = 64  # messages among which that of the user is looked for
_CHARACTERS = 1 << 14  # of a text, that rules look at


class Opening(NamedTuple):
    """How a conversation begins.

    Attributes:
        system: the parts of the system instructions.
        messages: the messages up to the user's first one, that included.
        user: the parts of that.
    """

    system: list[Part]
    messages: list[dict[str, Any]]
    user: list[Part]


class Enrichers:
    """Makes what is asked for, for one instrumentor.

    Args:
        names: of the attributes that are asked for.
        given: what says what a request is made for, beside the built-in rules: rules, or a function, or where it is.
        key: for the fingerprints of conversations, if there is one.
        refuse: called with the setting, the name and the reason, where there is no such function.
    """

    def __init__(
        self,
        names: Collection[str],
        given: tuple[Rule, ...] | Callable[..., Any] | str,
        key: bytes | None,
        refuse: Refuse,
    ) -> None:
        self._purposes = LLM_REQUEST_PURPOSE in names
        self._rules = (*(given if isinstance(given, tuple) else ()), *BUILT_IN)
        self._ask = None if isinstance(given, tuple) else Callback("purpose", given, refuse)
        self._key = key if CONVERSATION_FINGERPRINT in names else None
        if CONVERSATION_FINGERPRINT in names and self._key is None:
            say_once(
                "conversation.fingerprint needs a key, or short messages could be guessed from it: it is left out. Set "
                "OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY to a secret of at least 16 characters."
            )

    @guarded
    def of(self, request: Request) -> dict[str, Attribute]:
        """What is told of a request, as attributes."""
        found: dict[str, Attribute] = {}
        if not request.operation.details:
            return found
        opening = reading(partial(_opening, request.operation), request.body)
        if self._key is not None and opening.user and _begins(request):
            found[CONVERSATION_FINGERPRINT] = _fingerprint(self._key, opening)
        if self._purposes:
            told = self._purpose(request, opening)
            if told is not None:
                found[LLM_REQUEST_PURPOSE] = told
        return found

    def _purpose(self, request: Request, opening: Opening) -> str | None:
        told = None
        if self._ask is not None:
            with suppress_instrumentation():  # a model that it asks is asked unseen, or there would be no end of it
                told = string(self._ask(hook_request(request)))
        if told is None and (opening.system or opening.user):
            told = purpose(self._rules, _text(opening.system), _text(opening.user))
        return told


def _begins(request: Request) -> bool:
    """Whether a request has the beginning of a conversation."""
    return request.operation.name == "chat" and all(left_out(request.body.get(name)) for name in _CONTINUED)


def _opening(operation: Operation, body: Mapping[str, Any]) -> Opening:
    """How the conversation of a request begins. Only that is looked at: conversations are long."""
    first = {name: body[name] for name in _SYSTEM if name in body}
    found = False
    for name in _SPOKEN:
        given = body.get(name)
        if isinstance(given, str):
            first[name], found = given, True
        elif isinstance(given, (list, tuple)) and name != "prompt":
            first[name], found = _until_user(given)
    content = operation.input_content(first)
    messages = content.get(INPUT_MESSAGES, [])
    system = [part for message in messages if message["role"] in _ROLES for part in message["parts"]]
    user = messages[-1]["parts"] if messages and found else []
    return Opening([*content.get(SYSTEM_INSTRUCTIONS, ()), *system], messages, user)


def _until_user(messages: list[Any] | tuple[Any, ...]) -> tuple[list[Any], bool]:
    """The messages up to the user's first one, and whether there is one."""
    first = messages[:_FIRST]
    for place, message in enumerate(first, 1):
        if member(message, "role") == "user":
            return [*first[:place]], True
    return [*first], False


def _fingerprint(key: bytes, opening: Opening) -> str:
    """The first half of an HMAC-SHA-256, in hexadecimal digits: of roles and parts, texts by nothing but their words.

    What else a text may have, such as a mark for the provider's cache, moves on from turn to turn.
    """
    said = [
        [None, _words(opening.system)],
        *([message["role"], _words(message["parts"])] for message in opening.messages),
    ]
    text, _ = serialised(said)
    return hmac.digest(key, b"conversation.fingerprint\0" + text.encode(), "sha256").hex()[:32]


def _words(parts: Iterable[Part]) -> list[Any]:
    return [part.get("content") if part.get("type") == "text" else part for part in parts]


def _text(parts: Iterable[Part]) -> str:
    texts = (part["content"][:_CHARACTERS] for part in parts if part.get("type") == "text")
    return "\n".join(texts)[:_CHARACTERS]
