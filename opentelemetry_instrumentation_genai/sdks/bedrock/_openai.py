"""Chat completions of OpenAI's form: gpt-oss, DeepSeek, Qwen, Jamba, and Mistral, which has names of its own for some members."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from ..._adapter.fields import items, members
from ..._adapter.openai_api.chat import CHAT
from ..._adapter.openai_api.chunks import ChoiceChunks
from ..._adapter.translation import translated

_MISTRAL = "stop_reason"


def _in_form(part: str, received: Any) -> Any:
    """Return a response, or a chunk, in OpenAI's form.

    Args:
        part: the member of a choice that has its content: `message`, or `delta` of a chunk.
        received: as received.
    """
    choices = items(received, "choices")
    if not any(_MISTRAL in members(choice) for choice in choices):
        return received
    return {**members(received), "choices": [_choice(members(choice), part) for choice in choices]}


def _choice(choice: Any, part: str) -> dict[str, Any]:
    return {part: choice.get("message"), **choice, "finish_reason": choice.get("finish_reason") or choice.get(_MISTRAL)}


OPENAI = replace(
    CHAT, form=partial(_in_form, "message"), accumulator=translated(partial(_in_form, "delta"), ChoiceChunks)
)
