"""Chat: everything that can be asked for at once, as little as possible, thinking, a model that is only loaded."""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from typing import Any

import ollama

from contract.expected import INPUT, OUTPUT, TOOLS
from contract.row import Row, given
from loopback import Json, Ndjson

MODEL = "llama3.2"
STATUS = {"http.response.status_code": 200}
TIMED = ("gen_ai.server.request.duration", "gen_ai.server.time_per_output_token", "gen_ai.server.time_to_first_token")
# What the last line of a stream has, and a plain answer.
DONE: dict[str, Any] = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 2_000_000_000,
    "load_duration": 500_000_000,
    "prompt_eval_count": 8,
    "prompt_eval_duration": 250_000_000,
    "eval_count": 3,
    "eval_duration": 1_000_000_000,
}
RESPONSE = {
    "gen_ai.response.model": MODEL,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 8,
    "gen_ai.usage.output_tokens": 3,
    "ollama.total_duration": 2.0,
    "ollama.load_duration": 0.5,
    "ollama.prompt_eval_duration": 0.25,
    "ollama.eval_duration": 1.0,
}
OPTIONS: dict[str, Any] = {
    "temperature": 0.2,
    "top_p": 1,
    "top_k": 40,
    "seed": 0,
    "num_predict": 64,
    "num_ctx": 4096,
    "stop": ["END", "STOP"],
    "frequency_penalty": -0.5,
    "presence_penalty": 0,
}
ASKED = {
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.top_p": 1.0,
    "gen_ai.request.top_k": 40,
    "gen_ai.request.seed": 0,
    "gen_ai.request.max_tokens": 64,
    "gen_ai.request.stop_sequences": ["END", "STOP"],
    "gen_ai.request.frequency_penalty": -0.5,
    "gen_ai.request.presence_penalty": 0.0,
}
IMAGE = bytes((1, 2, 3))
IMAGE_PART = {
    "type": "blob",
    "modality": "image",
    "mime_type": None,
    "byte_size": 3,
    "sha256": "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
    "content": "",
}
_WEATHER = {
    "name": "weather",
    "description": "Of a city.",
    "parameters": {
        "type": "object",
        "required": ["city"],
        "properties": {"city": {"type": "string", "description": "Which one."}},
    },
}
_CALL = {"function": {"name": "weather", "arguments": {"city": "Rome"}}}
_CALLED = {"type": "tool_call", "id": None, "name": "weather", "arguments": {"city": "Rome"}}


