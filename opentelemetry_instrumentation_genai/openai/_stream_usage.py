"""How the usage of a streamed chat or legacy completion is asked for: `stream_options.include_usage` of OpenAI's API reference.

With it, one more chunk comes last, with the usage and without choices, and all others have `usage: null`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.fields import items, member, members
from .._adapter.operation import StreamUsage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Asked or not, OpenRouter sends usage with the last chunk ("Usage Accounting"), and so does Mistral, which refuses the question.
_UNASKED = frozenset({"openrouter", "mistral_ai"})


def _asked(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The caller's options with the question; nothing where they have answered it, or asked for vLLM's usage in every chunk."""
    options = body.get("stream_options")
    if body.get("stream") is not True:
        return None
    if options is None:
        return {"stream_options": {"include_usage": True}}
    if not isinstance(options, dict) or "include_usage" in options or options.get("continuous_usage_stats"):
        return None
    return {"stream_options": {**options, "include_usage": True}}


def _withheld(chunk: Any, headers: Mapping[str, str]) -> bool:
    """Usage and no choices: content filters, errors and what else has no choices has no usage."""
    if member(chunk, "usage") is None or member(chunk, "error"):
        return False
    choices = member(chunk, "choices")
    return not choices or ("x-litellm-call-id" in headers and all(map(_empty, items(chunk, "choices"))))


def _empty(choice: Any) -> bool:
    """What LiteLLM's proxy has beside the usage: a choice that says nothing, and does not end."""
    held = members(choice)
    said = (*members(held.get("delta")).values(), held.get("text"), held.get("logprobs"), held.get("finish_reason"))
    return not any(said)


def _last(chunk: Any) -> bool:
    return any(member(choice, "finish_reason") is not None for choice in items(chunk, "choices"))


def _moved(headers: Mapping[str, str]) -> Sequence[str]:
    """llama.cpp puts its timings into the last chunk, whichever that is."""
    return ("timings",) if headers.get("server") == "llama.cpp" else ()


STREAM_USAGE = StreamUsage(
    member="usage",
    asked=_asked,
    unasked=_UNASKED,
    refused=(b"stream_options", b"include_usage"),
    withheld=_withheld,
    last=_last,
    moved=_moved,
)
