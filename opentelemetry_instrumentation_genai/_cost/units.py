"""What a call used, in the units that prices are for.

The names are those of genai-prices. Some units are parts of others: tokens that were read from a cache are input tokens as well,
and audio tokens can be of either. A price is for a unit without those parts of it that have prices of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .._conventions import names
from .._conventions.operation_kinds import (
    CANCEL_RESPONSE,
    COMPACT_RESPONSE,
    DECISION,
    EMBEDDINGS,
    FETCH_RESPONSE,
    INFERENCE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.billing import Billing
    from .._adapter.fields import Attribute

# unit -> what it is; whatever has all of these and more is a part of it
UNITS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(traits.split())
    for name, traits in {
        "input_tokens": "input",
        "input_text_tokens": "input text",
        "input_audio_tokens": "input audio",
        "input_image_tokens": "input image",
        "cache_read_tokens": "input read",
        "cache_text_read_tokens": "input read text",
        "cache_audio_read_tokens": "input read audio",
        "cache_image_read_tokens": "input read image",
        "cache_write_tokens": "input write",
        "cache_write_5m_tokens": "input write 5m",
        "cache_write_1h_tokens": "input write 1h",
        "output_tokens": "output",
        "output_text_tokens": "output text",
        "output_audio_tokens": "output audio",
        "output_image_tokens": "output image",
        "output_reasoning_tokens": "output reasoning",
        "web_searches": "search",
        "requests": "request",
    }.items()
}
_OF_ATTRIBUTES: Final = {
    names.USAGE_INPUT_TOKENS: "input_tokens",
    names.USAGE_TEXT_INPUT_TOKENS: "input_text_tokens",
    names.USAGE_AUDIO_INPUT_TOKENS: "input_audio_tokens",
    names.USAGE_IMAGE_INPUT_TOKENS: "input_image_tokens",
    names.USAGE_CACHE_READ_INPUT_TOKENS: "cache_read_tokens",
    names.USAGE_TEXT_CACHE_READ_INPUT_TOKENS: "cache_text_read_tokens",
    names.USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: "cache_audio_read_tokens",
    names.USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: "cache_image_read_tokens",
    names.USAGE_CACHE_WRITE_INPUT_TOKENS: "cache_write_tokens",
    names.ANTHROPIC_CACHE_CREATION_5M: "cache_write_5m_tokens",
    names.ANTHROPIC_CACHE_CREATION_1H: "cache_write_1h_tokens",
    names.USAGE_OUTPUT_TOKENS: "output_tokens",
    names.USAGE_TEXT_OUTPUT_TOKENS: "output_text_tokens",
    names.USAGE_AUDIO_OUTPUT_TOKENS: "output_audio_tokens",
    names.USAGE_IMAGE_OUTPUT_TOKENS: "output_image_tokens",
    names.USAGE_REASONING_OUTPUT_TOKENS: "output_reasoning_tokens",
}
_TIERS: Final = (names.OPENAI_RESPONSE_SERVICE_TIER, names.ANTHROPIC_RESPONSE_SERVICE_TIER)
NEEDED: Final = frozenset({*_OF_ATTRIBUTES, *_TIERS})
"""The attributes of a response that its cost is made of."""
BILLED_OPERATIONS: Final = frozenset({*INFERENCE, EMBEDDINGS.name, COMPACT_RESPONSE.name, DECISION.name})
"""The operations that have a cost."""
BILLED_BY_USAGE: Final = frozenset({FETCH_RESPONSE.name, CANCEL_RESPONSE.name})
"""Those that have a cost if they have usage: a response that is read again was paid when it was made, but for one in the background."""

# In chat completions they count thinking in the total alone ("completion_tokens" is without it), and bill it as output.
_THINKING_APART = frozenset({"gcp.gemini", "gcp.vertex_ai", "x_ai"})


class Used(NamedTuple):
    """What one inference used.

    Attributes:
        provider: `gen_ai.provider.name`.
        models: what the model is called, the response's name first.
        amounts: unit -> how many.
        terms: what the price depends on besides, such as the service tier: name -> value.
        has_list_price: whether the cost of such a call can be computed from a list of prices.
    """

    provider: str
    models: tuple[str, ...]
    amounts: Mapping[str, int]
    terms: Mapping[str, str]
    has_list_price: bool


def used(operation: str, identity: Mapping[str, Any], found: Mapping[str, Any], billing: Billing) -> list[Used]:
    """Return the usages of a call: the response's own, and those that are billed beside it.

    Args:
        operation: `gen_ai.operation.name`.
        identity: provider and request model among it.
        found: the attributes of the response.
        billing: what a price depends on besides.

    Returns:
        One entry for each usage; an empty list if the provider did not report all of it.
    """
    provider = identity[names.PROVIDER_NAME]
    models = _models(found.get(names.RESPONSE_MODEL), identity.get(names.REQUEST_MODEL))
    entries = [(models, found, billing.amounts)]
    for model, beside in billing.beside:
        entries.append((models if model is None else (model,), beside, {}))
    usages: list[Used] = []
    for called, attributes, more in entries:
        amounts = _amounts(provider, attributes, more)
        if not usages:  # what is used beside is part of the same request
            amounts["requests"] = 1
        if "input_tokens" not in amounts or ("output_tokens" not in amounts and operation != "embeddings"):
            return []
        usages.append(Used(provider, called, amounts, _terms(found, billing), billing.has_list_price))
    return usages


def _models(*called: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in called if name))


def _terms(found: Mapping[str, Any], billing: Billing) -> Mapping[str, str]:
    """Return the terms of a response; what the service says of its tier counts before what the model's response says."""
    tier = next((found[name] for name in _TIERS if name in found), None)
    return billing.terms if tier is None else {"service_tier": tier, **billing.terms}


def _amounts(provider: str, found: Mapping[str, Attribute], more: Mapping[str, int]) -> dict[str, int]:
    amounts: dict[str, int] = {}
    for attribute, unit in _OF_ATTRIBUTES.items():
        amount = found.get(attribute)
        if isinstance(amount, int):
            amounts[unit] = amount
    if "cache_write_tokens" not in amounts:
        parts = [amounts[unit] for unit in ("cache_write_5m_tokens", "cache_write_1h_tokens") if unit in amounts]
        if parts:
            amounts["cache_write_tokens"] = sum(parts)
    amounts.update({unit: amount for unit, amount in more.items() if unit in UNITS})
    total = more.get("total_tokens")
    if total is not None and provider in _THINKING_APART and "output_tokens" in amounts:
        amounts["output_tokens"] = max(amounts["output_tokens"], total - amounts.get("input_tokens", total))
    return amounts
