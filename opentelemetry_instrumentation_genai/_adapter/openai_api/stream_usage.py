"""Injection of `stream_options.include_usage` of OpenAI's API reference, for the usage of streamed chat and legacy completions.

With this option the server sends one more chunk at the end, with usage and without choices; all others have `usage: null`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fields import items, member, members
from ..stream_usage import StreamUsage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# OpenRouter ("Usage Accounting") and Mistral always send usage with the last chunk; Mistral rejects the option.
_ALWAYS_SENT = frozenset({"openrouter", "mistral_ai"})


def _inject(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the caller's options with `include_usage`; None if they set it, or request vLLM's usage in every chunk."""
    options = body.get("stream_options")
    if body.get("stream") is not True:
        return None
    if options is None:
        return {"stream_options": {"include_usage": True}}
    if not isinstance(options, dict) or "include_usage" in options or options.get("continuous_usage_stats"):
        return None
    return {"stream_options": {**options, "include_usage": True}}


def _withheld(chunk: Any, headers: Mapping[str, str]) -> bool:
    """Return whether a chunk has usage and no choices; other chunks without choices, such as errors, have no usage."""
    if member(chunk, "usage") is None or member(chunk, "error"):
        return False
    choices = member(chunk, "choices")
    return not choices or ("x-litellm-call-id" in headers and all(map(_empty, items(chunk, "choices"))))


def _empty(choice: Any) -> bool:
    """Return whether a choice has neither content nor a finish reason; LiteLLM's proxy adds one to the usage chunk."""
    held = members(choice)
    values = (*members(held.get("delta")).values(), held.get("text"), held.get("logprobs"), held.get("finish_reason"))
    return not any(values)


def _last(chunk: Any) -> bool:
    return any(member(choice, "finish_reason") is not None for choice in items(chunk, "choices"))


def _moved(headers: Mapping[str, str]) -> Sequence[str]:
    """Return the members that move to the usage chunk: llama.cpp adds its timings to whichever chunk is last."""
    return ("timings",) if headers.get("server") == "llama.cpp" else ()


STREAM_USAGE = StreamUsage(
    member="usage",
    members=_inject,
    unasked=_ALWAYS_SENT,
    refused=(b"stream_options", b"include_usage"),
    withheld=_withheld,
    last=_last,
    moved=_moved,
)
