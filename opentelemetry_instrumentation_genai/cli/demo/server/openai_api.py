"""OpenAI's API, as far as a demonstration needs it: chat completions, responses and embeddings."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from . import model
from .pace import FIRST_CHUNK, TOKEN, events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import Left
    from .tally import Reply, Tally

Json = dict[str, Any]


def headers(tally: Tally, seconds: float, left: Left) -> dict[str, str]:
    """Return the headers of every response."""
    return {
        "x-request-id": tally.identifier("req_", 32),
        "openai-processing-ms": str(round(seconds * 1000)),
        "x-ratelimit-remaining-requests": str(left.requests),
        "x-ratelimit-remaining-tokens": str(left.tokens),
    }


def refusal(tally: Tally, name: str, *, first: bool) -> Response | None:
    """Refuse unknown models always, and the busy one on the first try."""
    if not tally.knows(name, model.SNAPSHOTS):
        message = f"The model `{name}` does not exist or you do not have access to it."
        return error(404, message, "invalid_request_error", "model_not_found")
    if name == model.BUSY and first:
        message = f"Rate limit reached for {name} on requests per min (RPM): Limit 3, Used 3, Requested 1."
        response = error(429, message, "requests", "rate_limit_exceeded")
        response.headers.update({"retry-after-ms": "150", "retry-after": "1", "x-ratelimit-remaining-requests": "0"})
        return response
    return None


def failure(_: Tally, status: int) -> Response:
    """Return a rate limit, a refusal by the policy, or an error of the server."""
    if status == 400:
        return error(
            status, "The response was filtered by the content policy.", "invalid_request_error", "content_filter"
        )
    if status != 429:
        return error(status, "The server had an error while processing your request.", "server_error", "server_error")
    response = error(status, "Rate limit reached for requests.", "requests", "rate_limit_exceeded")
    response.headers.update({"retry-after-ms": "150", "retry-after": "1"})
    return response


def error(status: int, message: str, kind: str, code: str) -> Response:
    """Write an error as the API does."""
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


# Chat completions


async def reply_to_chat(tally: Tally, body: Json) -> Response:
    """Answer `POST /v1/chat/completions`, whole or in chunks."""
    message = chat_message(tally, body)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    message["content"], is_cut = model.limited(message["content"] or "", limit) if message["content"] else (None, False)
    whole = {
        "id": tally.identifier("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model.SNAPSHOTS.get(body["model"], body["model"]),
        "service_tier": "default",
        "system_fingerprint": "fp_3a5b1c7e90",
    }
    finish = "tool_calls" if message.get("tool_calls") else "length" if is_cut else "stop"
    usage = chat_usage(tally, body, message)
    if body.get("stream"):
        include_usage = (body.get("stream_options") or {}).get("include_usage", False)
        return events(chat_chunks(whole, message, finish, usage if include_usage else None), is_written)
    await asyncio.sleep(FIRST_CHUNK + TOKEN * usage["completion_tokens"])
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return JSONResponse({**whole, "choices": [choice], "usage": usage})


def chat_message(tally: Tally, body: Json) -> Json:
    """Make the assistant's message: tool calls while there are tools and no results yet, else an answer."""
    question = next(
        (model.text_of(item["content"]) for item in reversed(body["messages"]) if item["role"] == "user"), ""
    )
    results = [model.text_of(item["content"]) for item in body["messages"] if item["role"] == "tool"]
    message: Json = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    if body.get("tools") and not results:
        tools = [tool["function"] for tool in body["tools"]]
        places = model.wanted([tool["name"] for tool in tools], question)
        wanted = [(tools[place], city) for place in places for city in model.cities(question)]
        message["tool_calls"] = [
            {"id": tally.identifier(f"call_{index}"), "type": "function", "function": call_of(tool, city)}
            for index, (tool, city) in enumerate(wanted)
        ]
    else:
        message["content"] = model.conclude(results) if results else model.answer(question)
    return message


def call_of(tool: Json, city: str) -> Json:
    """Call a tool: its first argument is a city."""
    argument = next(iter(tool.get("parameters", {}).get("properties", {})), "input")
    return {"name": tool["name"], "arguments": json.dumps({argument: city}, ensure_ascii=False)}


