"""Chat completions, legacy ones too: everything that can be asked for at once, as little as possible, and each way in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import openai
from openai import _base_client
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel

from contract.expected import INPUT, OUTPUT, TOOLS
from contract.row import Row, given
from loopback import Json, Sse

MODEL, SERVED = "gpt-4o-mini", "gpt-4o-mini-2024-07-18"
# The HTTP library, which is another in another generation of the SDK.
HTTP: Any = vars(_base_client).get("httpx2") or vars(_base_client)["httpx"]
HEADERS = {"x-request-id": "req_1", "openai-processing-ms": "5"}
_PIXEL = "data:image/png;base64,AQID"
_PIXEL_PART = {
    "type": "blob",
    "modality": "image",
    "mime_type": "image/png",
    "byte_size": 3,
    "sha256": "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
    "content": "",
}
_WEATHER = {
    "name": "weather",
    "description": "Of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Answer(BaseModel):
    """What a structured output is parsed to."""

    word: str


def completion(*choices: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A chat completion as the server sends it."""
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": SERVED}
    return {**head, "choices": list(choices), **members}


def chunk(*choices: dict[str, Any], **members: Any) -> dict[str, Any]:
    """One chunk of a streamed chat completion."""
    return {**completion(*choices), "object": "chat.completion.chunk", **members}


def _choice(content: str, index: int = 0, reason: str | None = "stop", **message: Any) -> dict[str, Any]:
    members = {"role": "assistant", "content": content, "refusal": None, **message}
    return {"index": index, "finish_reason": reason, "logprobs": None, "message": members}


def _delta(index: int = 0, reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"index": index, "finish_reason": reason, "logprobs": None, "delta": delta}


def _spelled(event: dict[str, Any]) -> str:
    """Letters as they are, not as escapes: a piece of the body may end within one."""
    return json.dumps(event, ensure_ascii=False)


def _called(**function: str) -> dict[str, Any]:
    return {"index": 0, "function": function}


_BASE = {"gen_ai.operation.name": "chat", "openai.api.type": "chat_completions", "gen_ai.request.model": MODEL}
_HEAD = {"gen_ai.response.id": "chatcmpl-1", "gen_ai.response.model": SERVED}
_STOPPED = {**_HEAD, "gen_ai.response.finish_reasons": ["stop"]}
_USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
_USED = {"gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 2}
_DETAILED = {
    "prompt_tokens": 30,
    "completion_tokens": 12,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
}
_DETAILED_USED = {
    "gen_ai.usage.input_tokens": 30,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 16,
    "gen_ai.usage.audio.input_tokens": 0,
    "gen_ai.usage.reasoning.output_tokens": 4,
    "gen_ai.usage.audio.output_tokens": 0,
}
_MARKS = {"service_tier": "flex", "system_fingerprint": "fp_1"}
_MARKED = {"openai.response.service_tier": "flex", "openai.response.system_fingerprint": "fp_1"}


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": text}]}


def _assistant(text: str, reason: str = "stop") -> dict[str, Any]:
    return {"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": reason}


_HI = {"role": "user", "content": "Hi"}
_ASKED, _ANSWERED = {INPUT: [_user("Hi")]}, {OUTPUT: [_assistant("Hello")]}

_FULL = Row(
    "chat-full",
    "chat.completions.create",
    given(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "name": "ada",
                "content": [
                    {"type": "text", "text": "What is that?"},
                    {"type": "image_url", "image_url": {"url": _PIXEL}},
                ],
            },
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": "call_0",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_0", "content": "22 °C"},
        ],
        tools=[{"type": "function", "function": _WEATHER}],
        temperature=0.2,
        top_p=1,
        max_tokens=64,
        n=2,
        seed=0,
        stop="END",
        frequency_penalty=-0.5,
        presence_penalty=0,
        response_format={"type": "json_object"},
        logprobs=True,
        top_logprobs=3,
        user="u-1",
        # In the body of every version, whatever keywords it has.
        extra_body={"service_tier": "flex", "reasoning_effort": "low"},
    ),
    f"chat {MODEL}",
    {
        **_BASE,
        "gen_ai.output.type": "json",
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.frequency_penalty": -0.5,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.presence_penalty": 0.0,
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.seed": 0,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 1.0,
        "openai.request.service_tier": "flex",
    },
    plain=Json(
        completion(
            _choice(
                "",
                1,
                "tool_calls",
                tool_calls=[
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                    }
                ],
            ),
            _choice("Hello"),
            usage=_DETAILED,
            **_MARKS,
        ),
        headers=HEADERS,
    ),
    response={**_HEAD, **_MARKED, **_DETAILED_USED, "gen_ai.response.finish_reasons": ["stop", "tool_calls"]},
    streamed=Sse(
        [
            chunk(_delta(1, role="assistant", content=None), **_MARKS),
            chunk(_delta(0, role="assistant", content="Hel"), **_MARKS),
            chunk(
                _delta(1, tool_calls=[{**_called(name="weather", arguments=""), "id": "call_1", "type": "function"}]),
                **_MARKS,
            ),
            chunk(_delta(1, tool_calls=[_called(arguments='{"city": ')]), _delta(0, content="lo"), **_MARKS),
            chunk(_delta(1, tool_calls=[_called(arguments='"Oslo"}')]), **_MARKS),
            chunk(_delta(0, "stop"), **_MARKS),
            chunk(_delta(1, "tool_calls"), **_MARKS),
            chunk(usage=_DETAILED, **_MARKS),
        ],
        headers=HEADERS,
    ),
    stream_arguments={"stream": True, "stream_options": {"include_usage": True}},
    stream_response={**_HEAD, **_MARKED, **_DETAILED_USED, "gen_ai.response.finish_reasons": ["stop", "tool_calls"]},
    chunks=8,
    content={
        INPUT: [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "name": "ada", "parts": [{"type": "text", "content": "What is that?"}, _PIXEL_PART]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_0", "name": "weather", "arguments": {"city": "Rome"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "22 °C"}]},
        ],
        TOOLS: [{"type": "function", **_WEATHER}],
    },
    output={
        OUTPUT: [
            _assistant("Hello"),
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}}],
                "finish_reason": "tool_calls",
            },
        ]
    },
)

