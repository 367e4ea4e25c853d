"""Bodies of Amazon Bedrock's runtime, by AWS's public API reference and its pages of the parameters of models; written by hand."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from loopback.anthropic_bodies import _frame
from loopback.replies import Json, Reply, Sse

REQUEST_ID = "0f7e2d54-1111-4222-8333-944455566677"
HEADERS = {"x-amzn-requestid": REQUEST_ID}
_STREAM = {**HEADERS, "content-type": "application/vnd.amazon.eventstream"}
METRICS = "amazon-bedrock-invocationMetrics"


def plain(body: Any, *, counts: Mapping[str, int] | None = None, **more: Any) -> Json:
    """A plain response; `counts` are headers without what all of them begin with."""
    headers = {f"x-amzn-bedrock-{name}": str(value) for name, value in (counts or {}).items()}
    return Json(body, headers={**HEADERS, **headers}, **more)


def refused(kind: str, message: str, status: int) -> Json:
    """An error of the service."""
    return Json({"message": message}, status=status, headers={**HEADERS, "x-amzn-errortype": kind})


def event(kind: str, content: Any) -> bytes:
    """One frame of a stream of ConverseStream."""
    return _frame({":event-type": kind, ":message-type": "event"}, content)


def chunk(content: Any) -> bytes:
    """One frame of a stream of InvokeModelWithResponseStream; a text is no JSON of a model."""
    data = content if isinstance(content, str) else json.dumps(content)
    return event("chunk", {"bytes": b64encode(data.encode()).decode()})


def raised(kind: str, message: str) -> bytes:
    """The frame with which a stream says that it failed."""
    return _frame({":exception-type": kind, ":message-type": "exception"}, {"message": message})


def stream(*frames: bytes, **more: Any) -> Sse:
    """A stream."""
    return Sse(frames, done=False, headers=_STREAM, **more)


def chunks(*contents: Any, **more: Any) -> Reply:
    """A stream of the chunks of a model; the last one has the counts."""
    *first, last = contents
    counted = {
        **last,
        METRICS: {"inputTokenCount": 11, "outputTokenCount": 7, "invocationLatency": 900, "firstByteLatency": 300},
    }
    return stream(*map(chunk, first), chunk(counted), **more)


def usage(input_tokens: int = 11, output_tokens: int = 7, read: int = 0, written: int = 0) -> dict[str, int]:
    """The usage of Converse; cached tokens are in the total, and not among those of the input."""
    total = input_tokens + output_tokens + read + written
    cached = {"cacheReadInputTokens": read, "cacheWriteInputTokens": written} if read or written else {}
    return {"inputTokens": input_tokens, "outputTokens": output_tokens, "totalTokens": total, **cached}


def converse(*content: Mapping[str, Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    """A response of Converse."""
    return {
        "output": {"message": {"role": "assistant", "content": [*content]}},
        "stopReason": reason,
        "usage": usage(),
        "metrics": {"latencyMs": 800},
        **more,
    }


def block(index: int, *deltas: Mapping[str, Any], start: Mapping[str, Any] | None = None) -> list[bytes]:
    """The events of one content block."""
    started = [] if start is None else [event("contentBlockStart", {"start": start, "contentBlockIndex": index})]
    pieces = [event("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}) for delta in deltas]
    return [*started, *pieces, event("contentBlockStop", {"contentBlockIndex": index})]


def begun() -> bytes:
    """The first event of a stream of Converse."""
    return event("messageStart", {"role": "assistant"})


def ended(reason: str = "end_turn", **more: Any) -> list[bytes]:
    """The last events of a stream of Converse."""
    metadata = {"usage": usage(), "metrics": {"latencyMs": 800}, **more}
    return [event("messageStop", {"stopReason": reason}), event("metadata", metadata)]


def words(*texts: str, **more: Any) -> Reply:
    """A whole stream of Converse with one text."""
    return stream(begun(), *block(0, *({"text": text} for text in texts)), *ended(), **more)
