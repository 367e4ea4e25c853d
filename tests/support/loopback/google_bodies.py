"""Bodies of the Gemini API and of Vertex AI, by Google's public API reference (ai.google.dev/api, and cloud.google.com/vertex-ai)."""

from __future__ import annotations

from typing import Any

MODEL = "gemini-2.5-flash"
WORDS = ("one", "two", "three")
USAGE: dict[str, Any] = {
    "promptTokenCount": 8,
    "candidatesTokenCount": 3,
    "totalTokenCount": 11,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}],
}


def candidate(*parts: dict[str, Any], reason: str | None = "STOP", index: int = 0) -> dict[str, Any]:
    """One candidate of a response."""
    made: dict[str, Any] = {"content": {"role": "model", "parts": [*parts]}, "index": index}
    return made if reason is None else {**made, "finishReason": reason}


def response(*candidates: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A response of `generateContent`; of one candidate unless given."""
    return {
        "candidates": [*candidates] or [candidate({"text": "Hello"})],
        "usageMetadata": USAGE,
        "modelVersion": "gemini-2.5-flash-001",
        "responseId": "response-1",
        **members,
    }


def calling(*calls: dict[str, Any]) -> dict[str, Any]:
    """A response that calls functions."""
    return response(candidate(*({"functionCall": call} for call in calls)))


def chunks(*words: str, reason: str = "STOP") -> list[dict[str, Any]]:
    """The chunks of `streamGenerateContent`, one for each word; the last one has the reason and the usage."""
    known = {"modelVersion": "gemini-2.5-flash-001", "responseId": "response-1"}
    made = [{"candidates": [candidate({"text": word}, reason=None)], **known} for word in words or WORDS]
    made[-1]["candidates"] = [candidate({"text": (words or WORDS)[-1]}, reason=reason)]
    made[-1]["usageMetadata"] = USAGE
    return made


def error(code: int = 429, status: str = "RESOURCE_EXHAUSTED", message: str = "No quota is left.") -> dict[str, Any]:
    """The body of a failure."""
    return {"error": {"code": code, "message": message, "status": status}}
