"""Chat completions of OpenAI's form: gpt-oss, DeepSeek, Qwen, Jamba, and Mistral, which has names of its own for some members."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._adapter.fields import items, members
from ..._adapter.openai_api.chat import CHAT, finish_reasons
from ..._adapter.openai_api.chunks import ChoiceChunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._adapter.endpoint import Content

_MISTRAL = "stop_reason"


def _in_form(response: Any, part: str) -> Any:
    """Return a response, or a chunk, in OpenAI's form.

    Args:
        response: as received.
        part: the member of a choice that has its content: `message`, or `delta` of a chunk.
    """
    choices = items(response, "choices")
    if not any(_MISTRAL in members(choice) for choice in choices):
        return response
    return {**members(response), "choices": [_choice(members(choice), part) for choice in choices]}


def _choice(choice: Any, part: str) -> dict[str, Any]:
    return {part: choice.get("message"), **choice, "finish_reason": choice.get("finish_reason") or choice.get(_MISTRAL)}


def _finish_reasons(response: Any, streamed: bool) -> list[str]:
    return finish_reasons(_in_form(response, "message"), streamed)


def _output(response: Any, reasons: Sequence[str]) -> Content:
    return CHAT.output_content(_in_form(response, "message"), reasons)


class _Chunks(ChoiceChunks):
    """Accumulates chunks of either form."""

    __slots__ = ()

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        super().add(_in_form(chunk, "delta"))


OPENAI = replace(CHAT, finish_reasons=_finish_reasons, output_content=_output, accumulator=_Chunks)
