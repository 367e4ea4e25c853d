"""Usage: `usageMetadata`, by the API reference of Gemini and of Vertex AI."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..._adapter.billing import NO_MORE, Billing
from ..._adapter.fields import Field, count, field, items, member, string
from ..._conventions import names

_PROMPT, _CACHE = ("promptTokensDetails", "toolUsePromptTokensDetails"), ("cacheTokensDetails",)
_CANDIDATES = ("candidatesTokensDetails",)


def input_tokens(usage: Any) -> int | None:
    """Return the count of all input tokens. What the provider's own tools put into the prompt is counted separately."""
    prompt, tools = count(member(usage, "promptTokenCount")), count(member(usage, "toolUsePromptTokenCount"))
    return None if prompt is None else count(prompt + (tools or 0))


def _output_tokens(usage: Any) -> int | None:
    """Return the count of all output tokens. Thoughts are counted separately, and the provider leaves out a count of zero."""
    candidates, thoughts = count(member(usage, "candidatesTokenCount")), count(member(usage, "thoughtsTokenCount"))
    if candidates is not None or thoughts is not None:
        return count((candidates or 0) + (thoughts or 0))
    given, total = input_tokens(usage), count(member(usage, "totalTokenCount"))
    return 0 if given is not None and total == given else None


def _tokens(lists: tuple[str, ...], modality: str, usage: Any) -> int | None:
    """Return the count of the tokens of one modality; None where the provider names none."""
    details = (one for name in lists for one in items(usage, name) if member(one, "modality") == modality)
    found = [count(member(one, "tokenCount")) or 0 for one in details]
    return count(sum(found)) if found else None


def billing(response: Any) -> Billing:
    """Return what the price depends on besides: in place of a service tier, Vertex AI names the type of the traffic."""
    traffic = string(member(member(response, "usageMetadata"), "trafficType")) or ""
    tier = traffic.removeprefix("ON_DEMAND").strip("_").lower()
    return NO_MORE if not tier or traffic == "TRAFFIC_TYPE_UNSPECIFIED" else Billing(terms={"service_tier": tier})


def _of(attribute: str, lists: tuple[str, ...], modality: str) -> Field:
    return field(attribute, partial(_tokens, lists, modality), "usageMetadata")


INPUT = field(names.USAGE_INPUT_TOKENS, input_tokens, "usageMetadata")
USAGE = (
    INPUT,
    field(names.USAGE_OUTPUT_TOKENS, _output_tokens, "usageMetadata"),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usageMetadata.cachedContentTokenCount"),
    field(names.USAGE_REASONING_OUTPUT_TOKENS, count, "usageMetadata.thoughtsTokenCount"),
    _of(names.USAGE_TEXT_INPUT_TOKENS, _PROMPT, "TEXT"),
    _of(names.USAGE_IMAGE_INPUT_TOKENS, _PROMPT, "IMAGE"),
    _of(names.USAGE_AUDIO_INPUT_TOKENS, _PROMPT, "AUDIO"),
    _of(names.USAGE_TEXT_OUTPUT_TOKENS, _CANDIDATES, "TEXT"),
    _of(names.USAGE_IMAGE_OUTPUT_TOKENS, _CANDIDATES, "IMAGE"),
    _of(names.USAGE_AUDIO_OUTPUT_TOKENS, _CANDIDATES, "AUDIO"),
    _of(names.USAGE_TEXT_CACHE_READ_INPUT_TOKENS, _CACHE, "TEXT"),
    _of(names.USAGE_IMAGE_CACHE_READ_INPUT_TOKENS, _CACHE, "IMAGE"),
    _of(names.USAGE_AUDIO_CACHE_READ_INPUT_TOKENS, _CACHE, "AUDIO"),
)
