"""Accumulates the events of one response on a connection of the Realtime API into the response that its last event has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from ..fields import member, string, whole_string
from .typed_events import TypedEvents

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGUN: Final = "begun"
"""The type of events that no server sends: what a response begins with.

Members are `input`, its items; `missing`, what neither the application gave for it nor the session has so far; and `session`."""
TRANSCRIBED: Final = "conversation.item.input_audio_transcription.completed"
"""The type of the event with the transcript of audio that is input; it may come while the response is generated."""

# The types of the beta are those without `output_`.
_TRANSCRIPT, _TEXT = ("output_audio", "transcript"), ("output_text", "text")


class RealtimeEvents(TypedEvents):
    """Accumulates the events of one response. Audio is not kept, only what it says."""

    deltas: ClassVar[Mapping[str, tuple[str, str]]] = {
        "response.output_audio_transcript.delta": _TRANSCRIPT,
        "response.audio_transcript.delta": _TRANSCRIPT,
        "response.output_text.delta": _TEXT,
        "response.text.delta": _TEXT,
        "response.function_call_arguments.delta": ("", "arguments"),
        "response.mcp_call_arguments.delta": ("", "arguments"),
    }
    kept: ClassVar[tuple[str, ...]] = ("id", "status", "status_details", "conversation_id", "usage", "output")

    __slots__ = ("_input", "_missing", "_session", "_transcripts")

    def __init__(self, content: bool) -> None:
        super().__init__(content)
        self._session: Any = None
        self._input: Any = ()
        self._missing: Any = ()
        self._transcripts: dict[str, str] = {}

    def add(self, event: Any) -> None:
        """Add one event."""
        kind = member(event, "type")
        if kind == BEGUN:
            self._session = event.get("session", self._session)
            self._input, self._missing = event.get("input", self._input), event.get("missing", self._missing)
        elif kind == TRANSCRIBED:
            self._add_transcript(event)
        else:
            super().add(event)

    def _add_transcript(self, event: Any) -> None:
        identity, transcript = string(member(event, "item_id")), whole_string(member(event, "transcript"))
        if self._content and identity is not None and transcript is not None:
            self._transcripts[identity] = transcript

    def result(self) -> dict[str, Any]:
        """Return the response received so far, with the model of its session, and what is known of its input since it began."""
        response = super().result()
        session = self._session
        response["model"], response["session_id"] = member(session, "model"), member(session, "id")
        response.update({name: member(session, name) for name in self._missing})
        if self._transcripts:
            response["input"], response["transcripts"] = self._input, self._transcripts
        return response
