"""What Anthropic's API is asked and what it answers, each as small as it can be and still whole."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from loopback.replies import Reply, Sse

MODEL = "claude-test"
SERVED = "claude-test-20990101"
BATCH = "msgbatch_1"
MESSAGES: dict[str, Any] = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}
USAGE: dict[str, Any] = {"input_tokens": 8, "output_tokens": 3}
PING: dict[str, Any] = {"type": "ping"}

# What of a block comes in pieces: member -> type of the delta, and its member.
_PIECES = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "signature": ("signature_delta", "signature"),
    "input": ("input_json_delta", "partial_json"),
}


def text(content: str, **more: Any) -> dict[str, Any]:
    """A block of text."""
    return {"type": "text", "text": content, **more}


def message(*blocks: Any, **changes: Any) -> dict[str, Any]:
    """A message of the model; ``changes`` replace members."""
    known = {"id": "msg_1", "type": "message", "role": "assistant", "model": SERVED}
    ending = {"stop_reason": "end_turn", "stop_sequence": None, "usage": USAGE}
    return {**known, "content": list(blocks), **ending, **changes}


def counted(tokens: int) -> dict[str, Any]:
    """How many tokens a request would have."""
    return {"input_tokens": tokens}


def batch(status: str = "in_progress", **counts: int) -> dict[str, Any]:
    """A batch of requests; one that has ended says where its results are."""
    none = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    ended = status == "ended"
    return {
        "id": BATCH,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": {**none, **counts},
        "created_at": "2099-01-01T00:00:00Z",
        "expires_at": "2099-01-02T00:00:00Z",
        "ended_at": "2099-01-01T01:00:00Z" if ended else None,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"https://api.anthropic.com/v1/messages/batches/{BATCH}/results" if ended else None,
    }


def result(name: str, outcome: str = "succeeded", **members: Any) -> dict[str, Any]:
    """The result of one request of a batch."""
    return {"custom_id": name, "result": {"type": outcome, **members}}


def started(usage: Mapping[str, Any] = USAGE, **changes: Any) -> dict[str, Any]:
    """The event with which a stream begins: the message without content, and with a placeholder for the output's tokens."""
    empty = {"stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    return {"type": "message_start", "message": {**message(), **empty, **changes}}


def opened(block: Mapping[str, Any], index: int = 0) -> dict[str, Any]:
    """The event with which a block begins."""
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(kind: str, index: int = 0, **delta: Any) -> dict[str, Any]:
    """A piece of a block."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **delta}}


def closed(index: int = 0) -> dict[str, Any]:
    """The event with which a block ends."""
    return {"type": "content_block_stop", "index": index}


def ended(reason: str | None = "end_turn", sequence: str | None = None, **usage: Any) -> list[dict[str, Any]]:
    """The two events with which a message ends; its usage is that of the whole message."""
    final_usage = usage or {"output_tokens": USAGE["output_tokens"]}
    delta = {"stop_reason": reason, "stop_sequence": sequence}
    return [{"type": "message_delta", "delta": delta, "usage": final_usage}, {"type": "message_stop"}]


def block_events(block: Mapping[str, Any], pieces: Sequence[Any], index: int = 0) -> list[dict[str, Any]]:
    """The events of a block: of ``block`` the rest is there at once, what is in ``pieces`` comes anew: (member, piece) pairs."""
    empty = {name: {} if name == "input" else "" for name, _ in pieces}
    deltas = [piece(_PIECES[name][0], index, **{_PIECES[name][1]: part}) for name, part in pieces]
    return [opened({**block, **empty}, index), *deltas, closed(index)]


def text_events(*words: str) -> list[dict[str, Any]]:
    """A whole streamed message with one block of text."""
    block = block_events({"type": "text"}, [("text", word) for word in words])
    return [started(), *block, *ended()]


def error(message: str, kind: str = "overloaded_error") -> dict[str, Any]:
    """The body of a refusal, and the event of an error in a stream."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def on_bedrock(reply: Reply) -> Reply:
    """The same answer as Amazon Bedrock gives it: its streams are frames of AWS's binary event encoding."""
    if not isinstance(reply, Sse):
        return reply
    assert reply.event_names, "a stream that has no named events is none of this API"
    frames = [event if isinstance(event, bytes) else _chunk_frame(event) for event in reply.events]
    headers = {**reply.headers, "content-type": "application/vnd.amazon.eventstream"}
    return replace(reply, events=frames, event_names=False, done=False, headers=headers)


def bedrock_exception(kind: str, message: str) -> bytes:
    """The frame with which Amazon Bedrock says, in a stream, that it failed."""
    return _frame({":message-type": "exception", ":exception-type": kind}, {"message": message})


def _chunk_frame(event: Any) -> bytes:
    payload = {"bytes": b64encode(json.dumps(event).encode()).decode()}
    return _frame({":event-type": "chunk", ":message-type": "event"}, payload)


def _frame(kind: Mapping[str, str], content: Any) -> bytes:
    """One frame by AWS's documentation of the encoding: lengths, their checksum, headers, payload, the checksum of all."""
    payload = json.dumps(content).encode()
    names = {**kind, ":content-type": "application/json"}
    headers = b"".join(_frame_headers(names))
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return frame + struct.pack("!I", crc32(frame))


def _frame_headers(names: Mapping[str, str]) -> Iterator[bytes]:
    for name, value in names.items():
        yield struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()


def events(*parts: dict[str, Any] | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A stream, from events and lists of them."""
    return [event for part in parts for event in (part if isinstance(part, list) else [part])]
