"""The Responses API: made, parsed, streamed, in background, and read again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contract.expected import INPUT, OUTPUT, SYSTEM, TOOLS
from contract.openai_chat import HEADERS, MODEL, SERVED, Answer
from contract.row import Row, given
from loopback import Json, Sse

_CREATED = {"gen_ai.operation.name": "chat", "openai.api.type": "responses", "gen_ai.request.model": MODEL}
_FETCHED = {"gen_ai.operation.name": "fetch_response", "openai.api.type": "responses", "gen_ai.response.id": "resp_1"}
_HEAD = {"gen_ai.response.id": "resp_1", "gen_ai.response.model": SERVED}
_COMPLETED = {**_HEAD, "gen_ai.response.status": "completed", "gen_ai.response.finish_reasons": ["stop"]}
_USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 16},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 42,
}
_USED = {
    "gen_ai.usage.input_tokens": 30,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 16,
    "gen_ai.usage.reasoning.output_tokens": 4,
}
_WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "Of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
_CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city":"Oslo"}',
    "status": "completed",
}
_REASONING = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}]}


def response(*output: dict[str, Any], status: str = "completed", **members: Any) -> dict[str, Any]:
    """A response as the server sends it."""
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": SERVED, "status": status}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None}
    return {**head, **rest, "instructions": None, "metadata": {}, "output": list(output), "usage": None, **members}


def message(text: str) -> dict[str, Any]:
    """A message of the model."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


def _events(*pieces: str, whole: dict[str, Any], start: int = 0) -> list[dict[str, Any]]:
    """The events of a message that comes in pieces; `start` is the number of the first that is sent."""
    text = "".join(pieces)
    begun = response(status="in_progress")
    place: dict[str, Any] = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
    empty = {"type": "output_text", "text": "", "annotations": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**message(""), "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": empty},
        *({"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []} for piece in pieces),
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": {**empty, "text": text}},
        {"type": "response.output_item.done", "output_index": 0, "item": message(text)},
        {"type": "response.completed", "response": whole},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)][start:]


def _sse(events: list[dict[str, Any]]) -> Sse:
    return Sse(events, event_names=True, headers=HEADERS)


def _output(text: str) -> dict[str, Any]:
    return {"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "stop"}


_ASKED = {INPUT: [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]}
_ANSWERED = {OUTPUT: [_output("Hello")]}
_HELLO = response(message("Hello"), usage=_USAGE)
_STREAM = _events("Hel", "lo", whole=_HELLO)

_SMALL = Row(
    "responses",
    "responses.create",
    given(model=MODEL, input="Hi"),
    f"chat {MODEL}",
    _CREATED,
    plain=Json(_HELLO, headers=HEADERS),
    response={**_COMPLETED, **_USED},
    streamed=_sse(_STREAM),
    stream_response={**_COMPLETED, **_USED},
    chunks=10,
    content=_ASKED,
    output=_ANSWERED,
)

_FULL_OUTPUT = response(_REASONING, _CALL, usage=_USAGE, service_tier="default", conversation={"id": "conv_1"})
_FULL = Row(
    "responses-full",
    "responses.create",
    given(
        model=MODEL,
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "Use tools."},
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {**_CALL, "call_id": "call_0", "id": "fc_0"},
            {"type": "function_call_output", "call_id": "call_0", "output": "22"},
        ],
        tools=[_WEATHER],
        temperature=0.2,
        top_p=1,
        max_output_tokens=64,
        reasoning={"effort": "low"},
        text={"format": {"type": "json_schema", "name": "word", "schema": {"type": "object"}}},
        service_tier="flex",
        previous_response_id="resp_0",
        extra_body={"conversation": "conv_1", "prompt": {"id": "pmpt_1", "version": "2"}, "top_logprobs": 3},
    ),
    f"chat {MODEL}",
    {
        **_CREATED,
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.output.type": "json",
        "gen_ai.prompt.name": "pmpt_1",
        "gen_ai.prompt.version": "2",
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.previous_response.id": "resp_0",
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 1.0,
        "openai.request.service_tier": "flex",
    },
    plain=Json(_FULL_OUTPUT, headers=HEADERS),
    response={
        **_COMPLETED,
        **_USED,
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "openai.response.service_tier": "default",
    },
    streamed=_sse(
        [
            {"type": "response.created", "sequence_number": 0, "response": response(status="in_progress")},
            {"type": "response.output_item.done", "sequence_number": 1, "output_index": 0, "item": _REASONING},
            {"type": "response.output_item.done", "sequence_number": 2, "output_index": 1, "item": _CALL},
            {"type": "response.completed", "sequence_number": 3, "response": _FULL_OUTPUT},
        ]
    ),
    stream_response={
        **_COMPLETED,
        **_USED,
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "openai.response.service_tier": "default",
    },
    chunks=4,
    content={
        SYSTEM: [{"type": "text", "content": "Be brief."}],
        INPUT: [
            {"role": "developer", "parts": [{"type": "text", "content": "Use tools."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "call_0", "name": "weather", "arguments": {"city": "Oslo"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "22"}]},
        ],
        TOOLS: [_WEATHER],
    },
    output={
        OUTPUT: [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "id": "rs_1", "content": "Look it up."},
                    {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}},
                ],
                "finish_reason": "tool_calls",
            }
        ]
    },
)

