"""What an application says of the calls in a block of code: whose they are, and what they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import UUID

from opentelemetry import context as otel_context

from .._adapter.fields import Attribute, integer, string, strings
from .._conventions.names import CONVERSATION_ID, PROMPT_NAME, PROMPT_VERSION, TAG
from .._guard import guarded, say_once
from .block import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context.context import Context

Identity: TypeAlias = "str | int | UUID"

CONTEXT_VALUES_KEY = "opentelemetry_instrumentation_genai.context"
"""Where the OpenTelemetry context has what is `ContextValues`."""


class ContextValues(NamedTuple):
    """What is said of the calls in a block of code.

    Attributes:
        attributes: what goes onto spans and details events as it is.
        user: who the calls are made for; the settings decide how that is told.
    """

    attributes: dict[str, Attribute]
    user: str | None = None

    def over(self, outer: ContextValues) -> ContextValues:
        """Both together; what the outer block says counts where this one says nothing."""
        return ContextValues({**outer.attributes, **self.attributes}, self.user or outer.user)


class genai_context(Block):  # noqa: N801 - it reads as a statement
    """Say of the calls in a block of code whose they are, and what they belong to.

    As a context manager, `with` or `async with`, and as a decorator of functions, coroutine functions and generators. It is
    carried by OpenTelemetry's context into tasks, and into threads where that is. Nested blocks add up, and the innermost one
    wins. All of it goes onto spans and details events, and nothing of it onto metrics, where each value would make a series.

    A value that is not of the type below is left out, with a warning that names the argument; None counts as not given.

    Args:
        conversation_id: `gen_ai.conversation.id`, whatever the request itself says.
        user_id: who the calls are made for: `enduser.pseudo.id`, a keyed hash of it, or as the setting `user_id` says.
        tags: a name -> a text, number, bool or list of texts: `gen_ai.tag.NAME`.
        prompt_name: `gen_ai.prompt.name`, of the template that the prompts are made from.
        prompt_version: `gen_ai.prompt.version`, of that template.
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
        self._said = _said(names, user_id, tags) or ContextValues({})

    def _within(self, outer: Context) -> Context:
        said = outer.get(CONTEXT_VALUES_KEY)
        together = self._said.over(said) if isinstance(said, ContextValues) else self._said
        return otel_context.set_value(CONTEXT_VALUES_KEY, together, outer)


@guarded
def _said(ids: Mapping[str, tuple[str, Any]], user_id: Any, tags: Any) -> ContextValues:
    """What is said.

    Args:
        ids: attribute -> its argument's name and value.
        user_id: as given.
        tags: as given.
    """
    told = {**{attribute: _identity(*given) for attribute, given in ids.items()}, **_tags(tags)}
    return ContextValues(
        {name: value for name, value in told.items() if value is not None}, _identity("user_id", user_id)
    )


def _identity(argument: str, value: Any) -> str | None:
    text = _text(value) if isinstance(value, (int, UUID)) and not isinstance(value, bool) else string(value)
    if text is None and value is not None:
        kind = "an empty text" if isinstance(value, str) else f"a {type(value).__name__}"
        say_once(
            "genai_context(%s=...): it is %s. A text, an int or a UUID is accepted. It is left out.", argument, kind
        )
    return text


def _text(value: Any) -> str | None:
    """What describes itself in words, which UTF-8 can carry."""
    try:
        return string(str(value))
    except Exception:  # noqa: BLE001 - it is the application's; and Python writes no number of thousands of digits
        return None


def _tags(tags: Any) -> dict[str, Attribute | None]:
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        say_once("genai_context(tags=...): a mapping of names to values is accepted. They are left out.")
        return {}
    named = ((_text(name), value) for name, value in tags.items())
    return {TAG + name: _tag(name, value) for name, value in named if name}


def _tag(name: str, value: Any) -> Attribute | None:
    told: Attribute | None
    if isinstance(value, (bool, float)):
        told = value
    elif isinstance(value, UUID):
        told = str(value)
    else:
        told = integer(value)
        if told is None:
            told = strings(value) if isinstance(value, (list, tuple)) else string(value)
    if told is None and not _is_nothing(value):
        say_once(
            "genai_context(tags=...): the tag %s is no text, number, bool, UUID or list of texts. It is left out.", name
        )
    return told


def _is_nothing(value: Any) -> bool:
    """Whether a tag is not given. Nothing is compared: an array, for one, answers with an array."""
    return value is None or (isinstance(value, (str, list, tuple)) and not value)