def chat_usage(tally: Tally, body: Json, message: Json) -> Json:
    """Count the tokens of a chat completion."""
    prompt = model.tokens(json.dumps([body.get("tools"), body["messages"]], ensure_ascii=False))
    written = [message["content"] or "", *(str(call["function"]) for call in message.get("tool_calls", ()))]
    completion = model.tokens(" ".join(written))
    return {
        "prompt_tokens": len(prompt),
        "completion_tokens": len(completion),
        "total_tokens": len(prompt) + len(completion),
        "prompt_tokens_details": {"cached_tokens": tally.cached(prompt), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat_chunks(whole: Json, message: Json, finish: str, usage: Json | None) -> Iterator[Json | str]:
    """Take a message apart into the chunks of a stream."""

    def chunk(delta: Json, reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**base, "choices": [choice], **({} if usage is None else {"usage": None})}

    base = {**whole, "object": "chat.completion.chunk"}
    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield chunk({"tool_calls": [{"index": index, **call, "function": {**call["function"], "arguments": ""}}]})
        yield chunk({"tool_calls": [{"index": index, "function": {"arguments": call["function"]["arguments"]}}]})
    for piece in model.pieces(message["content"] or ""):
        yield chunk({"content": piece})
    yield chunk({}, finish)
    if usage is not None:
        yield {**base, "choices": [], "usage": usage}
    yield "[DONE]"


# Responses


async def reply_to_responses(tally: Tally, body: Json) -> Response:
    """Answer `POST /v1/responses`, whole or as events."""
    response = model_response(tally, body)
    if body.get("stream"):
        numbered = ({**event, "sequence_number": number} for number, event in enumerate(response_events(response)))
        return events(numbered, is_written)
    await asyncio.sleep(FIRST_CHUNK + TOKEN * response["usage"]["output_tokens"])
    return JSONResponse(response)


def model_response(tally: Tally, body: Json) -> Json:
    """Make a whole response: some reasoning, then a message."""
    question = body["input"] if isinstance(body["input"], str) else json.dumps(body["input"], ensure_ascii=False)
    text = model.answer(question)
    reasoning = body.get("reasoning") or {}
    prompt = model.tokens(f"{body.get('instructions') or ''} {question}")
    thought = len(model.tokens(model.THOUGHTS)) if reasoning else 0
    written = thought + len(model.tokens(text))
    thinking: Json = {
        "id": tally.identifier("rs_", 48),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": model.THOUGHTS}],
    }
    message: Json = {
        "id": tally.identifier("msg_", 48),
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }
    return {
        "id": tally.identifier("resp_", 48),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": model.SNAPSHOTS.get(body["model"], body["model"]),
        "output": [thinking, message] if reasoning else [message],
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None, **reasoning},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": len(prompt),
            "input_tokens_details": {"cached_tokens": tally.cached(prompt), "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": len(prompt) + written,
        },
        "metadata": {},
    }


def response_events(response: Json) -> Iterator[Json]:
    """Take a response apart into the typed events of a stream."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        thinking = item["type"] == "reasoning"
        unfilled = {**item, "summary": []} if thinking else {**item, "status": "in_progress", "content": []}
        yield {"type": "response.output_item.added", "output_index": index, "item": unfilled}
        at = {"item_id": item["id"], "output_index": index, "summary_index" if thinking else "content_index": 0}
        yield from part_events(at, item["summary" if thinking else "content"][0], thinking=thinking)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": response}


def part_events(at: Json, part: Json, *, thinking: bool) -> Iterator[Json]:
    """Stream one part of an output item: a summary of the reasoning, or text of the message."""
    kind, text = ("reasoning_summary_part", "reasoning_summary_text") if thinking else ("content_part", "output_text")
    logprobs: Json = {} if thinking else {"logprobs": []}
    yield {"type": f"response.{kind}.added", **at, "part": {**part, "text": ""}}
    for piece in model.pieces(part["text"]):
        yield {"type": f"response.{text}.delta", **at, "delta": piece, **logprobs}
    yield {"type": f"response.{text}.done", **at, "text": part["text"], **logprobs}
    yield {"type": f"response.{kind}.done", **at, "part": part}


# Embeddings


async def reply_to_embeddings(_: Tally, body: Json) -> Response:
    """Answer `POST /v1/embeddings`, in base64 if asked to."""
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    vectors = [model.vector(text, body.get("dimensions") or 1536) for text in texts]
    write = model.encoded if body.get("encoding_format") == "base64" else list
    count = sum(len(model.tokens(text)) for text in texts)
    await asyncio.sleep(FIRST_CHUNK)
    return JSONResponse(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": write(values)}
                for index, values in enumerate(vectors)
            ],
            "model": model.SNAPSHOTS.get(body["model"], body["model"]),
            "usage": {"prompt_tokens": count, "total_tokens": count},
        }
    )


def is_written(item: Json) -> bool:
    """Return whether a chunk or an event carries what the model writes, which takes its time."""
    return "delta" in item or any(choice["delta"].get("content") for choice in item.get("choices", ()))


REPLIES: dict[str, Reply] = {
    "/v1/chat/completions": reply_to_chat,
    "/openai/v1/chat/completions": reply_to_chat,  # Groq's
    "/v1/responses": reply_to_responses,
    "/v1/embeddings": reply_to_embeddings,
}
