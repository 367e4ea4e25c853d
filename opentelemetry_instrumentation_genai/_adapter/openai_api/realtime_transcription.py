"""Transcription of the audio that a session of the Realtime API gets, by OpenAI's API reference: by a model of its own, billed apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._conventions import names
from ..fields import field, member, members, string, table, whole_string
from .audio import TRANSCRIPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST = frozenset({"completed", "failed"})
"""What the last event of a transcription says."""
_EVENTS = "conversation.item.input_audio_transcription."


class TranscriptionEvents:
    """Accumulates the events of one transcription: pieces of the text, and a last one with the usage and the whole text."""

    __slots__ = ("_content", "_last", "_pieces")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._pieces: list[str] = []
        self._last: Mapping[str, Any] | None = None

    def add(self, event: Any) -> None:
        """Add one event."""
        held = members(event)
        step = step_of(string(held.get("type")) or "")
        if step in LAST:
            self._last = held
        elif step == "delta" and self._content:
            self._pieces.append(whole_string(held.get("delta")) or "")

    def result(self) -> dict[str, Any]:
        """Return what was received so far."""
        last = self._last
        if last is None or last.get("error"):
            return {"text": "".join(self._pieces), "unfinished": True, "error": None if last is None else last["error"]}
        return {"text": last.get("transcript"), "usage": last.get("usage"), "error": None}


def transcription_of(session: Any) -> Any:
    """Return how a session has audio transcribed, in the form of today or in that of the beta; None if it has not."""
    today = member(member(member(session, "audio"), "input"), "transcription")
    return today or member(session, "input_audio_transcription")


def step_of(kind: str) -> str | None:
    """Return what an event of a transcription says, such as `completed`; None for the type of any other event."""
    return kind.removeprefix(_EVENTS) if kind.startswith(_EVENTS) else None


REALTIME_TRANSCRIPTION = replace(
    TRANSCRIPTIONS,
    request=table(field(names.OPENAI_REALTIME_SESSION_ID, string, "session_id")),
    constants={**TRANSCRIPTIONS.constants, names.OPENAI_API_TYPE: "realtime"},
    accumulator=TranscriptionEvents,
    reads_text=False,
)
