"""What OpenAI's API is asked and what it answers, each as small as it can be and still whole."""

from __future__ import annotations

from typing import Any

MODEL = "gpt-4o-mini"
SERVED = "gpt-4o-mini-2024-07-18"
CHAT: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}


def completion(content: Any = "Hello", **changes: Any) -> dict[str, Any]:
    """A chat completion with one choice; ``changes`` replace members."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
    known = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": SERVED}
    return {**known, "choices": [choice], "usage": usage, **changes}


def chunk(delta: Any = None, *, reason: str | None = None, **changes: Any) -> dict[str, Any]:
    """A chunk of a streamed chat completion; ``changes`` replace members."""
    choice = {"index": 0, "finish_reason": reason, "delta": {} if delta is None else delta}
    known = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": SERVED}
    return {**known, "choices": [choice], **changes}


def chunks(*pieces: str) -> list[dict[str, Any]]:
    """A whole streamed chat completion."""
    return [chunk({"role": "assistant", "content": piece}) for piece in pieces] + [chunk(reason="stop")]


def response(text: str = "Hello", **changes: Any) -> dict[str, Any]:
    """A response of the Responses API with one message; ``changes`` replace members."""
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    usage = {"input_tokens": 8, "output_tokens": 2, "total_tokens": 10}
    known = {"id": "resp_1", "object": "response", "created_at": 1, "model": SERVED, "status": "completed"}
    return {**known, "output": [message], "usage": usage, **changes}


def error(message: str, code: Any = None, kind: Any = "invalid_request_error") -> dict[str, Any]:
    """The body of a refusal."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def moderation(**changes: Any) -> dict[str, Any]:
    """A moderation of one text; ``changes`` replace members."""
    result = {
        "flagged": True,
        "categories": {"harassment": True, "violence": False},
        "category_scores": {"harassment": 0.75, "violence": 0.0},
        "category_applied_input_types": {"harassment": ["text"], "violence": ["text"]},
    }
    return {"id": "modr-1", "model": "omni-moderation-latest", "results": [result], **changes}


def decision(**changes: Any) -> dict[str, Any]:
    """The answer to one question; ``changes`` replace members."""
    answer = {"type": "predicate", "name": "polite", "probability": 0.75}
    return {"model": MODEL, "answers": [answer], "usage": detailed_usage(30, 2), **changes}


def detailed_usage(given: int, made: int, *, cached: int = 16, reasoning: int = 1) -> dict[str, Any]:
    """The usage of a response, with its details."""
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 4},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": given + made,
    }


def found(*texts: str) -> dict[str, Any]:
    """The documents that a search of a vector store found, the best first."""
    data = [
        {
            "file_id": f"file-{place}",
            "filename": f"{place}.md",
            "score": 1 - place / 8,
            "attributes": {"author": "Ada"} if place == 1 else {},
            "content": [{"type": "text", "text": line} for line in text.split("\n")],
        }
        for place, text in enumerate(texts, 1)
    ]
    page = {"object": "vector_store.search_results.page", "search_query": ["tea"], "data": data}
    return {**page, "has_more": False, "next_page": None}


def batch(**changes: Any) -> dict[str, Any]:
    """A batch of requests; ``changes`` replace members."""
    known = {
        "id": "batch_1",
        "object": "batch",
        "endpoint": "/v1/responses",
        "input_file_id": "file-1",
        "completion_window": "24h",
        "created_at": 1,
        "status": "validating",
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
    }
    return {**known, **changes}


def compacted(**changes: Any) -> dict[str, Any]:
    """A conversation that was compacted; ``changes`` replace members."""
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "Hi"}],
    }
    compaction = {"type": "compaction", "id": "cmp_1", "encrypted_content": "c2VjcmV0"}
    known = {"id": "resp_2", "object": "response.compaction", "created_at": 1, "output": [message, compaction]}
    return {**known, "usage": detailed_usage(30, 12), **changes}


def images(*data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The images that were made; ``changes`` replace members."""
    return {"created": 1, "output_format": "png", "data": list(data), "usage": image_usage(), **changes}


def image_usage() -> dict[str, Any]:
    """The usage of one image, by what the tokens are of."""
    return {
        "input_tokens": 30,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 20},
        "output_tokens": 272,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 272},
        "total_tokens": 302,
    }


def image_events(kind: str, *partial: str, whole: str) -> list[dict[str, Any]]:
    """A stream with partial images in base64, and the whole one; ``kind`` is the beginning of the types of events."""
    known = {"created_at": 1, "output_format": "png", "size": "1024x1024", "quality": "low", "background": "opaque"}
    parts = [
        {"type": f"{kind}.partial_image", "b64_json": data, "partial_image_index": index, **known}
        for index, data in enumerate(partial)
    ]
    return [*parts, {"type": f"{kind}.completed", "b64_json": whole, **known, "usage": image_usage()}]


def transcription(**changes: Any) -> dict[str, Any]:
    """What was said in a sound; ``changes`` replace members."""
    return {"text": "Hello there", "logprobs": [{"token": "Hello", "logprob": -0.5}], "usage": audio_usage(), **changes}


def audio_usage() -> dict[str, Any]:
    """The usage of a sound that is billed by its tokens."""
    details = {"text_tokens": 4, "audio_tokens": 10}
    return {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": details,
        "output_tokens": 3,
        "total_tokens": 17,
    }


def verbose_transcription(**changes: Any) -> dict[str, Any]:
    """The same with times, billed by how long the sound is; ``changes`` replace members."""
    known = {"task": "transcribe", "language": "english", "duration": 1.5, "text": "Hello there"}
    words = [{"word": "Hello", "start": 0.0, "end": 0.5}, {"word": "there", "start": 0.5, "end": 1.5}]
    return {**known, "words": words, "usage": {"type": "duration", "seconds": 2}, **changes}


def transcript_events(*pieces: str) -> list[dict[str, Any]]:
    """A streamed transcription."""
    deltas = [{"type": "transcript.text.delta", "delta": piece} for piece in pieces]
    return [*deltas, {"type": "transcript.text.done", "text": "".join(pieces), "usage": audio_usage()}]


def speech_events(*pieces: str) -> list[dict[str, Any]]:
    """A sound as a stream of events, in base64."""
    deltas = [{"type": "speech.audio.delta", "audio": piece} for piece in pieces]
    usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
    return [*deltas, {"type": "speech.audio.done", "usage": usage}]