_SMALL = Row(
    "chat",
    "chat.completions.create",
    given(model=MODEL, messages=[_HI]),
    f"chat {MODEL}",
    _BASE,
    plain=Json(completion(_choice("Hello"), usage=_USAGE), headers=HEADERS),
    response={**_STOPPED, **_USED},
    # Without `include_usage` there is no usage, and none is made up.
    streamed=Sse(
        [chunk(_delta(role="assistant", content="Hel")), chunk(_delta(content="lo")), chunk(_delta(reason="stop"))],
        headers=HEADERS,
    ),
    stream_response=_STOPPED,
    chunks=3,
    content=_ASKED,
    output=_ANSWERED,
)


def _from_a_generator(_client: Any) -> dict[str, Any]:
    def messages() -> Iterator[dict[str, Any]]:
        yield dict(_HI)

    return {"model": MODEL, "messages": messages()}


_GENERATED = replace(_SMALL, id="chat-messages-from-a-generator", arguments=_from_a_generator)

_WORD = '{"word":"Hello"}'
_PARSED = Row(
    "chat-parse",
    "chat.completions.parse",
    given(model=MODEL, messages=[_HI], response_format=Answer),
    f"chat {MODEL}",
    {**_BASE, "gen_ai.output.type": "json"},
    plain=Json(completion(_choice(_WORD), usage=_USAGE), headers=HEADERS),
    response={**_STOPPED, **_USED},
    content=_ASKED,
    output={OUTPUT: [_assistant(_WORD)]},
)
_HELPER = Row(
    "chat-helper",
    "chat.completions.stream",
    given(model=MODEL, messages=[_HI], response_format=Answer),
    f"chat {MODEL}",
    {**_BASE, "gen_ai.output.type": "json"},
    style="helper",
    streamed=Sse(
        [
            chunk(_delta(role="assistant", content='{"word":')),
            chunk(_delta(content='"Hello"}')),
            chunk(_delta(reason="stop")),
            chunk(usage=_USAGE),
        ],
        headers=HEADERS,
    ),
    stream_arguments={"stream_options": {"include_usage": True}},
    stream_response={**_STOPPED, **_USED},
    chunks=4,
    content=_ASKED,
    stream_output={OUTPUT: [_assistant(_WORD)]},
)


def streams_of(client: Any, model: type) -> Any:
    """The SDK's stream class for a client, as `client.post` wants it."""
    return (openai.AsyncStream if isinstance(client, openai.AsyncOpenAI) else openai.Stream)[model]


def _posted(client: Any) -> dict[str, Any]:
    return {"path": "/chat/completions", "body": {"model": MODEL, "messages": [_HI]}, "cast_to": ChatCompletion}


def _posted_stream(client: Any) -> dict[str, Any]:
    body = {"model": MODEL, "messages": [_HI], "stream": True}
    kinds = {"cast_to": ChatCompletionChunk, "stream_cls": streams_of(client, ChatCompletionChunk)}
    return {"path": "/chat/completions", "body": body, **kinds, "stream": True}


