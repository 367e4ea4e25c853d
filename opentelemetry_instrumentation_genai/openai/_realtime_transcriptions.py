"""Transcriptions on a connection of the Realtime API: each is a call, from the end of the audio to its text.

The server makes them by a model of their own, beside the responses, and names the item with the audio. There is one where the session
has audio transcribed; a server that does not describe its session shows it by the events.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._adapter.fields import member, members, string
from .._adapter.openai_api.realtime_transcription import LAST, step_of, transcription_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._realtime_session import Opened, Response

_MOST = 64  # that run at a time


class Transcriptions:
    """Those of one session.

    Args:
        opened: how the connection was opened.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._running: dict[str, Response] = {}

    def committed(self, item: object, session: Any) -> None:
        """Begin one for an item of audio, if the session has it transcribed."""
        identity = string(item)
        if identity is not None and transcription_of(session) and identity not in self._running:
            self._start(identity, session)

    def received(self, kind: str, event: Any, session: Any) -> None:
        """Process an event, if it is one of a transcription.

        Args:
            kind: its type.
            event: the event.
            session: what is known of the session.
        """
        step, identity = step_of(kind), string(member(event, "item_id"))
        if step is None or identity is None:
            return
        running = self._running.get(identity)
        # Nothing is counted of one that was not seen to begin, unless its usage is there.
        if running is None and (step == "delta" or member(event, "usage")):
            running = self._start(identity, session)
        if running is None:
            return
        running.add(event, chunk=step == "delta")
        if step in LAST:
            self._running.pop(identity, None)
            running.ended()

    def taken(self) -> Iterator[Response]:
        """Yield each that has not ended, which is no longer kept here."""
        with suppress(KeyError):  # another thread was faster
            while self._running:
                yield self._running.popitem()[1]

    def _start(self, identity: str, session: Any) -> Response | None:
        opened = self._opened
        body = {**members(transcription_of(session)), "session_id": member(session, "id")}
        made = opened.begin(opened.transcription, body, opened.context)  # the server makes it by itself
        if made is not None:
            self._running[identity] = made
        if len(self._running) > _MOST:  # of a server that reports the end of none
            self._running.pop(next(iter(self._running))).left()
        return made
