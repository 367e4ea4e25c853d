"""The classes of the SDK whose instances `stream()` returns: what they raise above the chunks, they raise to the application."""

from __future__ import annotations

_MODULES = "anthropic.lib.streaming."
CLASSES = (
    (_MODULES + "_messages", "MessageStream"),
    (_MODULES + "_messages", "AsyncMessageStream"),
    (_MODULES + "_beta_messages", "BetaMessageStream"),
    (_MODULES + "_beta_messages", "BetaAsyncMessageStream"),
    # SDKs before 0.42
    (_MODULES + "_prompt_caching_beta_messages", "PromptCachingBetaMessageStream"),
    (_MODULES + "_prompt_caching_beta_messages", "AsyncPromptCachingBetaMessageStream"),
)
