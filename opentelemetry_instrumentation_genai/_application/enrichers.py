"""Enrichers: attributes derived from the beginning of a request's conversation, which record none of its content.

They read the system instructions and the messages up to the user's first one, whether content is captured or not.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.instrumentation.utils import suppress_instrumentation

from .._adapter.fields import member, string
from .._adapter.parts import left_out, serialised
from .._adapter.request_bodies import reading
from .._conventions.names import (
    CONVERSATION_FINGERPRINT,
    CONVERSATION_FIRST,
    INPUT_MESSAGES,
    LLM_REQUEST_PURPOSE,
    SYSTEM_INSTRUCTIONS,
)
from .._conventions.operation_kinds import CHAT
from .._runtime.guard import guarded, warn_once
from .hooks import Callback, hook_request
from .purpose import BUILT_IN, purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from .._adapter.endpoint import Endpoint
    from .._adapter.fields import Attribute
    from .._adapter.parts import Part
    from .._call.request import Request
    from .hooks import Refuse
    from .purpose import Rule

_SYSTEM = ("instructions", "system")
_SPOKEN = ("messages", "input", "prompt")
# With one of these, the server keeps the conversation, and the request does not have its beginning.
_CONTINUED = ("previous_response_id", "conversation")
_ROLES = ("system", "developer")
_FIRST = 64  # the user's first message is searched among so many
_CHARACTERS = 1 << 14  # of a text that rules read


class Opening(NamedTuple):
    """The beginning of a conversation.

    Attributes:
        system: the parts of the system instructions.
        messages: the messages up to and including the user's first one.
        user: the parts of the user's first message.
        whole: whether the request has nothing of a model or a tool after it; a greeting before it may be the model's.
    """

    system: list[Part]
    messages: list[dict[str, Any]]
    user: list[Part]
    whole: bool


class Enrichers:
    """Computes the attributes that one instrumentor's settings ask for.

    Args:
        names: the names of these attributes.
        given: the source of a request's purpose, before the built-in rules: rules, a function, or `module:function`.
        key: the key of the fingerprints of conversations, if there is one.
        refuse: called with the setting, the name and the reason if there is no such function.
    """

    def __init__(
        self,
        names: Collection[str],
        given: tuple[Rule, ...] | Callable[..., object] | str,
        key: bytes | None,
        refuse: Refuse,
    ) -> None:
        self._has_purpose = LLM_REQUEST_PURPOSE in names
        self._has_first = CONVERSATION_FIRST in names
        self._rules = (*(given if isinstance(given, tuple) else ()), *BUILT_IN)
        self._callback = None if isinstance(given, tuple) else Callback("purpose", given, refuse)
        self._key = key if CONVERSATION_FINGERPRINT in names else None
        if CONVERSATION_FINGERPRINT in names and self._key is None:
            warn_once(
                "conversation.fingerprint needs a key, or short messages could be guessed from it: it is left out. Set "
                "OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY to a secret of at least 16 characters."
            )

    @guarded
    def of(self, request: Request) -> dict[str, Attribute]:
        """Return the attributes of a request."""
        found: dict[str, Attribute] = {}
        if not request.endpoint.kind.has_details:
            return found
        opening = reading(partial(_opening, request.endpoint), request.body)
        if self._key is not None and opening.user and _begins(request):
            found[CONVERSATION_FINGERPRINT] = _fingerprint(self._key, opening)
        if self._has_first and opening.user and opening.whole and _begins(request):
            found[CONVERSATION_FIRST] = True
        if self._has_purpose:
            request_purpose = self._purpose(request, opening)
            if request_purpose is not None:
                found[LLM_REQUEST_PURPOSE] = request_purpose
        return found

    def _purpose(self, request: Request, opening: Opening) -> str | None:
        request_purpose = None
        if self._callback is not None:
            with suppress_instrumentation():  # calls of models that it makes are not instrumented, or it would recurse
                request_purpose = string(self._callback(hook_request(request)))
        if request_purpose is None and (opening.system or opening.user):
            request_purpose = purpose(self._rules, _text(opening.system), _text(opening.user))
        return request_purpose


def _begins(request: Request) -> bool:
    """Return whether a request has the beginning of a conversation."""
    return request.endpoint.kind == CHAT and all(left_out(request.body.get(name)) for name in _CONTINUED)


def _opening(endpoint: Endpoint, body: Mapping[str, Any]) -> Opening:
    """Return the beginning of a request's conversation. Nothing else of it is read, since conversations are long."""
    first = {name: body[name] for name in _SYSTEM if name in body}
    found = whole = False
    for name in _SPOKEN:
        given = body.get(name)
        if isinstance(given, str):
            first[name], found, whole = given, True, True
        elif isinstance(given, (list, tuple)) and name != "prompt":
            first[name], found = _until_user(given)
            whole = (
                found and all(map(_is_given, given[len(first[name]) - 1 :])) and not any(map(_is_of_tool, first[name]))
            )
    content = endpoint.input_content(first)
    messages = content.get(INPUT_MESSAGES, [])
    system = [part for message in messages if message["role"] in _ROLES for part in message["parts"]]
    user = messages[-1]["parts"] if messages and found else []
    return Opening([*content.get(SYSTEM_INSTRUCTIONS, ()), *system], messages, user, whole)


def _is_given(message: Any) -> bool:
    """Return whether a message is the application's or its user's, and neither the model's nor a tool's."""
    parts = member(message, "content")
    results = isinstance(parts, (list, tuple)) and any(member(part, "type") == "tool_result" for part in parts)
    return member(message, "role") in ("user", *_ROLES) and not results


def _is_of_tool(message: Any) -> bool:
    """Return whether it is a call of a tool or its result, as a conversation has them whose beginning was left out."""
    calls = member(message, "tool_calls") or member(message, "role") == "tool"
    return bool(calls) or member(message, "type") not in (None, "message")


def _until_user(messages: list[Any] | tuple[Any, ...]) -> tuple[list[Any], bool]:
    """Return the messages up to the user's first one, and whether there is one."""
    first = messages[:_FIRST]
    for place, message in enumerate(first, 1):
        if member(message, "role") == "user":
            return [*first[:place]], True
    return [*first], False


def _fingerprint(key: bytes, opening: Opening) -> str:
    """Return the first half of an HMAC-SHA-256 of roles and parts, as hexadecimal; of a text part only the text counts.

    Other members of a text part, such as a marker for the provider's cache, may move from turn to turn.
    """
    entries = [
        [None, _words(opening.system)],
        *([message["role"], _words(message["parts"])] for message in opening.messages),
    ]
    text, _ = serialised(entries)
    return hmac.digest(key, b"conversation.fingerprint\0" + text.encode(), "sha256").hex()[:32]


def _words(parts: Iterable[Part]) -> list[Any]:
    return [part.get("content") if part.get("type") == "text" else part for part in parts]


def _text(parts: Iterable[Part]) -> str:
    texts = (part["content"][:_CHARACTERS] for part in parts if part.get("type") == "text")
    return "\n".join(texts)[:_CHARACTERS]
