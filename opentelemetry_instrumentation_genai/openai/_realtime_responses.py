"""Sessions of `responses.connect`: a connection on which each response is a stream of the events of the Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.fields import members, string
from .._runtime.guard import guarded
from ._realtime_session import Opened, Response, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_STEERING = "response.steer."


class ResponsesSession(Session):
    """One connection. It has lanes, of which each has one response at a time; all events name theirs, but for the lane without a name."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._models: dict[str | None, str] = {}
        self._events.start()

    @guarded
    def sends(self, event: Any, context: Context) -> Response | None:
        """Look at an event that the application sends. Return the response that it creates, which has started."""
        request = members(event)
        if request.get("type") != "response.create":
            return None
        response = self._begin(request, request, context)
        if response is not None:
            self._pending.append(response)
        return response

    @guarded
    def received(self, event: Any) -> None:
        """Process an event that the application receives."""
        held = members(event)
        kind, lane = string(held.get("type")) or "", _lane_of(held)
        if not self._closed:
            self._events.start()  # after a connection that was cut
        if kind == "error":
            self._failed(lane, held, event)
        elif kind.startswith("response.") and not kind.startswith(_STEERING):
            response = self._response_of(lane, created=kind == "response.created")
            if response is not None and kind in _LAST:
                self._running.pop(lane, None)
                self._end(response, event, chunk=True)
            elif response is not None:
                response.add(event, chunk=True)

    def _response_of(self, lane: str | None, *, created: bool) -> Response | None:
        """Return the response that runs in a lane; where none does, the one that was requested next, or one of the server's own."""
        response = None if created else self._running.get(lane)
        if response is None:
            response = self._next(lane)
            if response is None and created:  # it continues the one before, which was steered
                response = self._begin(self._continued(lane), {}, self._opened.context)
            if response is not None:
                self._replace(lane, response)
        return response

    def _next(self, lane: str | None) -> Response | None:
        """Return the response that was requested first in a lane, which is pending no more."""
        response = next((one for one in [*self._pending] if _lane_of(one.request) == lane), None)
        if response is not None:
            self._drop(response)
            model = string(response.request.get("model"))
            if model is not None and len(self._models) < 256:
                self._models[lane] = model
        return response

    def _continued(self, lane: str | None) -> Mapping[str, Any]:
        model = self._models.get(lane)
        return {} if model is None else {"model": model}

    def _replace(self, lane: str | None, response: Response) -> None:
        """Let a response run in a lane. One that still runs there gets no more events."""
        before = self._running.get(lane)
        self._running[lane] = response
        if before is not None:
            before.left()

    def _failed(self, lane: str | None, held: Mapping[str, Any], event: Any) -> None:
        """End the response that an error is about."""
        response = self._running.pop(lane, None) or self._next(lane)
        if response is None:
            self._reported(held)
        else:
            self._end(response, event, chunk=True)


def _lane_of(event: Mapping[str, Any]) -> str | None:
    """Return the name of the lane of an event; None for the lane without one."""
    return string(event.get("stream_id"))
