"""Common to several endpoints of the API: sampling parameters, usage, service tier, tool definitions, parts of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names
from ..billing import NO_MORE, Billing
from ..failure import Failure, reported, reported_error
from ..fields import count, field, integer, items, member, members, number, string, strings
from ..parts import Part, attached, first_text, generic, modality_of, named, plain, reasoning, text

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLING = (
    field(names.REQUEST_TEMPERATURE, number, "temperature"),
    field(names.REQUEST_TOP_P, number, "top_p"),
    field(names.REQUEST_TOP_K, integer, "top_k"),
    field(names.REQUEST_FREQUENCY_PENALTY, number, "frequency_penalty"),
    field(names.REQUEST_PRESENCE_PENALTY, number, "presence_penalty"),
    field(names.REQUEST_SEED, integer, "seed"),
    field(names.REQUEST_STOP_SEQUENCES, strings, "stop"),
    field(names.REQUEST_MAX_TOKENS, integer, "max_tokens"),
)


def _tier(value: object) -> str | None:
    return None if value == "auto" else string(value)


def choice_count(value: object) -> int | None:
    """Return the requested number of choices, None if it is one."""
    count = integer(value)
    return None if count == 1 else count


def output_type(value: Any) -> str | None:
    """Return the `gen_ai.output.type` of a response format."""
    kind = string(value)
    return "json" if kind in ("json_object", "json_schema") else "text" if kind == "text" else None


REQUEST_TIER = field(names.OPENAI_REQUEST_SERVICE_TIER, _tier, "service_tier")
RESPONSE = (
    field(names.RESPONSE_ID, string, "id"),
    field(names.RESPONSE_MODEL, string, "model"),
    field(names.OPENAI_RESPONSE_SERVICE_TIER, string, "service_tier"),
    field(names.OPENAI_RESPONSE_SYSTEM_FINGERPRINT, string, "system_fingerprint"),
)
# The tiers of OpenAI's API reference, and those of Groq and other providers.
MEASURED_VALUES = {
    names.OPENAI_RESPONSE_SERVICE_TIER: frozenset(
        {"auto", "batch", "default", "fast", "flex", "on_demand", "performance", "priority", "scale", "standard"}
        | {"ultrafast"}
    )
}
# CompletionUsage of the API reference. The cache counts of DeepSeek and Moonshot are used where the details have none.
USAGE = (
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.prompt_cache_hit_tokens"),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.cached_tokens"),
    field(names.USAGE_INPUT_TOKENS, count, "usage.prompt_tokens"),
    field(names.USAGE_OUTPUT_TOKENS, count, "usage.completion_tokens"),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.prompt_tokens_details.cached_tokens"),
    field(names.USAGE_CACHE_WRITE_INPUT_TOKENS, count, "usage.prompt_tokens_details.cache_write_tokens"),
    field(names.USAGE_CACHE_CREATION_INPUT_TOKENS, count, "usage.prompt_tokens_details.cache_write_tokens"),
    field(names.USAGE_TEXT_INPUT_TOKENS, count, "usage.prompt_tokens_details.text_tokens"),
    field(names.USAGE_IMAGE_INPUT_TOKENS, count, "usage.prompt_tokens_details.image_tokens"),
    field(names.USAGE_AUDIO_INPUT_TOKENS, count, "usage.prompt_tokens_details.audio_tokens"),
    field(names.USAGE_REASONING_OUTPUT_TOKENS, count, "usage.completion_tokens_details.reasoning_tokens"),
    field(names.USAGE_TEXT_OUTPUT_TOKENS, count, "usage.completion_tokens_details.text_tokens"),
    field(names.USAGE_IMAGE_OUTPUT_TOKENS, count, "usage.completion_tokens_details.image_tokens"),
    field(names.USAGE_AUDIO_OUTPUT_TOKENS, count, "usage.completion_tokens_details.audio_tokens"),
)


def billing(response: Any) -> Billing:
    """Return what the price depends on besides: some providers count reasoning in the total only."""
    total = count(member(member(response, "usage"), "total_tokens"))
    return NO_MORE if total is None else Billing(amounts={"total_tokens": total})


def failure(response: Any) -> Failure | None:
    """Return the failure that a response reports and the SDK does not raise, None if it reports none.

    Gateways respond 200 with an `error` in the body or in a choice, MiniMax with a status in `base_resp`. The SDK does not parse
    the error event of a stream that is read as bytes.
    """
    held = members(response)
    error, status = held.get("error") or held.get("stream_error"), held.get("base_resp")
    failed = reported_error(error) if error else None
    if failed is None and status is not None:
        failed = _refused(status)
    if failed is not None:
        return failed
    choices = held.get("choices")
    for choice in choices if isinstance(choices, (list, tuple)) else ():
        error = members(choice).get("error")
        if error:
            return reported_error(error)
    return None


def _refused(status: object) -> Failure | None:
    """Return the failure of a `base_resp`; by MiniMax's API reference, zero is success."""
    code = member(status, "status_code")
    return reported(code, member(status, "status_msg")) if code else None


