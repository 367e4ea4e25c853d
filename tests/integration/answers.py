"""An answer as the application has it, and the telemetry that is the truth about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exchanges import ARGUMENTS, Exchange
from served import Served, Tokens

# Members of the usage of OpenAI's API, of either endpoint, and of Anthropic's -> attributes.
_DETAILS = {
    "cached_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_write_tokens": ("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
    "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens",),
    "text_tokens": ("gen_ai.usage.text.output_tokens",),
    "cache_read_input_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_creation_input_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
}
_OPERATIONS = {"completions": "text_completion", "embeddings": "embeddings"}
_API_TYPES = {"chat": "chat_completions", "responses": "responses"}
# Anthropic's words in the conventions'.
_REASONS = {"end_turn": "stop", "tool_use": "tool_call"}


def merged(exchange: Exchange, given: Any) -> dict[str, Any]:
    """The answer, or the list of a stream's chunks, as one dict.

    Its `model`, `id`, `system_fingerprint`, `status`, `usage`, `timings`; `reasons`, how it ended; and `early`, whether the
    first two chunks name the model.
    """
    parts = [part.model_dump() for part in (given if exchange.streamed else [given])]
    # Events of the other two APIs have the answer within them; Anthropic's end has usage beside it.
    heads = [part.get("response") or part.get("message") or part for part in parts]
    found: dict[str, Any] = {}
    for name in ("id", "model", "system_fingerprint", "service_tier", "status", "timings"):
        values = [head[name] for head in heads if head.get(name) is not None]
        found[name] = values[-1] if values else None
    found["early"] = any(head.get("model") for head in heads[:2])
    found["usage"] = {}
    for source in (*heads, *parts):
        held = source.get("usage") or {}
        found["usage"].update({name: value for name, value in held.items() if value is not None})
    found["reasons"] = [reason for part in (*heads, *parts) for reason in _ended(part)][-1:]
    return found


def _ended(part: Mapping[str, Any]) -> list[str]:
    places = [place for place in part.get("choices") or [part, part.get("delta")] if isinstance(place, dict)]
    reasons = [place.get("finish_reason") or place.get("stop_reason") for place in places]
    return [reason for reason in reasons if isinstance(reason, str)]


def attributes(served: Served, exchange: Exchange, answer: Mapping[str, Any], tokens: Tokens) -> dict[str, Any]:
    """The span's attributes without content, after a call that went well."""
    known = {
        "gen_ai.operation.name": operation(exchange),
        "gen_ai.provider.name": served.name,
        "gen_ai.request.model": served.model,
        **exchange.attributes,
        "gen_ai.response.model": served.answers_as,
        "gen_ai.usage.input_tokens": tokens.input,
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": "<port>",
        **_details(answer["usage"]),
    }
    if exchange.api != "embeddings":
        known |= {"gen_ai.response.id": answer["id"], "gen_ai.usage.output_tokens": tokens.output}
        known["gen_ai.response.finish_reasons"] = reasons(exchange, answer)
    if exchange.api in _API_TYPES:
        known["openai.api.type"] = _API_TYPES[exchange.api]
    if exchange.api == "messages":
        known["anthropic.message.stop_reason"] = answer["reasons"][0]
    if served.names_requests:
        known["openai.request.id"] = answer["id"].removeprefix("resp_")
    if exchange.streamed:
        known |= {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": "<seconds>"}
    for name, attribute in (
        ("system_fingerprint", "openai.response.system_fingerprint"),
        ("service_tier", "openai.response.service_tier"),
        ("status", "gen_ai.response.status"),
    ):
        if answer[name]:
            known[attribute] = answer[name]
    return known


def operation(exchange: Exchange) -> str:
    """What the conventions call it."""
    return _OPERATIONS.get(exchange.api, "chat")


def reasons(exchange: Exchange, answer: Mapping[str, Any]) -> list[str]:
    """The finish reasons; those of a response follow from its status."""
    return ["stop"] if exchange.api == "responses" else [_REASONS.get(word, word) for word in answer["reasons"]]


def _details(usage: Mapping[str, Any]) -> dict[str, int]:
    places = (usage, *(value for value in usage.values() if isinstance(value, dict)))
    return {
        attribute: place[name]
        for place in places
        for name, names in _DETAILS.items()
        for attribute in names
        if place.get(name) is not None
    }


def cached(exchange: Exchange, answer: Mapping[str, Any]) -> int | None:
    """How many tokens of the prompt the server says it had in its cache."""
    return _details(answer["usage"]).get("gen_ai.usage.cache_read.input_tokens")


def metrics(exchange: Exchange, answer: Mapping[str, Any], tokens: Tokens, chunks: int) -> dict[str, Any]:
    """Every metric, as `cassettes.recorded_once` has them."""
    used = {"gen_ai.token.type=input": tokens.input}
    if exchange.api != "embeddings":
        used["gen_ai.token.type=output"] = tokens.output
    known: dict[str, Any] = {
        "gen_ai.client.operation.duration": {"": "1 x"},
        "gen_ai.client.token.usage": used,
    }
    if exchange.streamed:
        known["gen_ai.client.operation.time_to_first_chunk"] = {"": "1 x"}
        # Recorded as the chunks come, so without a model that is named by a later one.
        point = "" if answer["early"] else "without gen_ai.response.model"
        known["gen_ai.client.operation.time_per_output_chunk"] = {point: f"{chunks - 1} x"}
    if answer["timings"]:
        known["gen_ai.server.time_to_first_token"] = {"": "1 x"}
        known["gen_ai.server.time_per_output_token"] = {"": "1 x"}
    return known


def parts(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The parts of the one message that was captured, without ids, and without the empty texts that LiteLLM adds."""
    (message,) = messages
    captured = [{name: value for name, value in part.items() if name != "id"} for part in message["parts"]]
    return [part for part in captured if part != {"type": "text", "content": ""}]


def expected_parts(exchange: Exchange) -> list[Any]:
    """The same of what the tiny model always says."""
    if exchange.text is not None:
        return [{"type": "text", "content": exchange.text}]
    return [{"type": "tool_call", "name": "get_weather", "arguments": ARGUMENTS}]


def unvarying(exchange: Exchange, given: Any) -> Any:
    """A result without what differs from call to call: ids, times, caches, and where a stream is cut into pieces."""
    if not exchange.streamed:
        return _same_each_time(given.model_dump())
    chunks = [chunk.model_dump() for chunk in given]
    kinds = {type(chunk).__name__ for chunk in given}
    return kinds, _joined(chunks), _same_each_time(chunks[0]), _same_each_time(chunks[-1])


def _same_each_time(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _same_each_time(held) for name, held in value.items() if name not in _VARIES}
    return [_same_each_time(held) for held in value] if isinstance(value, list) else value


def _joined(value: Any) -> str:
    """All texts, in order."""
    if isinstance(value, list):
        return "".join(map(_joined, value))
    texts = (held if isinstance(held, str) and name in _TEXTS else _joined(held) for name, held in _members(value))
    return "".join(texts)


def _members(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


_TEXTS = ("arguments", "content", "delta", "name", "partial_json", "text")
_VARIES = {
    "id",
    "item_id",
    "call_id",
    "created",
    "created_at",
    "completed_at",
    "timings",
    "cached_tokens",
    "cache_read_input_tokens",
    "input_tokens",
    "prompt_tokens_details",
    "input_tokens_details",
    "obfuscation",
}
