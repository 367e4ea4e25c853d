"""What the conventions name of a span, by the names of both generations, and by some that other instrumentations use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..._conventions import names
from .records import Span, number, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 300
_PROVIDER: Final = (names.PROVIDER_NAME, "gen_ai.system")
_INPUT: Final = (names.USAGE_INPUT_TOKENS, "gen_ai.usage.prompt_tokens")
_OUTPUT: Final = (names.USAGE_OUTPUT_TOKENS, "gen_ai.usage.completion_tokens")
_CACHED: Final = (names.USAGE_CACHE_READ_INPUT_TOKENS,)
_WRITTEN: Final = (names.USAGE_CACHE_WRITE_INPUT_TOKENS, names.USAGE_CACHE_CREATION_INPUT_TOKENS)
_SUBJECTS: Final = (names.REQUEST_MODEL, names.RESPONSE_MODEL)


class Summary(NamedTuple):
    """A span in short; what it does not have is empty or None. `first_chunk` is in seconds, `cost` in USD."""

    operation: str
    provider: str
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    written_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    first_chunk: float | None
    finish_reasons: str
    error: str
    conversation: str

    @property
    def is_genai(self) -> bool:
        """Whether the span is one of an operation with a model, an agent or a tool."""
        return bool(self.operation or self.provider)


def summary(span: Span) -> Summary:
    """Return a span in short."""
    attributes = span.attributes
    first_chunk = number(attributes, names.RESPONSE_TIME_TO_FIRST_CHUNK)
    cost = number(attributes, names.USAGE_COST)
    return Summary(
        operation=_text(attributes, names.OPERATION_NAME),
        provider=_text(attributes, *_PROVIDER),
        model=_text(attributes, *_SUBJECTS),
        input_tokens=_count(attributes, *_INPUT),
        output_tokens=_count(attributes, *_OUTPUT),
        cached_tokens=_count(attributes, *_CACHED),
        written_tokens=_count(attributes, *_WRITTEN),
        reasoning_tokens=_count(attributes, names.USAGE_REASONING_OUTPUT_TOKENS),
        cost=None if cost is None else float(cost),
        first_chunk=None if first_chunk is None else float(first_chunk),
        finish_reasons=_joined(attributes.get(names.RESPONSE_FINISH_REASONS)),
        error=_error(span),
        conversation=_text(attributes, names.CONVERSATION_ID),
    )


def _text(attributes: Mapping[str, Any], *keys: str) -> str:
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            return value[:_LONGEST]
    return ""


def _count(attributes: Mapping[str, Any], *keys: str) -> int | None:
    """Return a count; one that is out of all proportion, which could not be added up, is none."""
    value = number(attributes, *keys)
    return int(value) if value is not None and 0 <= value < 2**40 else None


def _joined(reasons: Any) -> str:
    return ", ".join(map(text_of, reasons))[:_LONGEST] if isinstance(reasons, list) else ""


def _error(span: Span) -> str:
    if not span.failed:
        return ""
    return _text(span.attributes, names.ERROR_TYPE) or span.status[:_LONGEST] or "error"
