"""Accumulates the events of a streamed message into the plain message."""

from __future__ import annotations

from typing import Any

from ..fields import integer, member, members, string, whole_string

# Type of a delta -> the member of the delta that is read, and the member of the block that it is added to.
_PIECES = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "input"),
    "compaction_delta": ("content", "content"),
}
_BLOCKS = ("content_block_start", "content_block_delta")


class MessageEvents:
    """Accumulates events of the Messages API: `message_start` has the message without content, `message_delta` how it ended.

    The usage of `message_delta` is cumulative, and repeats only a part of the usage of `message_start`.
    """

    __slots__ = ("_blocks", "_content", "_error", "_message", "_usage")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._message: dict[str, Any] | None = None
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self._error: Any = None

    def add(self, event: Any) -> None:
        """Add one event.

        Reading an attribute of a model takes a tenth of the time of `member`, and there are many events.
        """
        try:
            kind = event.type
        except AttributeError:
            kind = member(event, "type")
        if kind in _BLOCKS:
            if self._content:
                self._add_block(members(event))
            elif kind == "content_block_start":
                self._add_kind(members(event))
        elif kind == "message_start":
            self._start(member(event, "message"))
        elif kind == "message_delta":
            self._change(members(event))
        elif kind == "error":
            self._error = member(event, "error")

    def _start(self, message: Any) -> None:
        self._message = dict(members(message))
        self._message["content"] = []
        self._message["stop_reason"] = None
        self._usage = _given(self._message.get("usage"))
        for placeholder in ("output_tokens", "output_tokens_details"):
            self._usage.pop(placeholder, None)

    def _change(self, event: Any) -> None:
        message = self._message = self._message or {"content": []}
        message.update(_given(event.get("delta")))
        for name in ("context_management",):
            if event.get(name) is not None:
                message[name] = event[name]
        self._usage.update(_given(event.get("usage")))

    def _add_block(self, event: Any) -> None:
        index = integer(event.get("index")) or 0
        started = event.get("content_block")
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = _Block(started)
        if started is None:
            block.add(event.get("delta"))

    def _add_kind(self, event: Any) -> None:
        """Record the type of a block, which attributes need: a compaction block means that the context was compacted."""
        kind = {"type": member(event.get("content_block"), "type")}
        self._blocks.setdefault(integer(event.get("index")) or 0, _Block(kind))

    def result(self) -> dict[str, Any]:
        """Return the message received so far; without a `message_start`, only the error."""
        error = {"stream_error": self._error}
        if self._message is None:
            return error
        blocks = [block.result() for _, block in sorted(self._blocks.items())]
        return {**self._message, "content": blocks, "usage": self._usage, **error}


class _Block:
    """Accumulates one content block."""

    __slots__ = ("_citations", "_pieces", "_started")

    def __init__(self, started: Any) -> None:
        self._started = {name: value for name, value in members(started).items() if value is not None}
        self._citations: list[Any] = list(self._started.get("citations") or ())
        self._pieces: dict[str, list[str]] = {}

    def add(self, delta: Any) -> None:
        """Add a delta."""
        held = members(delta)
        kind = string(held.get("type"))
        if kind == "citations_delta":
            self._citations.append(held.get("citation"))
        elif kind in _PIECES:
            source, name = _PIECES[kind]
            piece = whole_string(held.get(source))
            if piece:
                self._pieces.setdefault(name, []).append(piece)

    def result(self) -> dict[str, Any]:
        """Return the block in the form of the plain message; the input of a tool is JSON text, which may be incomplete."""
        block = dict(self._started)
        for name, pieces in self._pieces.items():
            before = block.get(name)
            block[name] = (before if isinstance(before, str) else "") + "".join(pieces)
        if self._citations:
            block["citations"] = self._citations
        return block


def _given(source: Any) -> dict[str, Any]:
    """Return the members that are present and not null."""
    return {name: value for name, value in members(source).items() if value is not None}
