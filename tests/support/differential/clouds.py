"""The endpoints of the SDKs of Google and of AWS."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from bedrock_calls import CLAUDE, COHERE_ANSWER, EVERYTHING, EXCHANGES, HI, TOOLS, Exchange
from differential.endpoints import Endpoint
from differential.recipes import Made
from loopback import Json, anthropic_bodies, google_bodies
from loopback.bedrock_bodies import METRICS, chunk, converse, event, usage

_CONTENTS = [
    {"role": "user", "parts": [{"text": "Hi"}, {"inline_data": {"mime_type": "image/png", "data": b"\x01\x02\x03"}}]},
    {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"a": None}}}]},
    {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"b": 1}}}]},
]
_TOOL = {"function_declarations": [{"name": "f", "description": "d", "parameters": {"type": "OBJECT"}}]}
_CONFIG = {"temperature": 0.5, "stop_sequences": ["x"], "system_instruction": "Be brief.", "tools": [_TOOL]}
_ANSWER = google_bodies.response(
    google_bodies.candidate(
        {"text": "Let me see.", "thought": True}, {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}}
    ),
    google_bodies.candidate({"text": "Hello"}, reason="MAX_TOKENS", index=1),
)
_google = partial(Endpoint, more=(), last=b"", streaming={})
GOOGLE = [
    _google(
        "google chat",
        "google.genai",
        "models.generate_content",
        {"model": google_bodies.MODEL, "contents": _CONTENTS, "config": _CONFIG},
        _ANSWER,
        google_bodies.chunks(),
        stream_method="models.generate_content_stream",
    ),
    _google(
        "google embeddings",
        "google.genai",
        "models.embed_content",
        {"model": "m", "contents": ["one", "two"], "config": {"output_dimensionality": 2}},
        {"embeddings": [{"values": [0.5, 0.25]}, {"values": [1, 2]}], "metadata": {"billableCharacterCount": 6}},
    ),
    _google(
        "google images",
        "google.genai",
        "models.generate_images",
        {"model": "imagen-4", "prompt": "A cup.", "config": {"number_of_images": 1}},
        {"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": "AQID"}]},
    ),
    _google(
        "google tokens",
        "google.genai",
        "models.count_tokens",
        {"model": "m", "contents": "Hi"},
        {"totalTokens": 8, "cachedContentTokenCount": 0},
    ),
]


def _event(changed: Any) -> bytes:
    """Return a frame of a stream of Converse, which need not be one any more."""
    kind = changed.get("kind") if isinstance(changed, dict) else None
    return event(
        kind if isinstance(kind, str) and kind.isascii() else "odd", changed.get("content") if kind else changed
    )


def _converse_events() -> list[dict[str, Any]]:
    kinds: list[tuple[str, Any]] = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"delta": {"reasoningContent": {"text": "Hm"}}, "contentBlockIndex": 0}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("contentBlockDelta", {"delta": {"text": "Hel"}, "contentBlockIndex": 1}),
        ("contentBlockDelta", {"delta": {"text": "lo"}, "contentBlockIndex": 1}),
        ("contentBlockStop", {"contentBlockIndex": 1}),
        ("contentBlockStart", {"start": {"toolUse": {"toolUseId": "t", "name": "f"}}, "contentBlockIndex": 2}),
        ("contentBlockDelta", {"delta": {"toolUse": {"input": '{"a": null}'}}, "contentBlockIndex": 2}),
        ("contentBlockStop", {"contentBlockIndex": 2}),
        ("messageStop", {"stopReason": "tool_use"}),
        ("metadata", {"usage": usage(11, 7, read=100), "metrics": {"latencyMs": 800}}),
    ]
    return [{"kind": kind, "content": content} for kind, content in kinds]


_aws = partial(
    Endpoint,
    more=(),
    last=b"",
    media="application/vnd.amazon.eventstream",
    streaming={},
)


def _invoked(name: str, exchange: Exchange) -> Endpoint:
    """Return the endpoint of a model with a body of its own."""
    assert isinstance(exchange.reply, Json)
    arguments = {**exchange.arguments, "body": Made("json", exchange.body)}
    return _aws(f"bedrock {name}", "botocore", exchange.method, arguments, exchange.reply.body)


def _streamed(name: str, *chunks: Any) -> Endpoint:
    """Return that with the chunks of its stream."""
    *first, last = chunks
    counted = {**last, METRICS: {"inputTokenCount": 11, "outputTokenCount": 7, "invocationLatency": 900}}
    return replace(
        _invoked(name, EXCHANGES[name]),
        chunks=[*first, counted],
        framed=chunk,
        stream_method="invoke_model_with_response_stream",
    )


BEDROCK = [
    _aws(
        "bedrock converse",
        "botocore",
        "converse",
        {"modelId": CLAUDE, "messages": [*HI, *EVERYTHING], "toolConfig": TOOLS, "system": [{"text": "Be kind."}]},
        converse({"reasoningContent": {"reasoningText": {"text": "Hm"}}}, {"text": "Hello"}),
        _converse_events(),
        framed=_event,
        stream_method="converse_stream",
    ),
    _streamed("anthropic", *anthropic_bodies.text_events("Hel", "lo")),
    _streamed(
        "nova",
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "Hel"}, "contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": usage()}},
    ),
    _streamed(
        "cohere",
        {"event_type": "text-generation", "text": "Yes", "is_finished": False},
        {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": COHERE_ANSWER, "is_finished": True},
    ),
    _streamed(
        "llama",
        {"generation": "Hel", "prompt_token_count": 11, "generation_token_count": 1, "stop_reason": None},
        {"generation": "lo", "prompt_token_count": None, "generation_token_count": 7, "stop_reason": "stop"},
    ),
    *(
        _invoked(name, exchange)
        for name, exchange in EXCHANGES.items()
        if exchange.method == "invoke_model" and name not in ("anthropic", "nova", "cohere", "llama")
    ),
]
