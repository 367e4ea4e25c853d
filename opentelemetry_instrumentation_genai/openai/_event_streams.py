"""The classes that `stream()` of the SDK returns: they raise errors of their own, which the chunks below do not have."""

from __future__ import annotations

_CHAT, _RESPONSES = "openai.lib.streaming.chat._completions", "openai.lib.streaming.responses._responses"
CLASSES = (
    (_CHAT, "ChatCompletionStream"),
    (_CHAT, "AsyncChatCompletionStream"),
    (_RESPONSES, "ResponseStream"),
    (_RESPONSES, "AsyncResponseStream"),
)
# These raise for the finish reasons `length` and `content_filter`, even without structured output.
PARSING = ("get_final_completion",)
