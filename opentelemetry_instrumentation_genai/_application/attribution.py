"""Attribution of calls to users, conversations and prompts: attributes from OpenTelemetry's context and from baggage.

The id of the conversation has several sources, and the first that has one wins: `genai_context`, the context of
`opentelemetry-util-genai`, in which frameworks above the SDK pass it on, the context of Traceloop's SDK, and the listed entries
of baggage. The request's own id (the Responses API's `conversation`) counts where none of these has one.
"""

from __future__ import annotations

import hmac
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opentelemetry.baggage import get_all

from .._adapter.fields import string
from .._conventions.names import CONVERSATION_ID, ENDUSER_ID, ENDUSER_PSEUDO_ID, PROMPT_NAME, PROMPT_VERSION
from .._runtime.guard import guarded, warn_once
from .genai_context import CONTEXT_VALUES_KEY, ContextValues

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context.context import Context

    from .._adapter.fields import Attribute

FIRST = (CONVERSATION_ID, PROMPT_NAME, PROMPT_VERSION)
"""For these attributes, the value from the application overrides that of a request or a response."""
_NOTHING: Mapping[str, Attribute] = MappingProxyType({})
_TRACELOOP_CONVERSATION = "conversation_id"  # Traceloop's own key in the context
_NO_VALUES = ContextValues({})


class Attribution:
    """Reads the attribution of calls from a context, for one instrumentor.

    Args:
        raw: whether ids of users are recorded as they are, and not as pseudonyms.
        key: the key of pseudonyms, if there is one.
        baggage: (key, attribute or None, whether it is a user's id) of the entries of baggage that are recorded.
    """

    def __init__(self, *, raw: bool, key: bytes | None, baggage: Sequence[tuple[str, str | None, bool]]) -> None:
        self._raw = raw
        self._key = key
        self._baggage = baggage

    def of(self, context: Context) -> Mapping[str, Attribute]:
        """Return the attributes of a call that is made in `context`."""
        return (self._of(context) or _NOTHING) if context else _NOTHING

    @guarded
    def _of(self, context: Context) -> Mapping[str, Attribute]:
        values: Any = context.get(CONTEXT_VALUES_KEY)
        if not isinstance(values, ContextValues):
            values = _NO_VALUES
        baggage = self._baggage_attributes(context) if self._baggage else _NOTHING
        conversation = _conversation(context)
        if values is _NO_VALUES and not baggage and conversation is None:
            return _NOTHING
        found: dict[str, Attribute] = dict(baggage)
        if conversation is not None:
            found[CONVERSATION_ID] = conversation
        found.update(values.attributes)
        if values.user is not None:
            found.pop(ENDUSER_ID, None)
            found.pop(ENDUSER_PSEUDO_ID, None)
            self._add_user(found, None, values.user)
        return found

    def _baggage_attributes(self, context: Context) -> Mapping[str, Attribute]:
        """Return the attributes from the entries of baggage that the settings list."""
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
        """Add the id of the user that the call is made for, under the given attribute or that of the conventions."""
        if self._raw:
            found[attribute or ENDUSER_ID] = user
        elif self._key is not None:
            found[attribute or ENDUSER_PSEUDO_ID] = pseudonym(self._key, user)
        else:
            warn_once(
                "A user id is set, but no key for its pseudonym: it is left out. Set "
                "OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY to a secret of at least 16 characters, "
                "or OTEL_INSTRUMENTATION_GENAI_USER_ID=raw to record it as it is."
            )


def pseudonym(key: bytes, user: str) -> str:
    """Return a user's pseudonym: HMAC-SHA-256 of the id in UTF-8, as hexadecimal. Without the key no guess can be checked."""
    return hmac.digest(key, user.encode(), "sha256").hex()


def _conversation(context: Context) -> str | None:
    """Return the id of the conversation that another package has put into the context."""
    module = sys.modules.get("opentelemetry.util.genai._conversation_context")
    if module is not None:
        # The key is created in each process, so only the module has it.
        conversation = string(context.get(getattr(module, "CONVERSATION_ID_KEY", "")))
        if conversation is not None:
            return conversation
    return string(context.get(_TRACELOOP_CONVERSATION))
