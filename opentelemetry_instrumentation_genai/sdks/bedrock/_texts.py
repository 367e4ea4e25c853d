"""Models that continue a prompt: Amazon Titan, Meta Llama, Mistral, Cohere Command, DeepSeek-R1, by AWS's pages of their parameters.

An ARN of a profile does not name the model, so that a response is read by its own form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..._adapter.endpoint import Content, Endpoint
from ..._adapter.fields import (
    MOST,
    count,
    field,
    integer,
    items,
    member,
    members,
    number,
    string,
    strings,
    table,
    whole_string,
)
from ..._adapter.openai_api.common import choice_count
from ..._adapter.parts import Part, attached, first_text, text
from ..._conventions import names, operation_kinds
from ._common import finish_reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TITAN = "textGenerationConfig"
_REQUEST = table(
    *(field(names.REQUEST_TEMPERATURE, number, name) for name in ("temperature", f"{_TITAN}.temperature")),
    *(field(names.REQUEST_TOP_P, number, name) for name in ("p", "topP", "top_p", f"{_TITAN}.topP")),
    *(field(names.REQUEST_TOP_K, integer, name) for name in ("k", "topK", "top_k")),
    *(
        field(names.REQUEST_MAX_TOKENS, integer, name)
        for name in ("max_tokens", "max_gen_len", "max_tokens_to_sample", "maxOutputTokens", f"{_TITAN}.maxTokenCount")
    ),
    *(
        field(names.REQUEST_STOP_SEQUENCES, strings, name)
        for name in ("stop", "stop_sequences", f"{_TITAN}.stopSequences")
    ),
    field(names.REQUEST_CHOICE_COUNT, choice_count, "num_generations"),
)


def _results_tokens(results: Any) -> int | None:
    """Return the count of the tokens of Titan's results."""
    entries = results if isinstance(results, (list, tuple)) else ()
    counts = [count(member(entry, "tokenCount")) for entry in entries]
    known = [tokens for tokens in counts if tokens is not None]
    return count(sum(known)) if known else None


_RESPONSE = table(
    field(names.RESPONSE_ID, string, "id"),
    field(names.USAGE_INPUT_TOKENS, count, "prompt_token_count"),
    field(names.USAGE_OUTPUT_TOKENS, count, "generation_token_count"),
    field(names.USAGE_INPUT_TOKENS, count, "inputTextTokenCount"),
    field(names.USAGE_OUTPUT_TOKENS, count, "totalOutputTextTokenCount"),
    field(names.USAGE_OUTPUT_TOKENS, _results_tokens, "results"),
)


class _Choice(NamedTuple):
    """One text, or a piece of it, and the reason for which it ended."""

    content: str | None
    reason: str | None


# Member with a list of texts -> the members of each: its text, and its reason.
_LISTS = {
    "outputs": ("text", "stop_reason"),
    "choices": ("text", "stop_reason"),
    "generations": ("text", "finish_reason"),
    "results": ("outputText", "completionReason"),
}
# Of a response with one text, or of a chunk.
_ONE = {
    "generation": "stop_reason",
    "completion": "stop_reason",
    "outputText": "completionReason",
    "text": "finish_reason",
    "message": "finishReason",
}


def _choices(response: Any) -> Iterator[_Choice]:
    """Yield the texts of a response or of a chunk."""
    held = members(response)
    for name, (written, reason) in _LISTS.items():
        if name in held:
            for entry in items(held, name)[:MOST]:
                found = string(member(entry, reason)) or string(member(entry, "finish_reason"))
                yield _Choice(whole_string(member(entry, written)), found)
            return
    for name, reason in _ONE.items():
        if name in held or held.get(reason) is not None:
            content = whole_string(held.get(name))
            found = string(held.get(reason))
            if content is not None or found is not None:
                yield _Choice(content, found)
                return


def _finish_reasons(response: Any, _streamed: bool) -> list[str]:
    return [finish_reason(choice.reason) if choice.reason else "error" for choice in _choices(response)]


def _input(body: Mapping[str, Any]) -> Content:
    prompt = first_text(body, "prompt", "inputText", "inputPrompt")
    parts: list[Part] = [] if prompt is None else [text(prompt)]
    parts += [attached("image", data=image) for image in items(body, "images") if isinstance(image, str)]
    return {names.INPUT_MESSAGES: [{"role": "user", "parts": parts}]} if parts else {}


def _output(response: Any, reasons: Sequence[str]) -> Content:
    messages = [
        {"role": "assistant", "parts": [text(choice.content)] if choice.content else [], "finish_reason": reason}
        for choice, reason in zip(_choices(response), reasons, strict=False)
    ]
    return {names.OUTPUT_MESSAGES: messages} if messages else {}


class _TextChunks:
    """Accumulates chunks, each with pieces of the texts in the form of the plain response, or with a part of the counts."""

    __slots__ = ("_content", "_counts", "_pieces", "_reasons")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._counts: dict[str, Any] = {}
        self._pieces: dict[int, list[str]] = {}
        self._reasons: dict[int, str] = {}

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        held = members(chunk)
        for name in _KEPT:
            if held.get(name) is not None:
                self._counts[name] = held[name]
        only = integer(held.get("index")) or 0
        for position, choice in enumerate(_choices(held)):
            pieces = self._pieces.setdefault(only + position, [])
            if choice.content and self._content:
                pieces.append(choice.content)
            if choice.reason:
                self._reasons[only + position] = choice.reason

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        choices = [
            {"text": "".join(pieces), "stop_reason": self._reasons.get(index)}
            for index, pieces in sorted(self._pieces.items())
        ]
        return {**self._counts, "choices": choices}


_KEPT = ("id", "prompt_token_count", "generation_token_count", "inputTextTokenCount", "totalOutputTextTokenCount")
TEXTS = Endpoint(
    kind=operation_kinds.TEXT_COMPLETION,
    request=_REQUEST,
    response=_RESPONSE,
    finish_reasons=_finish_reasons,
    input_content=_input,
    output_content=_output,
    accumulator=_TextChunks,
    messages="prompt",
)
