"""The headers by which providers report what is left of their rate limits.

Sources: OpenAI's API reference ("Rate limits in headers"), which Azure, Groq, LiteLLM and others follow, and Anthropic's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .._conventions.names import (
    METRIC_LIMIT_INPUT_TOKENS,
    METRIC_LIMIT_OUTPUT_TOKENS,
    METRIC_LIMIT_REQUESTS,
    METRIC_LIMIT_TOKENS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

RATE_LIMIT_HEADERS: Final[Mapping[bytes, str]] = {
    b"x-ratelimit-remaining-requests": METRIC_LIMIT_REQUESTS,
    b"x-ratelimit-remaining-tokens": METRIC_LIMIT_TOKENS,
    b"anthropic-ratelimit-requests-remaining": METRIC_LIMIT_REQUESTS,
    b"anthropic-ratelimit-tokens-remaining": METRIC_LIMIT_TOKENS,
    b"anthropic-ratelimit-input-tokens-remaining": METRIC_LIMIT_INPUT_TOKENS,
    b"anthropic-ratelimit-output-tokens-remaining": METRIC_LIMIT_OUTPUT_TOKENS,
}
"""Header in lower case -> the metric that has its value."""
