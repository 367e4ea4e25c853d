"""Messages, beta and legacy completions too: everything that can be asked for at once, as little as possible, each way in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import anthropic
from anthropic import _base_client
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import BaseModel

from contract.expected import INPUT, OUTPUT, SYSTEM, TOOLS
from contract.row import Row, given
from loopback import Json, Sse
from loopback.anthropic_bodies import (
    MESSAGES,
    MODEL,
    PING,
    SERVED,
    block_events,
    ended,
    events,
    message,
    started,
    text,
    text_events,
)

# The HTTP library, which is another in another generation of the SDK.
HTTP: Any = vars(_base_client).get("httpx2") or vars(_base_client)["httpx"]
HEADERS = {"request-id": "req_1", "anthropic-organization-id": "org_1", "anthropic-workspace-id": "wrkspc_1"}
TEXT_HELPER, OTHER_HELPER = "message helper", "helper"
_PIXEL = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AQID"}}
_PIXEL_PART = {
    "type": "blob",
    "modality": "image",
    "mime_type": "image/png",
    "byte_size": 3,
    "sha256": "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
    "content": "",
}
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


class Answer(BaseModel):
    """What a structured output is parsed to."""

    word: str


def _sse(events: list[dict[str, Any]], **settings: Any) -> Sse:
    return Sse(events, event_names=True, headers=HEADERS, **settings)


def _user(content: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": content}]}


def _assistant(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {"role": "assistant", "parts": list(parts), "finish_reason": reason}


def _answer(content: str) -> dict[str, Any]:
    return {OUTPUT: [_assistant({"type": "text", "content": content})]}


_BASE = {"gen_ai.operation.name": "chat", "gen_ai.request.model": MODEL, "gen_ai.request.max_tokens": 64}
_HEAD = {"gen_ai.response.id": "msg_1", "gen_ai.response.model": SERVED}
_STOPPED = {**_HEAD, "gen_ai.response.finish_reasons": ["stop"], "anthropic.message.stop_reason": "end_turn"}
_USED = {"gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 3}
_ASKED, _ANSWERED = {INPUT: [_user("Hi")]}, _answer("Hello")

_DETAILED = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 4,
    "cache_read_input_tokens": 16,
    "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 1},
    "output_tokens": 12,
    "output_tokens_details": {"thinking_tokens": 4},
    "service_tier": "standard",
}
_DETAILED_USED = {
    "gen_ai.usage.input_tokens": 30,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 16,
    "gen_ai.usage.cache_write.input_tokens": 4,
    "gen_ai.usage.cache_creation.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 4,
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 3,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 1,
    "anthropic.response.service_tier": "standard",
}
_THOUGHT = {"type": "thinking", "thinking": "Look it up.", "signature": "c2ln"}
_CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
_CALL_PIECES = [("input", ""), ("input", '{"city": '), ("input", '"Oslo"}')]
_CALL_PART = {"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": {"city": "Oslo"}}
_CALLED = {**_HEAD, "gen_ai.response.finish_reasons": ["tool_call"], "anthropic.message.stop_reason": "tool_use"}
_CACHED = {"cache_control": {"type": "ephemeral"}}

_FULL = Row(
    "messages-full",
    "messages.create",
    given(
        model=MODEL,
        max_tokens=2048,
        system=[text("Be brief.", **_CACHED)],
        messages=[
            {"role": "user", "content": [text("What is that?", **_CACHED), _PIXEL]},
            {
                "role": "assistant",
                "content": [
                    _THOUGHT,
                    text("Let me see."),
                    {"type": "tool_use", "id": "toolu_0", "name": "weather", "input": {"city": "Rome"}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0", "content": "22 °C"}]},
        ],
        tools=[{"name": "weather", "description": "Of a city.", "input_schema": _SCHEMA}],
        tool_choice={"type": "auto"},
        stop_sequences=["END"],
        metadata={"user_id": "u-1"},
        # In the body of every version, whatever keywords it has.
        extra_body={
            "temperature": 1,
            "top_k": 5,
            "top_p": 0.5,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "output_config": {"effort": "low"},
            "service_tier": "auto",
        },
    ),
    f"chat {MODEL}",
    {
        **_BASE,
        "gen_ai.request.max_tokens": 2048,
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.top_k": 5,
        "gen_ai.request.top_p": 0.5,
        "anthropic.request.service_tier": "auto",
        "anthropic.thinking.type": "enabled",
        "anthropic.thinking.budget_tokens": 1024,
    },
    plain=Json(message(_THOUGHT, text("Hello"), _CALL, stop_reason="tool_use", usage=_DETAILED), headers=HEADERS),
    response={**_CALLED, **_DETAILED_USED},
    streamed=_sse(
        events(
            started(_DETAILED),
            block_events({"type": "thinking"}, [("thinking", "Look "), ("thinking", "it up."), ("signature", "c2ln")]),
            block_events({"type": "text"}, [("text", "Hel"), ("text", "lo")], 1),
            block_events(_CALL, _CALL_PIECES, 2),
            ended("tool_use", output_tokens=12, output_tokens_details={"thinking_tokens": 4}),
        )
    ),
    stream_response={**_CALLED, **_DETAILED_USED},
    chunks=17,
    content={
        SYSTEM: [{"type": "text", "content": "Be brief."}],
        INPUT: [
            {"role": "user", "parts": [{"type": "text", "content": "What is that?"}, _PIXEL_PART]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Look it up."},
                    {"type": "text", "content": "Let me see."},
                    {"type": "tool_call", "id": "toolu_0", "name": "weather", "arguments": {"city": "Rome"}},
                ],
            },
            {"role": "user", "parts": [{"type": "tool_call_response", "id": "toolu_0", "response": "22 °C"}]},
        ],
        TOOLS: [{"type": "function", "name": "weather", "description": "Of a city.", "parameters": _SCHEMA}],
    },
    output={
        OUTPUT: [
            _assistant(
                {"type": "reasoning", "content": "Look it up."},
                {"type": "text", "content": "Hello"},
                _CALL_PART,
                reason="tool_call",
            )
        ]
    },
)

_SMALL = Row(
    "messages",
    "messages.create",
    given(**MESSAGES),
    f"chat {MODEL}",
    _BASE,
    plain=Json(message(text("Hello")), headers=HEADERS),
    response={**_STOPPED, **_USED},
    streamed=_sse(text_events("Hel", "lo")),
    stream_response={**_STOPPED, **_USED},
    chunks=7,
    content=_ASKED,
    output=_ANSWERED,
)


def _from_a_generator(_client: Any) -> dict[str, Any]:
    def messages() -> Iterator[dict[str, Any]]:
        yield {"role": "user", "content": "Hi"}

    return {**MESSAGES, "messages": messages()}


class _Prompt(list[Any]):
    """A list by another name, as the SDKs of databases and forms have them."""


_GENERATED = replace(_SMALL, id="messages-from-a-generator", arguments=_from_a_generator)
_OTHER_LIST = replace(
    _SMALL,
    id="messages-in-a-list-of-another-class",
    arguments=lambda _client: {**MESSAGES, "messages": _Prompt(MESSAGES["messages"])},
)

# Whatever else the reason is, the provider's word stays beside the conventions'.
_ENDINGS = tuple(
    replace(
        _SMALL,
        id=f"messages-{reason}",
        plain=Json(message(text("Hello"), stop_reason=reason, stop_sequence=sequence), headers=HEADERS),
        response={
            **_STOPPED,
            **_USED,
            "gen_ai.response.finish_reasons": [finish_reason],
            "anthropic.message.stop_reason": reason,
        },
        streamed=None,
        output={OUTPUT: [_assistant({"type": "text", "content": "Hello"}, reason=finish_reason)]},
    )
    for reason, sequence, finish_reason in (
        ("max_tokens", None, "length"),
        ("stop_sequence", "END", "stop"),
        ("refusal", None, "content_filter"),
        ("pause_turn", None, "pause_turn"),
        ("model_context_window_exceeded", None, "length"),
    )
)

_WORD = '{"word":"Hello"}'
_PARSED = Row(
    "messages-parse",
    "messages.parse",
    given(**MESSAGES, output_format=Answer),
    f"chat {MODEL}",
    {**_BASE, "gen_ai.output.type": "json"},
    plain=Json(message(text(_WORD)), headers=HEADERS),
    response={**_STOPPED, **_USED},
    content=_ASKED,
    output=_answer(_WORD),
)
_HELPER = Row(
    "messages-helper",
    "messages.stream",
    given(**MESSAGES),
    f"chat {MODEL}",
    _BASE,
    style=TEXT_HELPER,
    streamed=_sse(text_events("Hel", "lo")),
    stream_arguments={},
    stream_response={**_STOPPED, **_USED},
    chunks=7,
    content=_ASKED,
    stream_output=_ANSWERED,
)
_HELPER_PARSED = replace(
    _HELPER,
    id="messages-helper-parsed",
    arguments=given(**MESSAGES, output_format=Answer),
    request={**_BASE, "gen_ai.output.type": "json"},
    streamed=_sse(text_events('{"word":', '"Hello"}')),
    stream_output=_answer(_WORD),
)
_HELPER_TOOLS = replace(
    _HELPER,
    id="messages-helper-tools",
    style=OTHER_HELPER,
    streamed=_sse(
        events(
            started(),
            block_events({"type": "text"}, [("text", "Hel"), ("text", "lo")]),
            block_events(_CALL, _CALL_PIECES, 1),
            ended("tool_use"),
        )
    ),
    stream_response={**_CALLED, **_USED},
    chunks=12,
    stream_output={OUTPUT: [_assistant({"type": "text", "content": "Hello"}, _CALL_PART, reason="tool_call")]},
)


def _posted(_client: Any) -> dict[str, Any]:
    return {"path": "/v1/messages", "body": dict(MESSAGES), "cast_to": Message}


def _posted_stream(client: Any) -> dict[str, Any]:
    kind: Any = anthropic.Stream if isinstance(client, _base_client.SyncAPIClient) else anthropic.AsyncStream
    kinds = {"cast_to": Message, "stream_cls": kind[RawMessageStreamEvent], "stream": True}
    return {"path": "/v1/messages", "body": {**MESSAGES, "stream": True}, **kinds}


_BY_HAND = replace(_SMALL, id="messages-posted", method="post", arguments=_posted, style="by hand", streamed=None)
_BY_HAND_STREAM = replace(
    _SMALL,
    id="messages-posted-stream",
    method="post",
    arguments=_posted_stream,
    style="by hand",
    plain=None,
    stream_arguments={},
)
_BY_HAND_DICT = replace(
    _BY_HAND, id="messages-posted-for-a-dict", arguments=lambda client: {**_posted(client), "cast_to": object}
)
_BY_HAND_HTTP = replace(
    _BY_HAND,
    id="messages-posted-for-the-http-response",
    arguments=lambda client: {**_posted(client), "cast_to": HTTP.Response},
)
_BY_HAND_RAW = replace(
    _BY_HAND,
    id="messages-posted-raw",
    arguments=lambda client: {**_posted(client), "options": {"headers": {"X-Stainless-Raw-Response": "true"}}},
)

_GREETING = "Grüß dich 🌍"


def _spelled(event: dict[str, Any]) -> bytes:
    """Letters as they are, not as escapes: a piece of the body may end within one."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


