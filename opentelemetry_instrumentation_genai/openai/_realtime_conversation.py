"""Sessions of `realtime.connect`: a connection with a conversation, in which application and server create responses."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._adapter.fields import member, members, string
from .._adapter.openai_api.realtime_events import BEGUN, TRANSCRIBED
from .._adapter.parts import left_out
from .._application.capture_content import capture_in
from .._runtime.guard import guarded
from ._realtime_session import Opened, Response, Session
from ._realtime_transcriptions import Transcriptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.context import Context

_MOST = 256  # items that are kept for the input of the next response
_LATER = ("instructions", "tools")  # of the session, which the server may name after a response was requested
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_STEPS = {
    "session.created": "_started",
    "session.updated": "_changed",
    "input_audio_buffer.committed": "_committed",
    "response.created": "_created",
    "response.done": "_done",
    "error": "_failed",
    TRANSCRIBED: "_transcribed",
}
"""Type of an event -> the method that processes it. Other events belong to the response that they name, or to none."""


class ConversationSession(Session):
    """One connection. Of its responses, one belongs to the conversation at a time, and any number beside it."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._settings: Any = None  # of the session, as the server has them
        self._input: list[Any] = []  # items since the last response
        self._transcriptions = Transcriptions(opened)

    # What the application sends.

    @guarded
    def sends(self, event: Any, context: Context) -> Response | None:
        """Look at an event that the application sends. Return the response that it creates, which has started."""
        held = members(event)
        kind = held.get("type")
        if kind == "response.create":
            response = self._start(held, context)
            if response is not None:
                self._pending.append(response)
            return response
        if kind == "conversation.item.create":
            self._add_input(held.get("item"), context)
        return None

    def _start(self, event: Mapping[str, Any], context: Context) -> Response | None:
        """Start a response: one that the application requests by an event, or one of the server's own."""
        body = self._body(members(event.get("response")))
        response = self._begin(body, event, context)
        if response is not None:
            missing = [name for name in _LATER if body.get(name) is None]
            response.add({"type": BEGUN, "input": body["input"], "missing": missing}, chunk=False)
        return response

    def _body(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the input of a response: what the application gave for it, beside the settings of the session."""
        own = {name: value for name, value in given.items() if not left_out(value)}
        body = {**members(self._settings), "input": [*self._input], **own}
        body["model"] = self._opened.model or member(self._settings, "model")
        if "input" not in own and own.get("conversation") != "none":
            self._input = []
        return body

    def _add_input(self, item: Any, context: Context) -> None:
        """Keep an item for the input of the next response, if anything reads that."""
        if len(self._input) < _MOST and self._reads(context):
            self._input.append(item)

    def _reads(self, context: Context) -> bool:
        """Return whether anything reads the input of a response that is created in a context."""
        opened = self._opened
        return opened.funnel.signals.reads_input(capture_in(context), opened.endpoint.kind)

    # What it receives.

    @guarded
    def received(self, event: Any) -> None:
        """Process an event that the application receives."""
        held = members(event)
        kind = string(held.get("type")) or ""
        if not self._closed:
            self._transcriptions.received(kind, event, self._settings)
        step = _STEPS.get(kind)
        if step is not None:
            getattr(self, step)(held, event)
            return
        response = self._running.get(string(held.get("response_id")))
        if response is not None:
            response.add(event, chunk=kind.endswith(".delta"))

    def _started(self, held: Mapping[str, Any], event: Any) -> None:
        self._changed(held, event)
        if not self._closed:
            settings = self._settings
            self._events.start(string(member(settings, "id")), string(member(settings, "model")))

    def _changed(self, held: Mapping[str, Any], _event: Any) -> None:
        self._settings = held.get("session")

    def _committed(self, held: Mapping[str, Any], _event: Any) -> None:
        """Add the audio that the server makes an item of; its transcript may follow."""
        if not self._closed:
            self._transcriptions.committed(held.get("item_id"), self._settings)
        item = {"type": "message", "role": "user", "id": held.get("item_id"), "content": [{"type": "input_audio"}]}
        self._add_input(item, self._opened.context)

    def _transcribed(self, _held: Mapping[str, Any], event: Any) -> None:
        """Pass the transcript of audio to the responses that it may be input of."""
        for response in (*self._pending, *self._running.values()):
            response.add(event, chunk=False)

    def _taken(self) -> Iterator[Response]:
        yield from super()._taken()
        yield from self._transcriptions.taken()

    def _created(self, held: Mapping[str, Any], event: Any) -> None:
        given = held.get("response")
        response = self._requested(given) or self._start(_NOTHING, self._opened.context)
        if response is None:
            return
        response.add({"type": BEGUN, "session": self._settings}, chunk=False)
        response.add(event, chunk=False)
        self._running[string(member(given, "id"))] = response

    def _requested(self, given: Any) -> Response | None:
        """Return the pending response that has been created, which is pending no more; None if the server has created one of its own."""
        waiting = [*self._pending]
        found = next((one for one in waiting if _fits(members(one.request.get("response")), given)), None)
        if found is None and not self._detects_turns():  # a server that does not repeat what was requested
            found = next(iter(waiting), None)
        if found is not None:
            self._drop(found)
        return found

    def _detects_turns(self) -> bool:
        """Return whether the server creates responses by itself."""
        settings = self._settings
        today = member(member(member(settings, "audio"), "input"), "turn_detection")
        return (member(settings, "turn_detection") or today) is not None

    def _done(self, held: Mapping[str, Any], event: Any) -> None:
        response = self._running.pop(string(member(held.get("response"), "id")), None)
        if response is not None:
            self._end(response, event, chunk=False)

    def _failed(self, held: Mapping[str, Any], event: Any) -> None:
        """End the response that an error is about, if it is about the creation of one."""
        error = held.get("error")
        response = next((one for one in [*self._pending] if _is_about(error, one.request)), None)
        if response is None:
            self._reported(held)
            return
        self._drop(response)
        self._end(response, event, chunk=False)


def _fits(requested: Mapping[str, Any], given: Any) -> bool:
    """Return whether a response that was created may be the one that was requested: it has its metadata, and is where that was to be."""
    metadata = requested.get("metadata")
    beside = requested.get("conversation") == "none"
    if beside and member(given, "conversation_id") is not None:
        return False
    return dict(members(None if left_out(metadata) else metadata)) == dict(members(member(given, "metadata")))


def _is_about(error: Any, request: Mapping[str, Any]) -> bool:
    """Return whether an error is about an event by which the application creates a response.

    It names the event if that has an id; if it has none, it names what is wrong with the event.
    """
    identity = string(member(error, "event_id"))
    if identity is not None:
        return identity == request.get("event_id")
    parameter = string(member(error, "param")) or ""
    about = parameter == "response" or parameter.startswith("response.")
    return about or member(error, "code") == "conversation_already_has_active_response"
