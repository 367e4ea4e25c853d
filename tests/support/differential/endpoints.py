"""The endpoints that are fuzzed: how each is called, and what its server answers in ordinary cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import openai

from loopback import anthropic_bodies, openai_bodies


def framed(chunk: Any) -> bytes:
    """Return a server-sent event."""
    return f"data: {json.dumps(chunk)}\n\n".encode()


@dataclass(frozen=True)
class Endpoint:
    """One endpoint.

    Attributes:
        name: what it is called.
        sdk: the SDK's package.
        method: the client's method, with dots.
        arguments: what it is called with in ordinary cases.
        more: arguments that any call of the SDK takes besides.
        answer: the body of the plain answer.
        chunks: those of the streamed one; none for an endpoint that does not stream.
        framed: chunk -> its bytes on the wire.
        last: what follows the last chunk.
        media: the content type of its streams.
        helper: the method of the SDK's stream helper, with dots.
        fixed: arguments that stay as they are.
        streaming: arguments that ask for a stream.
        stream_method: the method that does, if that is another one.
    """

    name: str
    sdk: str
    method: str
    arguments: dict[str, Any]
    answer: Any
    chunks: Sequence[Any] = ()
    more: tuple[str, ...] = ("extra_body", "extra_headers", "extra_query", "timeout")
    framed: Callable[[Any], bytes] = framed
    last: bytes = b"data: [DONE]\n\n"
    media: str = "text/event-stream"
    helper: str = ""
    fixed: dict[str, Any] = field(default_factory=dict)
    streaming: dict[str, Any] = field(default_factory=lambda: {"stream": True})
    stream_method: str = ""

    @property
    def family(self) -> str:
        """Of the SDK: how what it returns is read."""
        return {"ollama": "ollama", "google.genai": "google", "botocore": "botocore"}.get(self.sdk, "stainless")


def framed_by_name(chunk: Any) -> bytes:
    """Return a server-sent event with its name."""
    kind = chunk.get("type") if isinstance(chunk, dict) else chunk
    return f"event: {kind}\ndata: {json.dumps(chunk)}\n\n".replace("\ud800", "?").encode("utf-8", "replace")


def line(chunk: Any) -> bytes:
    """Return a line."""
    return (json.dumps(chunk) + "\n").encode()


_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": null}'}}
_TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
_CHAT_ARGUMENTS = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [_CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "found"},
    ],
    "tools": [_TOOL],
    "temperature": 0.5,
    "stop": ["x"],
}
_MESSAGE = {"role": "assistant", "content": "Hello", "refusal": None, "tool_calls": [_CALL]}
_COMPLETION = openai_bodies.completion(
    choices=[{"index": 0, "finish_reason": "stop", "logprobs": None, "message": _MESSAGE}]
)
_USAGE_CHUNK = openai_bodies.chunk(choices=[], usage={"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10})
_CHUNKS = [
    openai_bodies.chunk({"role": "assistant", "content": "Hel"}),
    openai_bodies.chunk({"content": "lo", "reasoning_content": "hm"}),
    openai_bodies.chunk({"tool_calls": [{"index": 0, **_CALL}]}),
    openai_bodies.chunk({"tool_calls": [{"index": 0, "function": {"arguments": " "}}]}),
    openai_bodies.chunk(reason="stop"),
]
_RESPONSE = openai_bodies.response(
    output=[
        *openai_bodies.response()["output"],
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
    ],
    error=None,
    incomplete_details=None,
    instructions=None,
    metadata={},
    parallel_tool_calls=True,
    temperature=1.0,
    tool_choice="auto",
    tools=[],
    top_p=1.0,
)
_BEGUN = {**_RESPONSE, "status": "in_progress", "output": []}
_PLACE = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
_EVENTS = [
    {"type": "response.created", "response": _BEGUN},
    {"type": "response.output_item.added", "output_index": 0, "item": {**_RESPONSE["output"][0], "content": []}},
    {"type": "response.content_part.added", **_PLACE, "part": {"type": "output_text", "text": "", "annotations": []}},
    {"type": "response.output_text.delta", **_PLACE, "delta": "Hello", "logprobs": []},
    {"type": "response.output_item.done", "output_index": 0, "item": _RESPONSE["output"][0]},
    {"type": "response.completed", "response": _RESPONSE},
]
_EVENTS = [{**event, "sequence_number": number} for number, event in enumerate(_EVENTS)]
_TOOL_USE = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": None}}
_MESSAGES_ARGUMENTS = {
    "model": "m",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [_TOOL_USE]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "x"}]}],
        },
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    "stop_sequences": ["x"],
}
_ANTHROPIC_MESSAGE = anthropic_bodies.message(
    {"type": "thinking", "thinking": "hm", "signature": "s"}, anthropic_bodies.text("Hello"), _TOOL_USE
)
_ANTHROPIC_EVENTS = [
    anthropic_bodies.started(),
    *anthropic_bodies.block_events({"type": "text"}, [("text", "Hel"), ("text", "lo")]),
    *anthropic_bodies.block_events(_TOOL_USE, [("input", '{"a": '), ("input", "null}")], 1),
    anthropic_bodies.PING,
    *anthropic_bodies.ended(),
]
_OLLAMA_CALL = {"function": {"name": "f", "arguments": {"a": 1}}}
_OLLAMA_DONE = {"done": True, "done_reason": "stop", "prompt_eval_count": 8, "eval_count": 2, "total_duration": 5}


def _ollama(**more: Any) -> dict[str, Any]:
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": False, **more}


def _ollama_message(content: str, **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **more}}


CORE = [
    Endpoint(
        "chat", "openai", "chat.completions.create", _CHAT_ARGUMENTS, _COMPLETION, _CHUNKS,
        helper="chat.completions.stream",
    ),
    Endpoint(
        "completions", "openai", "completions.create", {"model": "m", "prompt": ["Hi", "Ho"], "n": 1},
        {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [{"index": 0, "text": "Hello", "finish_reason": "stop", "logprobs": None}], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
        [{"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [{"index": 0, "text": piece, "finish_reason": reason, "logprobs": None}]} for piece, reason in (("Hel", None), ("lo", "stop"))],
    ),
    Endpoint(
        "embeddings", "openai", "embeddings.create", {"model": "m", "input": ["Hi"], "encoding_format": "float"},
        {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 1, "total_tokens": 1}},
    ),
    Endpoint(
        "responses", "openai", "responses.create",
        {"model": "m", "instructions": "Be brief.", "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, _RESPONSE["output"][1], {"type": "function_call_output", "call_id": "c", "output": "x"}], "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": None}]},
        _RESPONSE, _EVENTS, framed=framed_by_name, last=b"", helper="responses.stream",
    ),
    Endpoint("chat by hand", "openai", "post", {"body": _CHAT_ARGUMENTS}, _COMPLETION, _CHUNKS, more=(), fixed={"path": "/chat/completions"}),
    Endpoint("messages", "anthropic", "messages.create", _MESSAGES_ARGUMENTS, _ANTHROPIC_MESSAGE, _ANTHROPIC_EVENTS, framed=framed_by_name, last=b"", helper="messages.stream"),
    Endpoint("beta messages", "anthropic", "beta.messages.create", {**_MESSAGES_ARGUMENTS, "betas": ["b"]}, _ANTHROPIC_MESSAGE, _ANTHROPIC_EVENTS, framed=framed_by_name, last=b""),
    Endpoint("messages by hand", "anthropic", "post", {"body": _MESSAGES_ARGUMENTS}, _ANTHROPIC_MESSAGE, _ANTHROPIC_EVENTS, more=(), framed=framed_by_name, last=b"", fixed={"path": "/v1/messages"}),
    Endpoint(
        "ollama chat", "ollama", "chat",
        {"model": "m", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "", "tool_calls": [_OLLAMA_CALL]}], "tools": [_TOOL], "options": {"stop": ["x"]}, "format": "json"},
        _ollama(**_ollama_message("Hello", tool_calls=[_OLLAMA_CALL]) | _OLLAMA_DONE),
        [_ollama(**_ollama_message("Hel")), _ollama(**_ollama_message("lo", tool_calls=[_OLLAMA_CALL])), _ollama(**_ollama_message("") | _OLLAMA_DONE)],
        more=(), framed=line, last=b"", media="application/x-ndjson",
    ),
    Endpoint(
        "ollama generate", "ollama", "generate", {"model": "m", "prompt": "Hi", "system": "Be brief.", "options": {"seed": 1}},
        _ollama(response="Hello", **_OLLAMA_DONE), [_ollama(response="Hel"), _ollama(response="lo", **_OLLAMA_DONE)],
        more=(), framed=line, last=b"", media="application/x-ndjson",
    ),
    Endpoint("ollama embed", "ollama", "embed", {"model": "m", "input": ["Hi"]}, {"model": "m", "embeddings": [[0.5]], "prompt_eval_count": 1}, more=()),
]  # fmt: skip
CORE = [endpoint for endpoint in CORE if endpoint.name != "responses" or hasattr(openai, "responses")]
if not hasattr(openai.OpenAI, "responses") and not hasattr(openai.resources, "Responses"):
    CORE = [endpoint for endpoint in CORE if endpoint.name != "responses"]
"""The endpoints that most calls are made to."""
USAGE_CHUNK = _USAGE_CHUNK
"""What a stream of chat completions has at its end if usage was asked for."""
