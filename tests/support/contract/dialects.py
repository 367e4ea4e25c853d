"""Operations of SDKs whose API is their own: those of Writer, of the Llama API, and of Letta; by their public references."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from contract.expected import INPUT, OUTPUT
from contract.row import Row, given
from loopback import Json, Sse

_HI = [{"role": "user", "content": "Hi"}]
_ASKED = {INPUT: [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]}
_OPERATION, _MODEL = "gen_ai.operation.name", "gen_ai.request.model"
_REASONS = "gen_ai.response.finish_reasons"
_USED = {"gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 3}


def _answered(*parts: dict[str, Any]) -> dict[str, Any]:
    return {OUTPUT: [{"role": "assistant", "parts": list(parts), "finish_reason": "stop"}]}


class _Answer(BaseModel):
    """What a structured output is parsed to."""

    word: str


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _writer_chat(kind: str, **choice: Any) -> dict[str, Any]:
    """An answer, or a chunk of one."""
    known = {"index": 0, "finish_reason": None, **choice}
    return {"id": "chat-1", "object": kind, "created": 1, "model": "palmyra-x5", "choices": [known]}


def _writer_completion(content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": None}
    return {**_writer_chat("chat.completion", finish_reason="stop", message=message), "usage": _WRITER_USAGE}


_WRITER_USAGE = {
    "prompt_tokens": 8,
    "completion_tokens": 3,
    "total_tokens": 11,
    "prompt_token_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
_WRITER_HEAD = {
    "gen_ai.response.id": "chat-1",
    "gen_ai.response.model": "palmyra-x5",
    _REASONS: ["stop"],
    **_USED,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 1,
}
_WRITER_CHAT = Row(
    "chat",
    "chat.chat",
    given(model="palmyra-x5", messages=_HI, temperature=0.2),
    "chat palmyra-x5",
    {
        _OPERATION: "chat",
        "openai.api.type": "chat_completions",
        _MODEL: "palmyra-x5",
        "gen_ai.request.temperature": 0.2,
    },
    plain=Json(_writer_completion("Hello")),
    response=_WRITER_HEAD,
    streamed=Sse(
        [
            _writer_chat("chat.completion.chunk", delta={"role": "assistant", "content": "Hel"}),
            _writer_chat("chat.completion.chunk", delta={"content": "lo"}),
            {
                **_writer_chat("chat.completion.chunk", delta={"content": ""}, finish_reason="stop"),
                "usage": _WRITER_USAGE,
            },
        ]
    ),
    stream_response=_WRITER_HEAD,
    chunks=3,
    content=_ASKED,
    output=_answered(_text("Hello")),
)
WRITER = (
    _WRITER_CHAT,
    # What the SDK has of it for raw responses fails by itself.
    replace(
        _WRITER_CHAT,
        id="chat-parse",
        method="chat.parse",
        style="by hand",
        arguments=given(model="palmyra-x5", messages=_HI, temperature=0.2, response_format=_Answer),
        request={**_WRITER_CHAT.request, "gen_ai.output.type": "json"},
        plain=Json(_writer_completion('{"word": "Hello"}')),
        streamed=None,
        output=_answered(_text('{"word": "Hello"}')),
    ),
    # Events of the SDK itself, made of the chunks.
    replace(
        _WRITER_CHAT,
        id="chat-helper",
        method="chat.stream",
        style="helper",
        plain=None,
        stream_arguments={},
    ),
    Row(
        "completions",
        "completions.create",
        given(model="palmyra-x5", prompt="Once", max_tokens=5),
        "text_completion palmyra-x5",
        {_OPERATION: "text_completion", _MODEL: "palmyra-x5", "gen_ai.request.max_tokens": 5},
        plain=Json({"choices": [{"text": " upon"}], "model": "palmyra-x5"}),
        response={"gen_ai.response.model": "palmyra-x5"},
        streamed=Sse([{"value": " up"}, {"value": "on"}], done=False),
        chunks=2,
        content={INPUT: [{"role": "user", "parts": [_text("Once")]}]},
        output=_answered(_text(" upon")),
    ),
    Row(
        "vision",
        "vision.analyze",
        given(model="palmyra-vision", prompt="What is {{image}}?", variables=[{"name": "image", "file_id": "f-1"}]),
        "chat palmyra-vision",
        {_OPERATION: "chat", _MODEL: "palmyra-vision"},
        plain=Json({"data": "A tram."}),
        content={INPUT: [{"role": "user", "parts": [_text("What is {{image}}?")]}]},
        output=_answered(_text("A tram.")),
    ),
)


def _llama_event(kind: str, text: str, **members: Any) -> dict[str, Any]:
    return {"id": "c-1", "event": {"event_type": kind, "delta": {"type": "text", "text": text}, **members}}


_LLAMA_METRICS = [
    {"metric": "num_prompt_tokens", "value": 8, "unit": "tokens"},
    {"metric": "num_completion_tokens", "value": 3, "unit": "tokens"},
]
_LLAMA_HEAD = {"gen_ai.response.id": "c-1", _REASONS: ["stop"], **_USED}
LLAMA_API = (
    Row(
        "chat",
        "chat.completions.create",
        given(model="Llama-4-Scout", messages=_HI, top_p=0.5),
        "chat Llama-4-Scout",
        {_OPERATION: "chat", _MODEL: "Llama-4-Scout", "gen_ai.request.top_p": 0.5},
        plain=Json(
            {
                "id": "c-1",
                "completion_message": {"role": "assistant", "content": "Hello", "stop_reason": "stop"},
                "metrics": _LLAMA_METRICS,
            }
        ),
        response=_LLAMA_HEAD,
        streamed=Sse(
            [
                _llama_event("start", "Hel"),
                _llama_event("progress", "lo"),
                _llama_event("complete", "", stop_reason="stop"),
                _llama_event("metrics", "", metrics=_LLAMA_METRICS),
            ],
            done=False,
        ),
        stream_response=_LLAMA_HEAD,
        chunks=4,
        content=_ASKED,
        output=_answered(_text("Hello")),
    ),
    Row(
        "moderations",
        "moderations.create",
        given(model="Llama-Guard", messages=_HI),
        "moderation Llama-Guard",
        {_OPERATION: "moderation", _MODEL: "Llama-Guard"},
        plain=Json({"model": "Llama-Guard", "results": [{"flagged": False, "flagged_categories": []}]}),
        response={"gen_ai.response.model": "Llama-Guard"},
        details=False,
    ),
)


def _letta_message(kind: str, identity: str = "message-1", **members: Any) -> dict[str, Any]:
    return {"message_type": kind, "id": identity, "date": "2026-01-01T00:00:00Z", **members}


_LETTA_STOPPED = {"message_type": "stop_reason", "stop_reason": "end_turn"}
_LETTA_USAGE = {
    "message_type": "usage_statistics",
    "prompt_tokens": 8,
    "completion_tokens": 3,
    "total_tokens": 11,
    "step_count": 1,
    "cached_input_tokens": 4,
    "reasoning_tokens": 1,
}
_LETTA_HEAD = {
    _REASONS: ["stop"],
    **_USED,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 1,
}
_LETTA_OUTPUT = _answered({"type": "reasoning", "content": "Greet."}, _text("Hello"))
_LETTA_STREAM = Sse(
    [
        _letta_message("reasoning_message", reasoning="Gre"),
        _letta_message("reasoning_message", reasoning="et."),
        _letta_message("assistant_message", "message-2", content="Hel"),
        _letta_message("assistant_message", "message-2", content="lo"),
        _LETTA_STOPPED,
        _LETTA_USAGE,
    ]
)
_LETTA_AGENT = Row(
    "agent",
    "agents.messages.create",
    given(agent_id="agent-1", messages=_HI),
    "invoke_agent",
    {_OPERATION: "invoke_agent", "gen_ai.agent.id": "agent-1"},
    plain=Json(
        {
            "messages": [
                _letta_message("reasoning_message", reasoning="Greet."),
                _letta_message("assistant_message", "message-2", content="Hello"),
            ],
            "stop_reason": _LETTA_STOPPED,
            "usage": _LETTA_USAGE,
        }
    ),
    response=_LETTA_HEAD,
    streamed=_LETTA_STREAM,
    stream_arguments={"streaming": True},
    stream_response=_LETTA_HEAD,
    chunks=6,
    content=_ASKED,
    output=_LETTA_OUTPUT,
    details=False,
)
LETTA = (
    _LETTA_AGENT,
    replace(_LETTA_AGENT, id="agent-stream", method="agents.messages.stream", plain=None, stream_arguments={}),
    replace(
        _LETTA_AGENT,
        id="conversation",
        method="conversations.messages.create",
        arguments=given(conversation_id="conv-1", messages=_HI),
        request={_OPERATION: "invoke_agent", "gen_ai.conversation.id": "conv-1"},
        plain=None,
        stream_arguments={},
    ),
)
