"""Sound: `POST /audio/transcriptions`, `/audio/translations` and `/audio/speech`, by OpenAI's API reference.

Files that a request sends are not read, and the sound of a response is neither kept nor read ahead of the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..endpoint import Content, Endpoint
from ..fields import count, field, member, members, number, string, table, whole_string
from ..parts import first_text, text
from .common import failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RESPONSE = table(
    field(names.USAGE_INPUT_TOKENS, count, "usage.input_tokens"),
    field(names.USAGE_TEXT_INPUT_TOKENS, count, "usage.input_token_details.text_tokens"),
    field(names.USAGE_AUDIO_INPUT_TOKENS, count, "usage.input_token_details.audio_tokens"),
    field(names.USAGE_OUTPUT_TOKENS, count, "usage.output_tokens"),
    field(names.OPENAI_USAGE_AUDIO_SECONDS, number, "usage.seconds"),
)


def _prompt(body: Mapping[str, Any]) -> Content:
    return _user(first_text(body, "prompt"))


def _speech_input(body: Mapping[str, Any]) -> Content:
    instructions = first_text(body, "instructions")
    content = _user(first_text(body, "input"))
    return content if instructions is None else {**content, names.SYSTEM_INSTRUCTIONS: [text(instructions)]}


def _user(given: str | None) -> Content:
    return {} if given is None else {names.INPUT_MESSAGES: [{"role": "user", "parts": [text(given)]}]}


def _transcript(response: Any, _reasons: Sequence[str]) -> Content:
    """Read the text. This API has no finish reasons: a text of which a stream had a part only is an error."""
    transcript = response if isinstance(response, str) else member(response, "text")
    if not isinstance(transcript, str):
        return {}
    reason = "error" if member(response, "unfinished") is True else "stop"
    parts = [text(transcript)] if transcript else []
    return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": parts, "finish_reason": reason}]}


class AudioEvents:
    """Accumulates the events of a stream: pieces of a text or of sound, and a last one with the usage and the whole text."""

    __slots__ = ("_content", "_done", "_error", "_pieces")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._pieces: list[str] = []
        self._done: dict[str, Any] | None = None
        self._error: Any = None

    def add(self, event: Any) -> None:
        """Add one event; the pieces of sound are not kept."""
        held = members(event)
        kind = string(held.get("type")) or ""
        if kind.endswith(".done"):
            self._done = {"usage": held.get("usage"), "text": held.get("text")}
        elif kind == "transcript.text.delta" and self._content:
            self._pieces.append(whole_string(held.get("delta")) or "")
        elif held.get("error"):
            self._error = held["error"]

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        if self._done is not None:
            return {**self._done, "error": self._error}
        return {"text": "".join(self._pieces), "unfinished": True, "error": self._error}


TRANSCRIPTIONS = Endpoint(
    kind=operation_kinds.GENERATE_CONTENT,
    messages="prompt",
    request=table(field(names.REQUEST_TEMPERATURE, number, "temperature")),
    response=_RESPONSE,
    constants={names.OUTPUT_TYPE: "text"},
    input_content=_prompt,
    output_content=_transcript,
    failure=failure,
    accumulator=AudioEvents,
    unread=frozenset({"logprobs", "segments", "words"}),
    reads_text=True,
)
"""Both transcriptions and translations, which do not stream."""
SPEECH = Endpoint(
    kind=operation_kinds.GENERATE_CONTENT,
    messages="input",
    request=table(),
    response=_RESPONSE,
    constants={names.OUTPUT_TYPE: "speech"},
    input_content=_speech_input,
    failure=failure,
    accumulator=AudioEvents,
)