def line(content: str = "", *, message: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """One line of a streamed chat, or with `**DONE` the last one, or a plain answer."""
    answer = {"role": "assistant", "content": content, **(message or {})}
    return {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "message": answer, "done": False, **members}


def user(text: str) -> dict[str, Any]:
    """An input message."""
    return {"role": "user", "parts": [{"type": "text", "content": text}]}


def assistant(*parts: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    """An output message."""
    return {"role": "assistant", "parts": list(parts), "finish_reason": reason}


_BASE = {"gen_ai.operation.name": "chat", "gen_ai.request.model": MODEL}
_HELLO = assistant({"type": "text", "content": "Hello"})

_CHAT = Row(
    "ollama-chat",
    "chat",
    given(model=MODEL, messages=[{"role": "user", "content": "Hi"}]),
    f"chat {MODEL}",
    _BASE,
    style="generator",
    plain=Json(line("Hello", **DONE)),
    response={**RESPONSE, **STATUS},
    streamed=Ndjson([line("Hel"), line("lo"), line(**DONE)]),
    stream_response=RESPONSE,
    chunks=3,
    content={INPUT: [user("Hi")]},
    output={OUTPUT: [_HELLO]},
    timings=TIMED,
)
_FULL = replace(
    _CHAT,
    id="ollama-chat-full",
    arguments=given(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is that?", "images": [IMAGE, "AQID"]},
            {"role": "assistant", "content": "", "tool_calls": [_CALL]},
            {"role": "tool", "content": "22 °C"},
        ],
        tools=[{"type": "function", "function": _WEATHER}],
        options=OPTIONS,
        format="json",
        keep_alive="5m",
    ),
    request={**_BASE, **ASKED, "gen_ai.output.type": "json"},
    plain=Json(line("", message={"tool_calls": [_CALL, _CALL]}, **DONE)),
    streamed=Ndjson(
        [line(message={"tool_calls": [_CALL]}), line(message={"tool_calls": [_CALL]}), line(**DONE)], gzip=True
    ),
    content={
        INPUT: [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "What is that?"}, IMAGE_PART, IMAGE_PART]},
            {"role": "assistant", "parts": [_CALLED]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": None, "response": "22 °C"}]},
        ],
        TOOLS: [{"type": "function", **_WEATHER}],
    },
    output={OUTPUT: [assistant(_CALLED, _CALLED)]},
)
_THOUGHT = [{"type": "reasoning", "content": "Why not?"}, {"type": "text", "content": "Hello"}]
_THINKING = replace(
    _CHAT,
    id="ollama-chat-thinking",
    arguments=given(
        model=MODEL,
        messages=[
            {"role": "assistant", "content": "Hello", "thinking": "Why not?"},
            {"role": "tool", "tool_name": "weather", "content": "22 °C"},
        ],
        think="high",
    ),
    request={**_BASE, "gen_ai.request.reasoning.level": "high"},
    plain=Json(line("Hello", message={"thinking": "Why not?"}, **DONE)),
    streamed=Ndjson(
        [line(message={"thinking": "Why "}), line(message={"thinking": "not?"}), line("Hello"), line(**DONE)]
    ),
    chunks=4,
    content={
        INPUT: [
            {"role": "assistant", "parts": _THOUGHT},
            {
                "role": "tool",
                "name": "weather",
                "parts": [{"type": "tool_call_response", "id": None, "response": "22 °C"}],
            },
        ]
    },
    output={OUTPUT: [assistant(*_THOUGHT)]},
)
_SCHEMA = replace(
    _CHAT,
    id="ollama-chat-schema",
    arguments=given(model=MODEL, messages=[], format={"type": "object"}, options={"num_predict": -1}),
    request={**_BASE, "gen_ai.output.type": "json"},
    content={},
)
# A model is loaded by an empty request, and unloaded by keeping it for no time.
_LOAD = replace(
    _CHAT,
    id="ollama-chat-unload",
    arguments=given(model=MODEL, messages=[], keep_alive=0),
    plain=Json(line(done=True, done_reason="unload")),
    response={"gen_ai.response.model": MODEL, "gen_ai.response.finish_reasons": ["unload"], **STATUS},
    streamed=None,
    content={},
    output={OUTPUT: [assistant(reason="unload")]},
    timings=(),
)
# Zero is a value; what the server leaves out is not zero.
_CACHED = {name: value for name, value in DONE.items() if name != "prompt_eval_count"}
_CACHED_RESPONSE = {name: value for name, value in RESPONSE.items() if name != "gen_ai.usage.input_tokens"}
_ZERO = replace(
    _CHAT,
    id="ollama-chat-zero",
    plain=Json(line("Hello", **{**_CACHED, "eval_count": 0, "done_reason": "length", "load_duration": 0})),
    response={
        **_CACHED_RESPONSE,
        "gen_ai.usage.output_tokens": 0,
        "gen_ai.response.finish_reasons": ["length"],
        "ollama.load_duration": 0.0,
        **STATUS,
    },
    streamed=Ndjson([line("Hello", **{**_CACHED, "eval_count": 1})]),
    stream_response={**_CACHED_RESPONSE, "gen_ai.usage.output_tokens": 1},
    chunks=1,
    output={OUTPUT: [assistant({"type": "text", "content": "Hello"}, reason="length")]},
    stream_output={OUTPUT: [_HELLO]},
)
_ZERO_PLAIN = replace(_ZERO, streamed=None, timings=("gen_ai.server.request.duration",))
_ONE_TOKEN = replace(
    _ZERO,
    id="ollama-chat-one-token",
    plain=None,
    timings=("gen_ai.server.request.duration", "gen_ai.server.time_to_first_token"),
)

# Older SDKs refuse a schema themselves.
_TAKES_SCHEMA = "dict" in str(signature(ollama.Client.chat).parameters["format"].annotation).lower()

CHAT_ROWS = (_CHAT, _FULL, _THINKING, *([_SCHEMA] if _TAKES_SCHEMA else []), _LOAD, _ZERO_PLAIN, _ONE_TOKEN)
