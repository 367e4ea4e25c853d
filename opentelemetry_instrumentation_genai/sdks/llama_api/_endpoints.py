"""The endpoints of Meta's Llama API, by its reference: OpenAI's, where a completion has one message, and its usage is a list of metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._adapter.fields import items, member, members, string
from ..._adapter.openai_api.chat import CHAT
from ..._adapter.openai_api.chunks import ChoiceChunks
from ..._adapter.openai_api.moderations import MODERATIONS
from ..._adapter.translation import translated


def _usage(source: Any) -> dict[str, Any] | None:
    found = {string(member(metric, "metric")): member(metric, "value") for metric in items(source, "metrics")}
    counts = {name: found.get(f"num_{name}") for name in ("prompt_tokens", "completion_tokens")}
    return counts if found else None


def _response(received: Any) -> dict[str, Any]:
    """Return a response in OpenAI's form. The content of its message may be a part instead of a text."""
    message = members(member(received, "completion_message"))
    content = message.get("content")
    parts = content if content is None or isinstance(content, str) else [content]
    choice = {"message": {**message, "content": parts}, "finish_reason": message.get("stop_reason")}
    return {**members(received), "usage": _usage(received), "choices": [choice]}


def _chunk(received: Any) -> dict[str, Any]:
    """Return a chunk in OpenAI's form: a piece of the text or of a tool call, the reason of the end, or the metrics."""
    event = member(received, "event")
    delta = member(event, "delta")
    new = {"tool_calls": [delta]} if member(delta, "type") == "tool_call" else {"content": member(delta, "text")}
    choice = {"index": 0, "delta": new, "finish_reason": member(event, "stop_reason")}
    return {**members(received), "usage": _usage(event), "choices": [] if event is None else [choice]}


_CHAT = replace(CHAT, constants={}, form=_response, accumulator=translated(_chunk, ChoiceChunks), stream_usage=None)
ENDPOINTS = {
    ("post", "/chat/completions"): _CHAT.called_by("chat.completions", "CompletionsResource"),
    ("post", "/moderations"): MODERATIONS.called_by("moderations", "ModerationsResource"),
}