_PACKED = replace(
    _SMALL,
    id="messages-gzip",
    plain=Json(message(text(_GREETING)), headers=HEADERS, gzip=True),
    streamed=Sse([*map(_spelled, text_events("Grüß ", "dich 🌍"))], event_names=True, headers=HEADERS, gzip=True),
    output=_answer(_GREETING),
)


def _dialect(event: dict[str, Any]) -> bytes:
    """What servers may send: comments, CR LF, no blank, fields beside the data, data in several lines."""
    data = json.dumps(event, indent=1).replace("\n", "\r\ndata:")
    return f": alive\r\nid: 1\r\nevent:{event['type']}\r\nretry: 5\r\ndata:{data}\r\n\r\n".encode()


_DIALECT = replace(
    _SMALL,
    id="messages-events-of-any-form",
    plain=None,
    streamed=Sse([*map(_dialect, text_events("Hel", "lo"))], event_names=True, headers=HEADERS),
)
# They keep the connection alive. The SDK passes over them, and they are no chunks of the answer, however it is read.
_PINGED = replace(
    _SMALL,
    id="messages-with-pings",
    plain=None,
    streamed=_sse([part for event in text_events("Hel", "lo") for part in (event, PING)]),
)


def _beta(row: Row) -> Row:
    """The same of `beta.messages`, with features that the request asks for."""
    features = ["files-api-2025-04-14", "mcp-client-2025-04-04"]
    return replace(
        row,
        id=f"beta-{row.id}",
        method=f"beta.{row.method}",
        arguments=lambda client: {**row.arguments(client), "betas": [*features]},
        request={**row.request, "anthropic.beta": features},
    )


