"""Events of the Realtime API, by OpenAI's API reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MODEL = "gpt-realtime"
SNAPSHOT = "gpt-realtime-2025-08-28"
USAGE: dict[str, Any] = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "image_tokens": 0,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def session(**more: Any) -> dict[str, Any]:
    """The first event of a connection."""
    made = {
        "id": "sess_1",
        "object": "realtime.session",
        "type": "realtime",
        "model": SNAPSHOT,
        "instructions": "Be brief.",
        "tools": [TOOL],
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {"input": {"turn_detection": None}, "output": {"voice": "marin"}},
        **more,
    }
    return {"type": "session.created", "session": made}


def created(identity: str = "resp_1", **more: Any) -> dict[str, Any]:
    """A response has been created."""
    made = {
        "object": "realtime.response",
        "id": identity,
        "status": "in_progress",
        "status_details": None,
        "conversation_id": "conv_1",
        "output": [],
        "metadata": None,
        "usage": None,
        **more,
    }
    return {"type": "response.created", "response": made}


def spoken(transcript: str, identity: str = "item_a") -> dict[str, Any]:
    """An item of the output: a message of audio, with its transcript."""
    content = [{"type": "output_audio", "transcript": transcript}]
    return {"id": identity, "type": "message", "status": "completed", "role": "assistant", "content": content}


def called(arguments: str = '{"city":"Rome"}') -> dict[str, Any]:
    """An item of the output: a call of the function."""
    call = {"type": "function_call", "name": "weather", "call_id": "call_1", "arguments": arguments}
    return {"id": "item_f", "object": "realtime.item", "status": "completed", **call}


def deltas(*pieces: str, identity: str = "resp_1") -> list[dict[str, Any]]:
    """Audio, and its transcript."""
    place = {"response_id": identity, "item_id": "item_a", "output_index": 0, "content_index": 0}
    item = {"id": "item_a", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "response_id": identity, "output_index": 0, "item": item}
    ]
    for piece in pieces:
        events += [
            {"type": "response.output_audio.delta", **place, "delta": "AAAA"},
            {"type": "response.output_audio_transcript.delta", **place, "delta": piece},
        ]
    return events


def done(identity: str = "resp_1", output: Sequence[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A response has ended."""
    made = created(identity)["response"]
    ended = {**made, "status": "completed", "output": list(output), "usage": USAGE, **more}
    return {"type": "response.done", "response": ended}


def error(code: str | None = None, **more: Any) -> dict[str, Any]:
    """The server refuses something."""
    report = {"type": "invalid_request_error", "code": code, "message": "No.", "param": None, "event_id": None}
    return {"type": "error", "error": {**report, **more}}


def typed(text: str) -> dict[str, Any]:
    """An item of the input: a text of the user."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def committed(item: str) -> dict[str, Any]:
    """The server makes an item of the audio."""
    return {"type": "input_audio_buffer.committed", "previous_item_id": None, "item_id": item}


def transcribing(step: str, item: str, **more: Any) -> dict[str, Any]:
    """An event of the transcription of an item of audio."""
    kind = f"conversation.item.input_audio_transcription.{step}"
    return {"type": kind, "item_id": item, "content_index": 0, **more}


def transcription(item: str, *pieces: str, usage: Any = None) -> list[dict[str, Any]]:
    """The text of an item of audio, piece by piece and whole."""
    whole = transcribing("completed", item, transcript="".join(pieces), usage=usage)
    return [*(transcribing("delta", item, delta=piece) for piece in pieces), whole]