_BACKGROUND = Row(
    "responses-in-background",
    "responses.create",
    given(model=MODEL, input="Hi", background=True),
    f"chat {MODEL}",
    _CREATED,
    plain=Json(response(status="queued", background=True), headers=HEADERS),
    # It goes on without us: no finish reason, no usage.
    response={**_HEAD, "gen_ai.response.status": "queued"},
    content=_ASKED,
)

_WORD = '{"word":"Hello"}'
_WORD_RESPONSE = response(message(_WORD), usage=_USAGE)
_PARSED = Row(
    "responses-parse",
    "responses.parse",
    given(model=MODEL, input="Hi", text_format=Answer),
    f"chat {MODEL}",
    {**_CREATED, "gen_ai.output.type": "json"},
    plain=Json(_WORD_RESPONSE, headers=HEADERS),
    response={**_COMPLETED, **_USED},
    content=_ASKED,
    output={OUTPUT: [_output(_WORD)]},
)
_HELPER = Row(
    "responses-helper",
    "responses.stream",
    given(model=MODEL, input="Hi", text_format=Answer),
    f"chat {MODEL}",
    {**_CREATED, "gen_ai.output.type": "json"},
    style="helper",
    streamed=_sse(_events('{"word":', '"Hello"}', whole=_WORD_RESPONSE)),
    stream_arguments={},
    stream_response={**_COMPLETED, **_USED},
    chunks=10,
    content=_ASKED,
    stream_output={OUTPUT: [_output(_WORD)]},
)

# What was used, the call that made the response has reported.
_RETRIEVED = Row(
    "responses-retrieve",
    "responses.retrieve",
    given(response_id="resp_1"),
    "fetch_response",
    _FETCHED,
    plain=Json(_HELLO, headers=HEADERS),
    response=_COMPLETED,
    streamed=_sse(_STREAM),
    stream_response=_COMPLETED,
    chunks=10,
    output=_ANSWERED,
)
_RESUMED = replace(
    _RETRIEVED,
    id="responses-retrieve-resumed",
    request={**_FETCHED, "gen_ai.request.stream_cursor": "5"},
    plain=None,
    streamed=_sse(_events("Hel", "lo", whole=_HELLO, start=6)),
    stream_arguments={"stream": True, "starting_after": 5},
    chunks=4,
    late_model=True,
)
_RESUMED_HELPER = replace(
    _RESUMED,
    id="responses-helper-resumed",
    method="responses.stream",
    style="helper",
    # The helper needs the first event to put the response together: it asks for all, and skips what the caller has seen.
    request=_FETCHED,
    streamed=_sse(_STREAM),
    stream_arguments={"starting_after": 5},
    chunks=10,
    late_model=False,
)
_STILL_QUEUED = replace(
    _RETRIEVED,
    id="responses-retrieve-queued",
    plain=Json(response(status="queued"), headers=HEADERS),
    streamed=None,
    response={**_HEAD, "gen_ai.response.status": "queued"},
    output={},
)


def beta(row: Row) -> Row:
    """The same, by the resource of the same name below `beta`."""
    return replace(row, id=f"beta-{row.id}", method=f"beta.{row.method}")


_GOT = replace(
    _RETRIEVED,
    id="responses-got-by-hand",
    method="get",
    arguments=given(path="/responses/resp_1", cast_to=object),
    style="by hand",
    streamed=None,
)
_BY_HAND = replace(
    _SMALL,
    id="responses-posted",
    method="post",
    arguments=given(path="/responses", body={"model": MODEL, "input": "Hi"}, cast_to=object),
    style="by hand",
    streamed=None,
)

RESPONSES_ROWS = (
    _FULL,
    _SMALL,
    _BACKGROUND,
    _PARSED,
    _HELPER,
    _RETRIEVED,
    _RESUMED,
    _RESUMED_HELPER,
    _STILL_QUEUED,
    beta(_SMALL),
    beta(_BACKGROUND),
    beta(_RETRIEVED),
    beta(_RESUMED),
    _GOT,
    _BY_HAND,
)
