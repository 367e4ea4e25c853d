"""What users' completion hooks are given, and what they look like."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from ..._conventions.names import INPUT_MESSAGES, OUTPUT_MESSAGES, SYSTEM_INSTRUCTIONS, TOOL_DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Completion:
    """A finished call with its content, after redaction and budget.

    Attributes:
        operation: `gen_ai.operation.name`.
        provider: `gen_ai.provider.name`.
        trace_id: of the call's span, 32 hexadecimal digits; zeroes if there is none.
        span_id: of the call's span, 16 hexadecimal digits; zeroes if there is none.
        attributes: those of the call's span, without content; `error.type` among them if the call failed.
        content: attribute of the conventions (`gen_ai.input.messages`, ...) -> its value as JSON text, as far as there is any.
        references: what `ReferencingHook.references` gave for it.
    """

    operation: str
    provider: str
    trace_id: str
    span_id: str
    attributes: Mapping[str, str | bool | int | float | Sequence[str]]
    content: Mapping[str, str] = field(repr=False)
    references: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def input_messages(self) -> list[dict[str, Any]]:
        """Return the input messages, by the conventions' JSON schema; parsed at the first access."""
        return self._parsed(INPUT_MESSAGES)

    @cached_property
    def output_messages(self) -> list[dict[str, Any]]:
        """Return the output messages, in the same form."""
        return self._parsed(OUTPUT_MESSAGES)

    @cached_property
    def system_instructions(self) -> list[dict[str, Any]]:
        """Return the parts of the system instructions, in the same form."""
        return self._parsed(SYSTEM_INSTRUCTIONS)

    @cached_property
    def tool_definitions(self) -> list[dict[str, Any]]:
        """Return the tool definitions, in the same form."""
        return self._parsed(TOOL_DEFINITIONS)

    def _parsed(self, name: str) -> list[dict[str, Any]]:
        text = self.content.get(name)
        parsed: list[dict[str, Any]] = [] if text is None else json.loads(text)
        return parsed


class CompletionHook(Protocol):
    """What is called with each completion: any callable, such as a function.

    It is called in a thread of its instrumentor's own, one completion at a time, in the order in which calls finished, some time
    after they did. It may take its time, until the queue before it is full. What it raises is logged once for each type of
    exception, and counted. Calls of models that it makes itself, in that thread, are not instrumented.
    """

    def __call__(self, completion: Completion, /) -> object:
        """Do something with a completion.

        Args:
            completion: the call. It is the hook's own: no other code reads or changes its content.
        """
        ...


class ReferencingHook(CompletionHook, Protocol):
    """A hook that also returns, at once, references to where it will store the content of a call."""

    def references(self, completion: Completion, /) -> Mapping[str, str]:
        """Return the references.

        It is called within the call, in the application's thread or event loop, so it must not wait for anything.

        Args:
            completion: the call, without references.

        Returns:
            Attributes for the call's span and its details event, such as `gen_ai.input.messages_ref`. They are not set if the
            queue has no room for the completion.
        """
        ...
