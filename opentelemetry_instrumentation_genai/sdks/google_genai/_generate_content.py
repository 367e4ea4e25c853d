"""Generated content: `models.generateContent` and `models.streamGenerateContent`, by the API reference of Gemini and of Vertex AI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.endpoint import Content, Endpoint
from ..._adapter.failure import Failure, reported
from ..._adapter.fields import MOST, count, field, integer, items, member, members, number, string, strings, table
from ..._conventions import names, operation_kinds
from ._bodies import spelled
from ._chunks import ContentChunks
from ._contents import message, parts_of, tool_definitions
from ._usage import USAGE, billing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FILTERED = "content_filter"
# The provider's finish reasons -> those of the conventions; any other is recorded as it is.
_FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), _FILTERED),
    **dict.fromkeys(("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), _FILTERED),
    **dict.fromkeys(("FINISH_REASON_UNSPECIFIED", "OTHER", "IMAGE_OTHER"), "error"),
}
_MODALITIES = {"IMAGE": "image", "AUDIO": "speech"}


def choice_count(value: object) -> int | None:
    """Return the requested number of candidates, None if it is one."""
    found = integer(value)
    return None if found == 1 else found


def _mime_type(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return "json" if value == "application/json" else "text" if value.startswith("text/") else None


def _modality(value: object) -> str | None:
    """Return what is requested besides text, if anything is; text alone is what there is anyway."""
    found = [_MODALITIES[one] for one in strings(value) or () if one in _MODALITIES]
    return found[0] if found else None


def _level(thinking: object) -> str | None:
    return string(spelled(thinking).get("thinkingLevel"))


def _budget(thinking: object) -> int | None:
    return integer(spelled(thinking).get("thinkingBudget"))


def _reasons(candidates: object) -> list[str] | None:
    given = candidates if isinstance(candidates, list) else ()
    found = [string(member(candidate, "finishReason")) for candidate in given[:MOST]]
    return [reason for reason in found if reason] or None


def _reason(candidate: Any) -> str:
    """Return the finish reason of a candidate. The provider has none of its own for calls of functions."""
    given = string(member(candidate, "finishReason"))
    if given is None:
        return "error"
    parts = items(member(candidate, "content"), "parts")
    called = given == "STOP" and any(member(part, "functionCall") is not None for part in parts)
    return "tool_call" if called else _FINISH.get(given, given)


def finish_reasons(response: Any, _streamed: bool = False) -> list[str]:
    """Return the reason of each candidate; that of a prompt that was blocked, which has no candidates."""
    candidates = items(response, "candidates")
    if candidates:
        return [_reason(candidate) for candidate in candidates[:MOST]]
    return [_FILTERED] if member(member(response, "promptFeedback"), "blockReason") is not None else []


def failure(response: Any) -> Failure | None:
    """Return the failure that a body reports, by Google's model of errors: its status is the code in words."""
    error = members(response).get("error")
    if not isinstance(error, dict):
        return None
    status = string(error.get("status"))
    return reported(status or error.get("code"), error.get("message"))


def _input(body: Mapping[str, Any]) -> Content:
    content: Content = {}
    contents, system = items(body, "contents"), parts_of(body.get("systemInstruction"))
    tools = items(body, "tools")
    if contents:
        content[names.INPUT_MESSAGES] = [message(one) for one in contents]
    if system:
        content[names.SYSTEM_INSTRUCTIONS] = system
    if tools:
        content[names.TOOL_DEFINITIONS] = tool_definitions(tools)
    return content


def _output(response: Any, reasons: Sequence[str]) -> Content:
    candidates = [*items(response, "candidates"), *([None] * len(reasons))]
    messages = [
        {"role": "assistant", "parts": parts_of(member(candidate, "content")), "finish_reason": reason}
        for candidate, reason in zip(candidates, reasons, strict=False)
    ]
    return {names.OUTPUT_MESSAGES: messages} if messages else {}


GENERATE_CONTENT = Endpoint(
    kind=operation_kinds.GENERATE_CONTENT,
    methods=("models:Models.generate_content", "models:AsyncModels.generate_content"),
    messages="contents",
    request=table(
        field(names.REQUEST_TEMPERATURE, number, "generationConfig.temperature"),
        field(names.REQUEST_TOP_P, number, "generationConfig.topP"),
        field(names.REQUEST_TOP_K, integer, "generationConfig.topK"),
        field(names.REQUEST_CHOICE_COUNT, choice_count, "generationConfig.candidateCount"),
        field(names.REQUEST_MAX_TOKENS, count, "generationConfig.maxOutputTokens"),
        field(names.REQUEST_STOP_SEQUENCES, strings, "generationConfig.stopSequences"),
        field(names.REQUEST_PRESENCE_PENALTY, number, "generationConfig.presencePenalty"),
        field(names.REQUEST_FREQUENCY_PENALTY, number, "generationConfig.frequencyPenalty"),
        field(names.REQUEST_SEED, integer, "generationConfig.seed"),
        field(names.OUTPUT_TYPE, _mime_type, "generationConfig.responseMimeType"),
        field(names.OUTPUT_TYPE, _modality, "generationConfig.responseModalities"),
        field(names.REQUEST_REASONING_LEVEL, _level, "generationConfig.thinkingConfig"),
        field(names.GOOGLE_GENAI_THINKING_BUDGET, _budget, "generationConfig.thinkingConfig"),
    ),
    response=table(
        field(names.RESPONSE_ID, string, "responseId"),
        field(names.RESPONSE_MODEL, string, "modelVersion"),
        field(names.GOOGLE_GENAI_FINISH_REASONS, _reasons, "candidates"),
        field(names.GOOGLE_GENAI_BLOCK_REASON, string, "promptFeedback.blockReason"),
        *USAGE,
    ),
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=failure,
    billing=billing,
    accumulator=ContentChunks,
)