_BETA_PLAIN = replace(_SMALL, id="beta-messages-of-no-feature", method="beta.messages.create")
# The SDK's helper for it was there for some versions, and names the feature by itself.
_CACHING = replace(
    _SMALL,
    id="beta-prompt-caching",
    method="beta.prompt_caching.messages.create",
    request={**_BASE, "anthropic.beta": ["prompt-caching-2024-07-31"]},
)
_CACHING_HELPER = replace(
    _HELPER, id="beta-prompt-caching-helper", method="beta.prompt_caching.messages.stream", request=_CACHING.request
)

_COMPLETION = {"type": "completion", "id": "compl_1", "model": "claude-2.1"}
_LEGACY_RESPONSE = {
    "gen_ai.response.id": "compl_1",
    "gen_ai.response.model": "claude-2.1",
    "gen_ai.response.finish_reasons": ["stop"],
    "anthropic.message.stop_reason": "stop_sequence",
}
_LEGACY = Row(
    "completions",
    "completions.create",
    given(
        model="claude-legacy",
        prompt="\n\nHuman: Hi\n\nAssistant:",
        max_tokens_to_sample=5,
        temperature=0,
        top_k=5,
        top_p=0.5,
        stop_sequences=["END"],
    ),
    "text_completion claude-legacy",
    {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.request.model": "claude-legacy",
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_k": 5,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.stop_sequences": ["END"],
    },
    plain=Json({**_COMPLETION, "completion": " Hello", "stop_reason": "stop_sequence", "stop": "END"}, headers=HEADERS),
    response=_LEGACY_RESPONSE,
    streamed=_sse(
        [
            {**_COMPLETION, "completion": " Hel", "stop_reason": None, "stop": None},
            {**_COMPLETION, "completion": "lo", "stop_reason": None, "stop": None},
            {**_COMPLETION, "completion": "", "stop_reason": "stop_sequence", "stop": "END"},
        ]
    ),
    stream_response=_LEGACY_RESPONSE,
    chunks=3,
    content={INPUT: [_user("\n\nHuman: Hi\n\nAssistant:")]},
    output=_answer(" Hello"),
)

MESSAGES_ROWS = (
    _FULL,
    _SMALL,
    _GENERATED,
    _OTHER_LIST,
    *_ENDINGS,
    _PARSED,
    _HELPER,
    _HELPER_PARSED,
    _HELPER_TOOLS,
    _BY_HAND,
    _BY_HAND_STREAM,
    _BY_HAND_DICT,
    _BY_HAND_HTTP,
    _BY_HAND_RAW,
    _PACKED,
    _DIALECT,
    _PINGED,
    _beta(_FULL),
    _beta(_SMALL),
    _beta(_PARSED),
    _beta(_HELPER),
    _beta(_HELPER_PARSED),
    _BETA_PLAIN,
    _CACHING,
    _CACHING_HELPER,
    _LEGACY,
)
