"""The classes of the SDK whose instances `stream()` returns: what they raise above the chunks, they raise to the application."""

from __future__ import annotations

_CHAT, _RESPONSES = "openai.lib.streaming.chat._completions", "openai.lib.streaming.responses._responses"
CLASSES = (
    (_CHAT, "ChatCompletionStream"),
    (_CHAT, "AsyncChatCompletionStream"),
    (_RESPONSES, "ResponseStream"),
    (_RESPONSES, "AsyncResponseStream"),
)
# A length or a content filter raises there, also where no structure was asked for.
PARSING = ("get_final_completion",)
