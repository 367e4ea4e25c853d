"""Attributes that an application sets for the calls in a block of code: their user, conversation, prompt and tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import UUID

from opentelemetry import context as otel_context

from .._adapter.fields import Attribute, integer, string, strings
from .._conventions.names import CONVERSATION_ID, PROMPT_NAME, PROMPT_VERSION, TAG
from .._runtime.guard import guarded, warn_once
from .block import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context.context import Context

Identity: TypeAlias = "str | int | UUID"

CONTEXT_VALUES_KEY = "opentelemetry_instrumentation_genai.context"
"""The key in OpenTelemetry's context of the `ContextValues` of a block of code."""


class ContextValues(NamedTuple):
    """What an application sets for the calls in a block of code.

    Attributes:
        attributes: recorded on spans and details events as they are.
        user: the id of the user that the calls are made for; the settings decide how it is recorded.
    """

    attributes: dict[str, Attribute]
    user: str | None = None

    def over(self, outer: ContextValues) -> ContextValues:
        """Return the values of both blocks; those of the outer block count where this one has none."""
        return ContextValues({**outer.attributes, **self.attributes}, self.user or outer.user)


class genai_context(Block):  # noqa: N801 - it reads as a statement
    """Set the user, conversation, prompt and tags of the calls in a block of code.

    It is a context manager, `with` or `async with`, and a decorator of functions, coroutine functions and generators.
    OpenTelemetry's context carries it into tasks, and into threads that the context is passed to. Nested blocks add up, and the
    innermost one wins. The values are recorded on spans and details events, and not on metrics, where each would make a series.

    A value that is not of the type below is left out, with a warning that names the argument; None counts as not given.

    Args:
        conversation_id: `gen_ai.conversation.id`; it overrides that of the request itself.
        user_id: the user that the calls are made for: `enduser.pseudo.id`, a keyed hash of it, or by the setting `user_id`.
        tags: a name -> a text, number, bool or list of texts: `gen_ai.tag.NAME`.
        prompt_name: `gen_ai.prompt.name`, the name of the template that the prompts are made from.
        prompt_version: `gen_ai.prompt.version`, the version of that template.
    """

    def __init__(
        self,
        *,
        conversation_id: Identity | None = None,
        user_id: Identity | None = None,
        tags: Mapping[str, str | bool | int | float | Sequence[str]] | None = None,
        prompt_name: str | None = None,
        prompt_version: str | int | None = None,
    ) -> None:
        names = {
            CONVERSATION_ID: ("conversation_id", conversation_id),
            PROMPT_NAME: ("prompt_name", prompt_name),
            PROMPT_VERSION: ("prompt_version", prompt_version),
        }
        self._values = _context_values(names, user_id, tags) or ContextValues({})

    def _within(self, outer: Context) -> Context:
        outer_values = outer.get(CONTEXT_VALUES_KEY)
        merged = self._values.over(outer_values) if isinstance(outer_values, ContextValues) else self._values
        return otel_context.set_value(CONTEXT_VALUES_KEY, merged, outer)


@guarded
def _context_values(ids: Mapping[str, tuple[str, object]], user_id: object, tags: object) -> ContextValues:
    """Return the values of a block, without those that are not accepted.

    Args:
        ids: attribute -> its argument's name and value.
        user_id: the argument as given.
        tags: the argument as given.
    """
    attributes = {**{attribute: _identity(*given) for attribute, given in ids.items()}, **_tags(tags)}
    return ContextValues(
        {name: value for name, value in attributes.items() if value is not None}, _identity("user_id", user_id)
    )


def _identity(argument: str, value: object) -> str | None:
    text = _text(value) if isinstance(value, (int, UUID)) and not isinstance(value, bool) else string(value)
    if text is None and value is not None:
        kind = "an empty text" if isinstance(value, str) else f"a {type(value).__name__}"
        warn_once(
            "genai_context(%s=...): it is %s. A text, an int or a UUID is accepted. It is left out.", argument, kind
        )
    return text


def _text(value: object) -> str | None:
    """Return a value as text; None if it has no text that UTF-8 can encode."""
    try:
        return string(str(value))
    except Exception:  # noqa: BLE001 - the application's `__str__` can raise anything, and so can very long numbers
        return None


def _tags(tags: Any) -> dict[str, Attribute | None]:
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        warn_once("genai_context(tags=...): a mapping of names to values is accepted. They are left out.")
        return {}
    named = ((_text(name), value) for name, value in tags.items())
    return {TAG + name: _tag(name, value) for name, value in named if name}


def _tag(name: str, value: object) -> Attribute | None:
    attribute: Attribute | None
    if isinstance(value, (bool, float)):
        attribute = value
    elif isinstance(value, UUID):
        attribute = str(value)
    else:
        attribute = integer(value)
        if attribute is None:
            attribute = strings(value) if isinstance(value, (list, tuple)) else string(value)
    if attribute is None and not _is_nothing(value):
        warn_once(
            "genai_context(tags=...): the tag %s is no text, number, bool, UUID or list of texts. It is left out.", name
        )
    return attribute


def _is_nothing(value: object) -> bool:
    """Return whether a tag is not given. Values are not compared: comparing an array, for one, returns an array."""
    return value is None or (isinstance(value, (str, list, tuple)) and not value)
