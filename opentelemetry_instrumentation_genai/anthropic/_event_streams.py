"""The classes that `stream()` of the SDK returns: they raise errors of their own, which the chunks below do not have."""

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
