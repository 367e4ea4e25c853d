"""What a test lets the model server answer: one frozen record per kind of reply, and the plan each comes down to.

A body consists of pieces, each written to the wire by itself. ``end`` says what becomes of them:

- ``complete``: all pieces, and the regular end.
- ``cut``: the first pieces, then the connection is closed, so that the client fails.
- ``early``: the first pieces, then a clean end of the body, as if that had been all.
- ``stall``: the first pieces, then nothing until the client leaves, the test calls ``server.release()`` (then the
  rest follows), or 10 s are over (then the connection is closed).

``sent`` is how many pieces are "the first": all but the last one unless given. What marks the end of a stream
(``data: [DONE]``) counts as no piece and follows the last one only if the body is complete.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

Ending = Literal["complete", "cut", "early", "stall"]
Event = Mapping[str, Any] | str | bytes


@dataclass(frozen=True)
class Plan:
    """One answer as the server carries it out."""

    status: int
    headers: Mapping[str, str]
    pieces: Sequence[bytes]
    terminator: bytes = b""
    end: Ending = "complete"
    sent: int | None = None
    delay: float = 0.0
    gzip: bool = False
    streamed: bool = False
    wait: float = 0.0

    @property
    def first(self) -> int:
        """How many pieces go out before the ending."""
        if self.end == "complete":
            return len(self.pieces)
        return max(len(self.pieces) - 1, 0) if self.sent is None else self.sent


class Reply(Protocol):
    """Anything that knows what to answer."""

    def plan(self) -> Plan:
        """The answer, ready to be carried out."""


@dataclass(frozen=True)
class Text:
    """A body of any type as it is, malformed JSON and HTML included; its two halves are its pieces."""

    text: str
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    end: Ending = "complete"
    sent: int | None = None
    gzip: bool = False

    def plan(self) -> Plan:
        """A body with its length declared, so that one that is cut is seen to be too short."""
        body = self.text.encode()
        middle = len(body) // 2
        return Plan(
            self.status,
            {"content-type": self.content_type, **self.headers},
            (body[:middle], body[middle:]),
            end=self.end,
            sent=self.sent,
            gzip=self.gzip,
        )


@dataclass(frozen=True)
class Json:
    """A plain response."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    end: Ending = "complete"
    sent: int | None = None
    gzip: bool = False

    def plan(self) -> Plan:
        """The body as JSON text."""
        text = json.dumps(self.body)
        return Text(text, "application/json", self.status, self.headers, self.end, self.sent, self.gzip).plan()


@dataclass(frozen=True)
class Sse:
    """A stream of server-sent events; a piece is an event.

    A mapping is sent as JSON, a string as the data of an event as it stands (malformed JSON included), and bytes go
    to the wire untouched (comments, half events). ``event_names`` adds an ``event: <type>`` line, as the Responses
    API and Anthropic do; ``done`` sends ``data: [DONE]``, as the others do, and is on where names are off.
    """

    events: Sequence[Event]
    event_names: bool = False
    done: bool | None = None
    delay: float = 0.0
    gzip: bool = False
    end: Ending = "complete"
    sent: int | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def plan(self) -> Plan:
        """One chunk on the wire per event."""
        done = not self.event_names if self.done is None else self.done
        return Plan(
            self.status,
            {"content-type": "text/event-stream; charset=utf-8", **self.headers},
            tuple(self._written(event) for event in self.events),
            b"data: [DONE]\n\n" if done else b"",
            self.end,
            self.sent,
            self.delay,
            self.gzip,
            streamed=True,
        )

    def _written(self, event: Event) -> bytes:
        """The bytes of one event."""
        if isinstance(event, bytes):
            return event
        if isinstance(event, str):
            return f"data: {event}\n\n".encode()
        name = f"event: {event['type']}\n" if self.event_names else ""
        return f"{name}data: {json.dumps(event)}\n\n".encode()


@dataclass(frozen=True)
class Ndjson:
    """A stream of one JSON value per line, as Ollama sends it, and Anthropic as `JSONL`; a piece is a line."""

    lines: Sequence[Event]
    delay: float = 0.0
    gzip: bool = False
    end: Ending = "complete"
    sent: int | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/x-ndjson"

    def plan(self) -> Plan:
        """One chunk on the wire per line."""
        return Plan(
            self.status,
            {"content-type": self.content_type, **self.headers},
            tuple(_line(line) for line in self.lines),
            b"",
            self.end,
            self.sent,
            self.delay,
            self.gzip,
            streamed=True,
        )


JSONL = "application/x-jsonl"


@dataclass(frozen=True)
class Hang:
    """No response headers before ``seconds`` are over or the test calls ``server.release()``; then another reply.

    Nothing is sent any more once the client has left.
    """

    seconds: float = 10.0
    then: Reply = field(default_factory=lambda: Text("the model server hung, as the reply requires", status=504))

    def plan(self) -> Plan:
        """The other reply, later."""
        return replace(self.then.plan(), wait=self.seconds)


def _line(line: Event) -> bytes:
    """A string is a line as it stands, bytes are untouched."""
    if isinstance(line, bytes):
        return line
    return ((line if isinstance(line, str) else json.dumps(line)) + "\n").encode()
