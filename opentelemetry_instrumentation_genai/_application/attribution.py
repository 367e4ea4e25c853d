"""What is told of whose calls are made: what the application says in OpenTelemetry's context, and what baggage says of it.

For a conversation there are several to ask, and the first that knows wins: `genai_context`, the context of
`opentelemetry-util-genai`, by which frameworks above us hand it down, that of Traceloop's SDK, and baggage that is listed. What
the request itself says (the Responses API's `conversation`) counts where none of them does.
"""

from __future__ import annotations

import hmac
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opentelemetry.baggage import get_all

from .._adapter.fields import string
from .._conventions.names import CONVERSATION_ID, ENDUSER_ID, ENDUSER_PSEUDO_ID, PROMPT_NAME, PROMPT_VERSION
from .._guard import guarded, say_once
from .genai_context import CONTEXT_VALUES_KEY, ContextValues

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context.context import Context

    from .._adapter.fields import Attribute

FIRST = (CONVERSATION_ID, PROMPT_NAME, PROMPT_VERSION)
"""What the application says of these counts, whatever a request or a response says."""
_NOTHING: Mapping[str, Attribute] = MappingProxyType({})
_TRACELOOP_CONVERSATION = "conversation_id"  # Traceloop's own key in the context
_NOBODY = ContextValues({})


class Attribution:
    """Reads it out of a context, for one instrumentor.

    Args:
        raw: whether ids of users are recorded as they are, and not as pseudonyms.
        key: for pseudonyms, if there is one.
        baggage: (key, attribute or None, whether it is a user's id) of the entries of baggage that are recorded.
    """

    def __init__(self, *, raw: bool, key: bytes | None, baggage: Sequence[tuple[str, str | None, bool]]) -> None:
        self._raw = raw
        self._key = key
        self._baggage = baggage

    def of(self, context: Context) -> Mapping[str, Attribute]:
        """What is said of a call that is made in `context`, as attributes."""
        return (self._of(context) or _NOTHING) if context else _NOTHING

    @guarded
    def _of(self, context: Context) -> Mapping[str, Attribute]:
        said: Any = context.get(CONTEXT_VALUES_KEY)
        if not isinstance(said, ContextValues):
            said = _NOBODY
        listed = self._listed(context) if self._baggage else _NOTHING
        conversation = _conversation(context)
        if said is _NOBODY and not listed and conversation is None:
            return _NOTHING
        found: dict[str, Attribute] = dict(listed)
        if conversation is not None:
            found[CONVERSATION_ID] = conversation
        found.update(said.attributes)
        if said.user is not None:
            found.pop(ENDUSER_ID, None)
            found.pop(ENDUSER_PSEUDO_ID, None)
            self._add_user(found, None, said.user)
        return found

    def _listed(self, context: Context) -> Mapping[str, Attribute]:
        """What of the baggage is listed."""
        found: dict[str, Attribute] = {}
        entries = get_all(context)
        for key, attribute, names_user in self._baggage:
            value = string(entries.get(key))
            if value is None:
                continue
            if names_user:
                self._add_user(found, attribute, value)
            else:
                found[attribute or key] = value
        return found

    def _add_user(self, found: dict[str, Attribute], attribute: str | None, user: str) -> None:
        """Add who the call is made for, under a name of the user's choice or the conventions'."""
        if self._raw:
            found[attribute or ENDUSER_ID] = user
        elif self._key is not None:
            found[attribute or ENDUSER_PSEUDO_ID] = pseudonym(self._key, user)
        else:
            say_once(
                "A user id is given, and no key to make a pseudonym of it: it is left out. Set "
                "OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY to a secret of at least 16 characters, "
                "or OTEL_INSTRUMENTATION_GENAI_USER_ID=raw to have it told as it is."
            )


def pseudonym(key: bytes, user: str) -> str:
    """A user's pseudonym: HMAC-SHA-256 of the id in UTF-8, in hexadecimal digits. Without the key no guess can be checked."""
    return hmac.digest(key, user.encode(), "sha256").hex()


def _conversation(context: Context) -> str | None:
    """The conversation that someone else has put into the context."""
    module = sys.modules.get("opentelemetry.util.genai._conversation_context")
    if module is not None:
        # The key is made anew in each process, so it is only known to the module.
        told = string(context.get(getattr(module, "CONVERSATION_ID_KEY", "")))
        if told is not None:
            return told
    return string(context.get(_TRACELOOP_CONVERSATION))
