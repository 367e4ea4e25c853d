"""The endpoints of Meta's Llama API, by its reference: a completion has one message, and its usage is a list of metrics."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._adapter.fields import field, member, members, number, string, table
from ..._adapter.openai_api.chat import CHAT
from ..._adapter.openai_api.chunks import ChoiceChunks
from ..._adapter.openai_api.moderations import MODERATIONS
from ..._conventions import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..._adapter.endpoint import Content, Endpoint


def _metric(name: str) -> Callable[[object], int | None]:
    """Return a converter: the metrics of a response -> the one with this name, as a count."""

    def read(metrics: object) -> int | None:
        listed = metrics if isinstance(metrics, (list, tuple)) else ()
        values = (number(member(entry, "value")) for entry in listed if member(entry, "metric") == name)
        return next((int(value) for value in values if value is not None and 0 <= value < math.inf), None)

    return read


class Events:
    """The events of a streamed completion: pieces of its text and of its tool calls, the reason of its end, and its metrics."""

    def __init__(self, content: bool) -> None:
        self._chunks = ChoiceChunks(content)
        self._metrics: Any = None
        self._calls = -1

    def add(self, chunk: Any) -> None:
        """Add the event of a chunk."""
        event = member(chunk, "event")
        self._metrics = member(event, "metrics") or self._metrics
        choice = {
            "index": 0,
            "delta": self._delta(member(event, "delta")),
            "finish_reason": member(event, "stop_reason"),
        }
        self._chunks.add({"id": member(chunk, "id"), "choices": [choice]})

    def _delta(self, delta: Any) -> dict[str, Any]:
        """Return a delta as OpenAI's API has it. A tool call begins with its id."""
        if member(delta, "type") != "tool_call":
            return {"content": member(delta, "text")}
        self._calls += bool(member(delta, "id")) or self._calls < 0
        call = {"index": self._calls, "id": member(delta, "id"), "function": member(delta, "function")}
        return {"tool_calls": [call]}

    def result(self) -> dict[str, Any]:
        """Return the response as far as it was received."""
        received = self._chunks.result()
        choice = next(iter(received["choices"]), None)
        message = {**members(member(choice, "message")), "stop_reason": member(choice, "finish_reason")}
        return {"id": received.get("id"), "completion_message": message, "metrics": self._metrics}


def _output(response: Any, reasons: Sequence[str]) -> Content:
    """Read the message as OpenAI's API has it; its content may be a part instead of a text."""
    message = member(response, "completion_message")
    content = member(message, "content")
    parts = content if content is None or isinstance(content, str) else [content]
    choice = {"index": 0, "message": {"content": parts, "tool_calls": member(message, "tool_calls")}}
    return CHAT.output_content({"choices": [choice]}, reasons)


_CHAT = replace(
    CHAT,
    constants={},
    response=table(
        field(names.RESPONSE_ID, string, "id"),
        field(names.USAGE_INPUT_TOKENS, _metric("num_prompt_tokens"), "metrics"),
        field(names.USAGE_OUTPUT_TOKENS, _metric("num_completion_tokens"), "metrics"),
    ),
    finish_reasons=lambda response, _streamed: [
        string(member(member(response, "completion_message"), "stop_reason")) or "error"
    ],
    output_content=_output,
    accumulator=Events,
    stream_usage=None,
)
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/chat/completions"): _CHAT.called_by("chat.completions", "CompletionsResource"),
    ("post", "/moderations"): MODERATIONS.called_by("moderations", "ModerationsResource"),
}
