"""Anthropic's API, as far as a demonstration needs it: messages with thinking, tools and prompt caching, whole or as events."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from . import model
from .pace import FIRST_CHUNK, TOKEN, events
from .plan import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import Left
    from .tally import Reply, Tally

Json = dict[str, Any]
_FAILURES = {
    400: ("invalid_request_error", "Output blocked by content filtering policy."),
    429: ("rate_limit_error", "This request would exceed a limit."),
    500: ("api_error", "Internal server error"),
}


def headers(tally: Tally, _: float, left: Left) -> dict[str, str]:
    """Return the headers of every response."""
    return {
        "request-id": tally.identifier("req_"),
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
        "anthropic-ratelimit-requests-remaining": str(left.requests),
        "anthropic-ratelimit-tokens-remaining": str(left.tokens),
    }


def failure(tally: Tally, status: int) -> Response:
    """Return a rate limit, a refusal by the policy, or an error of the server."""
    kind, message = _FAILURES[status]
    error = {"type": kind, "message": message}
    headers = {"retry-after": "0.15"} if status == 429 else {}
    return JSONResponse({"type": "error", "error": error, "request_id": tally.identifier("req_")}, status, headers)


def refusal(tally: Tally, name: str, *, first: bool) -> Response | None:
    """Refuse unknown models."""
    if tally.knows(name, model.CLAUDES):
        return None
    failure = {"type": "not_found_error", "message": f"model: {name}"}
    return JSONResponse({"type": "error", "error": failure, "request_id": tally.identifier("req_")}, 404)


async def reply_to_messages(tally: Tally, body: Json) -> Response:
    """Answer `POST /v1/messages`, whole or as events."""
    message = whole_message(tally, body)
    if body.get("stream"):
        return events(message_events(message), is_written)
    await asyncio.sleep(FIRST_CHUNK + TOKEN * message["usage"]["output_tokens"])
    return JSONResponse(message)


def whole_message(tally: Tally, body: Json) -> Json:
    """Make the model's message: thinking if it is asked for, then a tool's call or an answer."""
    content = [*thinking_blocks(body), *answer_blocks(tally, body)]
    is_cut = False
    if content[-1]["type"] == "text":
        content[-1]["text"], is_cut = model.limited(content[-1]["text"], body.get("max_tokens"))
    return {
        "id": tally.identifier("msg_"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": "tool_use" if content[-1]["type"] == "tool_use" else "max_tokens" if is_cut else "end_turn",
        "stop_sequence": None,
        "usage": usage(tally, body, content),
    }


def thinking_blocks(body: Json) -> Iterator[Json]:
    """Think, if the request asks for it. The signature is what the API wants to have back with the thoughts."""
    if body.get("thinking", {}).get("type") in {"adaptive", "enabled"}:
        signature = b64encode(model.DOUBTS.encode()[:48]).decode()
        yield {"type": "thinking", "thinking": model.DOUBTS, "signature": signature}


def answer_blocks(tally: Tally, body: Json) -> Iterator[Json]:
    """Call the first tool, for each city of the question, as long as there are no results; else answer."""
    # A runner of the SDK sends, after the first request, what is new alone.
    *_, question = ("", *(text for message in body["messages"] for kind, text in texts(message) if kind == "text"))
    results = [text for kind, text in texts(body["messages"][-1]) if kind == "tool_result"]
    if results:
        yield {"type": "text", "text": model.choose(results)}
    elif tools := body.get("tools"):
        yield {"type": "text", "text": "I look at the timetable."}
        places = model.wanted([tool["name"] for tool in tools], question)
        wanted = [(tools[place], city) for place in places for city in model.cities(question)]
        for index, (tool, city) in enumerate(wanted):
            argument = next(iter(tool.get("input_schema", {}).get("properties", {})), "input")
            identity = tally.identifier(f"toolu_{index}")
            yield {"type": "tool_use", "id": identity, "name": tool["name"], "input": {argument: city}}
    else:
        yield {"type": "text", "text": model.answer(question)}


def texts(message: Json) -> Iterator[tuple[str, str]]:
    """Read what the application writes in a message: its own words, and the results of tools."""
    if message["role"] == "user":
        for block in blocks(message["content"]):
            yield block["type"], model.text_of(block.get("text") or block.get("content"))


def blocks(content: str | list[Json]) -> list[Json]:
    """Read content: a text is one block."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


# Usage


def usage(tally: Tally, body: Json, content: list[Json]) -> Json:
    """Count tokens. What was read from the cache, or written to it, is not among the `input_tokens`."""
    read, written, fresh = account(tally, list(prompt(body)))
    thought = count(block for block in content if block["type"] == "thinking")
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": count(content),
        "output_tokens_details": {"thinking_tokens": thought},
        "service_tier": "standard",
    }


def account(tally: Tally, blocks: list[tuple[list[str], bool]]) -> tuple[int, int, int]:
    """Count the tokens that are read from the cache, written to it, and neither: as planned, else by what was marked."""
    planned = CURRENT.get().cached
    if planned is None:
        return tally.marked.account(blocks)
    every = sum(len(tokens) for tokens, _ in blocks)
    return min(planned, every), 0, max(every - planned, 0)


def prompt(body: Json) -> Iterator[tuple[list[str], bool]]:
    """Read a prompt in the order in which it is cached: the tokens of each block, and whether it is to be cached up to there."""
    written = (block for message in body["messages"] for block in blocks(message["content"]))
    for block in (*body.get("tools", ()), *blocks(body.get("system", [])), *written):
        plain = {name: value for name, value in block.items() if name != "cache_control"}
        yield model.tokens(json.dumps(plain, ensure_ascii=False)), "cache_control" in block


def count(content: Iterator[Json] | list[Json]) -> int:
    """Count the tokens that the model wrote."""
    written = (block.get("text") or block.get("thinking") or json.dumps(block["input"]) for block in content)
    return sum(len(model.tokens(text)) for text in written)


# Events


def message_events(message: Json) -> Iterator[Json]:
    """Take a message apart into the events of a stream: the tokens of the output come at its end."""
    counted = {name: value for name, value in message["usage"].items() if name != "output_tokens_details"}
    begun = {**message, "content": [], "stop_reason": None, "usage": {**counted, "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        yield from block_events(index, block)
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    counts = {name: message["usage"][name] for name in (*names, "output_tokens_details")}
    yield {"type": "message_delta", "delta": ending, "usage": counts}
    yield {"type": "message_stop"}


def block_events(index: int, block: Json) -> Iterator[Json]:
    """Stream one block: it begins empty, and is filled by pieces."""
    empty: Json = {"text": "", "thinking": "", "signature": "", "input": {}}
    begun = {name: empty.get(name, value) for name, value in block.items()}
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    for delta in deltas(block):
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def deltas(block: Json) -> Iterator[Json]:
    """Cut what a block holds into pieces."""
    match block["type"]:
        case "text":
            yield from ({"type": "text_delta", "text": piece} for piece in model.pieces(block["text"]))
        case "thinking":
            yield from ({"type": "thinking_delta", "thinking": piece} for piece in model.pieces(block["thinking"]))
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            written = json.dumps(block["input"], ensure_ascii=False)
            yield from ({"type": "input_json_delta", "partial_json": piece} for piece in model.pieces(written))
        case kind:
            raise NotImplementedError(kind)


def is_written(event: Json) -> bool:
    """Return whether an event carries what the model writes, which takes its time."""
    return bool(event["type"] == "content_block_delta" and event["delta"]["type"] != "signature_delta")


REPLIES: dict[str, Reply] = {"/v1/messages": reply_to_messages}
