"""The endpoints of Writer's API, by its reference: chats as OpenAI's, completions and analyses of images of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._adapter.fields import count, field, items, member, table, whole_string
from ..._adapter.openai_api.chat import CHAT
from ..._adapter.openai_api.common import RESPONSE, USAGE
from ..._adapter.openai_api.completions import COMPLETIONS
from ..._adapter.parts import text
from ..._conventions import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._adapter.endpoint import Content, Endpoint


class CompletionChunks:
    """The chunks of a completion, each with a piece of its text as `value`."""

    def __init__(self, content: bool) -> None:
        self._content = content
        self._pieces: list[str] = []

    def add(self, chunk: Any) -> None:
        """Add a chunk."""
        if self._content:
            self._pieces.append(whole_string(member(chunk, "value")) or "")

    def result(self) -> dict[str, Any]:
        """Return the completion as far as it was received."""
        return {"choices": [{"text": "".join(self._pieces)}]}


def _prompt(body: Mapping[str, Any]) -> Content:
    return {names.INPUT_MESSAGES: [{"role": "user", "parts": [text(member(body, "prompt") or "")]}]}


def _answers(texts: Sequence[Any]) -> Content:
    """Return output messages; this API has no reason why an answer ended."""
    return {
        names.OUTPUT_MESSAGES: [
            {"role": "assistant", "parts": [text(answer or "")], "finish_reason": "stop"} for answer in texts
        ]
    }


_CHAT = replace(
    CHAT,
    response=table(
        *RESPONSE, *USAGE, field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.prompt_token_details.cached_tokens")
    ),
)
_COMPLETIONS = replace(
    COMPLETIONS,
    finish_reasons=lambda _response, _streamed: [],
    input_content=_prompt,
    output_content=lambda response, _reasons: _answers(
        [member(choice, "text") for choice in items(response, "choices")]
    ),
    accumulator=CompletionChunks,
    stream_usage=None,
)
_VISION = replace(
    _COMPLETIONS,
    kind=CHAT.kind,
    output_content=lambda response, _reasons: _answers([member(response, "data")]),
    accumulator=None,
)
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/v1/chat"): _CHAT.called_by("chat", "ChatResource", "chat"),
    ("post", "/v1/completions"): _COMPLETIONS.called_by("completions", "CompletionsResource"),
    ("post", "/v1/vision"): _VISION.called_by("vision", "VisionResource", "analyze"),
}
