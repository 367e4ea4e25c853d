"""What is left of the provider's rate limits, by the headers of its responses: gauges, each of the last response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._conventions.names import (
    METRIC_LIMIT_INPUT_TOKENS,
    METRIC_LIMIT_OUTPUT_TOKENS,
    METRIC_LIMIT_REQUESTS,
    METRIC_LIMIT_TOKENS,
    OWN_METRICS,
    PROVIDER_NAME,
    REQUEST_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from .._adapter.fields import Attribute

# Header -> metric. OpenAI's API reference ("Rate limits in headers"), which Azure, Groq, LiteLLM and others follow, and Anthropic's.
_HEADERS = {
    b"x-ratelimit-remaining-requests": METRIC_LIMIT_REQUESTS,
    b"x-ratelimit-remaining-tokens": METRIC_LIMIT_TOKENS,
    b"anthropic-ratelimit-requests-remaining": METRIC_LIMIT_REQUESTS,
    b"anthropic-ratelimit-tokens-remaining": METRIC_LIMIT_TOKENS,
    b"anthropic-ratelimit-input-tokens-remaining": METRIC_LIMIT_INPUT_TOKENS,
    b"anthropic-ratelimit-output-tokens-remaining": METRIC_LIMIT_OUTPUT_TOKENS,
}
_LONGEST = 18  # digits of what OTLP can carry
# Limits are those of a model at a provider, for all operations.
_ATTRIBUTES = (PROVIDER_NAME, REQUEST_MODEL, SERVER_ADDRESS, SERVER_PORT)


class Limits:
    """The gauges of one meter."""

    def __init__(self, meter: Meter) -> None:
        self._gauges = {
            metric: meter.create_gauge(metric, OWN_METRICS[metric][1], "What is left of the provider's rate limit.")
            for metric in dict.fromkeys(_HEADERS.values())
        }

    def record(self, headers: Any, identity: Mapping[str, Attribute], context: Context) -> None:
        """Record the rate limits in the headers of a response.

        Args:
            headers: of httpx or alike.
            identity: the attributes of the call.
            context: the call's context.
        """
        point: dict[str, Attribute] | None = None
        for name, value in headers.raw:
            metric = _HEADERS.get(name.lower())
            if metric is None or not value.isdigit() or len(value) > _LONGEST:
                continue
            if point is None:
                point = {name: identity[name] for name in _ATTRIBUTES if name in identity}
            self._gauges[metric].set(int(value), point, context)