def tool_definition(tool: Any, levels: int = 3) -> dict[str, Any]:
    """Return a tool by the conventions' schema: functions and custom tools of either API, and the provider's tools by type.

    Credentials are left out: an MCP server's `authorization` and `headers`, a container's secrets.

    Args:
        tool: the tool.
        levels: how deep tools may be nested, as in a namespace; deeper ones are left out.
    """
    kind = string(member(tool, "type")) or "function"
    body = member(tool, kind)
    source = tool if body is None else body
    name = member(source, "name") or member(tool, "server_label") or kind
    definition = generic(source, kind)
    for credential in ("authorization", "headers"):
        definition.pop(credential, None)
    for place in ("container", "environment"):
        policy = member(member(definition, place), "network_policy")
        if isinstance(policy, dict):
            policy.pop("domain_secrets", None)
    if isinstance(member(source, "tools"), (list, tuple)):
        definition["tools"] = (
            [tool_definition(entry, levels - 1) for entry in items(source, "tools")] if levels > 0 else []
        )
    return {**definition, "name": named(name)}


def role_of(message: Any, default: str) -> str:
    """Return the role of a message as the caller gave it."""
    return named(member(message, "role"), default)


def parts_of(content: Any) -> list[Part]:
    """Convert the content of a message, a text or a list of the API's content parts, to parts."""
    if isinstance(content, str):
        return [text(content)]
    return [part_of(part) for part in content] if isinstance(content, (list, tuple)) else []


def part_of(part: Any) -> Part:
    """Convert one content part of either API; one of an unknown type becomes a generic part."""
    reader = _PARTS.get(string(member(part, "type")) or "", generic)
    return reader(part)


def _text(part: Any) -> Part:
    content = member(part, "text")
    annotations = items(part, "annotations")
    if not isinstance(content, str):
        return generic(part)
    return text(content, annotations=[generic(entry) for entry in annotations]) if annotations else text(content)


def _image(part: Any) -> Part:
    image = member(part, "image_url")
    url = image if isinstance(image, str) else member(image, "url")
    return attached("image", url=url, file_id=member(part, "file_id"))


def _audio(part: Any) -> Part:
    audio = member(part, "input_audio") or part
    kind = string(member(audio, "format"))
    return attached("audio", data=member(audio, "data"), mime_type=f"audio/{kind}" if kind else None)


def _file(part: Any) -> Part:
    file = member(part, "file") or part
    data, url = member(file, "file_data"), member(file, "file_url")
    mime_type = None
    if isinstance(data, str) and data.startswith("data:"):
        mime_type = data[5:].partition(";")[0]
        url, data = data, None
    return attached(modality_of(mime_type), url=url, data=data, file_id=member(file, "file_id"))


def _thinking(part: Any) -> Part:
    """Convert reasoning: one text, or a list of texts, which Mistral names `thinking`, and Databricks `summary`."""
    entries = [part, *(entry for name in ("thinking", "summary") for entry in items(part, name))]
    return reasoning("".join(first_text(entry, "thinking", "text") or "" for entry in entries))


_PARTS: dict[str, Callable[[Any], Part]] = {
    "text": _text,
    "thinking": _thinking,
    "reasoning": _thinking,
    "input_text": _text,
    "output_text": _text,
    "image_url": _image,
    "input_image": _image,
    "input_audio": _audio,
    "file": _file,
    "input_file": _file,
    "refusal": lambda part: {"type": "refusal", "content": plain(member(part, "refusal")) or ""},
}