_BY_HAND = replace(_SMALL, id="chat-posted", method="post", arguments=_posted, style="by hand", streamed=None)
_BY_HAND_STREAM = replace(
    _SMALL,
    id="chat-posted-stream",
    method="post",
    arguments=_posted_stream,
    style="by hand",
    plain=None,
    stream_arguments={},
)
_BY_HAND_DICT = replace(
    _BY_HAND, id="chat-posted-for-a-dict", arguments=lambda client: {**_posted(client), "cast_to": object}
)
_BY_HAND_HTTP = replace(
    _BY_HAND,
    id="chat-posted-for-the-http-response",
    arguments=lambda client: {**_posted(client), "cast_to": HTTP.Response},
)
_BY_HAND_RAW = replace(
    _BY_HAND,
    id="chat-posted-raw",
    arguments=lambda client: {**_posted(client), "options": {"headers": {"X-Stainless-Raw-Response": "true"}}},
)

_GREETING = "Grüß dich 🌍"
_PACKED = replace(
    _SMALL,
    id="chat-gzip",
    plain=Json(completion(_choice(_GREETING), usage=_USAGE), headers=HEADERS, gzip=True),
    streamed=Sse(
        [
            _spelled(chunk(_delta(content="Grüß "))),
            _spelled(chunk(_delta(content="dich 🌍"))),
            chunk(_delta(reason="stop")),
        ],
        headers=HEADERS,
        gzip=True,
    ),
    output={OUTPUT: [_assistant(_GREETING)]},
)
# What servers may send, and some do: comments, CR LF, no blank, fields beside the data, data in several lines.
_DIALECT = replace(
    _SMALL,
    id="chat-events-of-any-form",
    plain=None,
    streamed=Sse(
        [
            b": processing\r\n\r\n",
            b"data:" + json.dumps(chunk(_delta(content="Hel"))).encode() + b"\r\n\r\n",
            b"retry: 5\ndata: " + json.dumps(chunk(_delta(content="lo")), indent=1).replace("\n", "\ndata: ").encode(),
            b"\n\n",
            b": alive\n\ndata: " + json.dumps(chunk(_delta(reason="stop"))).encode() + b"\n\n\n",
        ],
        headers=HEADERS,
    ),
)


def _beta(row: Row) -> Row:
    return replace(row, id=f"beta-{row.id}", method=f"beta.{row.method}")


_PROMPT = "Once"
_COMPLETION = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "davinci-002"}
_LEGACY = Row(
    "completions",
    "completions.create",
    given(
        model="gpt-3.5-turbo-instruct",
        prompt=["Once", "Twice"],
        max_tokens=5,
        temperature=0,
        stop=["a", "b"],
        seed=3,
        best_of=2,
        logprobs=2,
    ),
    "text_completion gpt-3.5-turbo-instruct",
    {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.request.model": "gpt-3.5-turbo-instruct",
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.seed": 3,
        "gen_ai.request.stop_sequences": ["a", "b"],
    },
    plain=Json(
        {
            **_COMPLETION,
            "choices": [
                {"index": 0, "text": " upon", "finish_reason": "length", "logprobs": None},
                {"index": 1, "text": " more", "finish_reason": "stop", "logprobs": None},
            ],
            "usage": _USAGE,
        },
        headers=HEADERS,
    ),
    response={
        "gen_ai.response.id": "cmpl-1",
        "gen_ai.response.model": "davinci-002",
        "gen_ai.response.finish_reasons": ["length", "stop"],
        **_USED,
    },
    streamed=Sse(
        [
            {**_COMPLETION, "choices": [{"index": 1, "text": " mo", "finish_reason": None, "logprobs": None}]},
            {**_COMPLETION, "choices": [{"index": 0, "text": " upon", "finish_reason": "length", "logprobs": None}]},
            {**_COMPLETION, "choices": [{"index": 1, "text": "re", "finish_reason": "stop", "logprobs": None}]},
            {**_COMPLETION, "choices": [], "usage": _USAGE},
        ],
        headers=HEADERS,
    ),
    stream_arguments={"stream": True, "stream_options": {"include_usage": True}},
    stream_response={
        "gen_ai.response.id": "cmpl-1",
        "gen_ai.response.model": "davinci-002",
        "gen_ai.response.finish_reasons": ["length", "stop"],
        **_USED,
    },
    chunks=4,
    content={INPUT: [_user("Once"), _user("Twice")]},
    output={OUTPUT: [_assistant(" upon", "length"), _assistant(" more")]},
)

CHAT_ROWS = (
    _FULL,
    _SMALL,
    _GENERATED,
    _PARSED,
    _HELPER,
    _BY_HAND,
    _BY_HAND_STREAM,
    _BY_HAND_DICT,
    _BY_HAND_HTTP,
    _BY_HAND_RAW,
    _PACKED,
    _DIALECT,
    _beta(_SMALL),
    _beta(_PARSED),
    _beta(_HELPER),
    _LEGACY,
)
