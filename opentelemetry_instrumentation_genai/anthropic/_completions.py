"""Legacy completions: `POST /v1/complete`, by Anthropic's API reference; only in SDKs before 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.anthropic_api.messages import RESPONSE, SAMPLING, failure
from .._adapter.endpoint import Content, Endpoint
from .._adapter.fields import field, integer, member, members, string, table, whole_string
from .._adapter.parts import first_text, text
from .._conventions import names, operation_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FINISH = {"stop_sequence": "stop", "max_tokens": "length"}


class CompletionEvents:
    """Accumulates events, each of which carries new text."""

    __slots__ = ("_content", "_error", "_latest", "_pieces")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._latest: dict[str, Any] = {}
        self._pieces: list[str] = []
        self._error: Any = None

    def add(self, event: Any) -> None:
        """Add one event."""
        held = members(event)
        if held.get("type") == "error":
            self._error = held.get("error")
        elif held.get("type") != "ping":
            self._latest = dict(held)
            if self._content:
                self._pieces.append(whole_string(held.get("completion")) or "")

    def result(self) -> dict[str, Any]:
        """Return the completion received so far."""
        completion = {**self._latest, "completion": "".join(self._pieces)} if self._latest else {}
        return {**completion, "stream_error": self._error}


def _finish_reasons(response: Any, _streamed: bool = False) -> list[str]:
    reason = string(member(response, "stop_reason"))
    if reason is not None:
        return [_FINISH.get(reason, reason)]
    return ["error"] if isinstance(member(response, "completion"), str) else []


def _input(body: Mapping[str, Any]) -> Content:
    prompt = first_text(body, "prompt")
    return {names.INPUT_MESSAGES: [{"role": "user", "parts": [text(prompt)]}]} if prompt else {}


def _output(response: Any, reasons: Sequence[str]) -> Content:
    if not reasons:
        return {}
    parts = [text(first_text(response, "completion") or "")]
    return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": parts, "finish_reason": reasons[0]}]}


COMPLETIONS = Endpoint(
    kind=operation_kinds.TEXT_COMPLETION,
    methods=("resources.completions:Completions.create", "resources.completions:AsyncCompletions.create"),
    request=table(*SAMPLING, field(names.REQUEST_MAX_TOKENS, integer, "max_tokens_to_sample")),
    response=table(*RESPONSE),
    finish_reasons=_finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=failure,
    accumulator=CompletionEvents,
)
