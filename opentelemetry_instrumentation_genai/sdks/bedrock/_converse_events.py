"""Accumulates the events of a streamed Converse call into the plain response."""

from __future__ import annotations

from typing import Any

from ..._adapter.fields import integer, items, member, members, whole_string
from ..._adapter.joined_object import JoinedObject

_LAST = ("metadata", "messageStop")


class ConverseEvents:
    """Accumulates events: each is an object with one member, which names its type.

    A model may leave the start of a text block out: its first delta begins it.
    """

    __slots__ = ("_blocks", "_content", "_known", "_role", "_started")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._started = False
        self._role: Any = "assistant"
        self._known: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}

    def add(self, event: Any) -> None:
        """Add one event."""
        held = members(event)
        if "contentBlockDelta" in held:
            self._started = True
            if self._content:
                delta = members(held["contentBlockDelta"])
                self._block(delta).add(members(delta.get("delta")))
        elif "contentBlockStart" in held and self._content:
            start = members(held["contentBlockStart"])
            self._block(start).start(members(start.get("start")))
        elif "messageStart" in held:
            self._started = True
            self._role = member(held["messageStart"], "role") or self._role
        for name in _LAST:
            if name in held:
                self._known.update(members(held[name]))

    def _block(self, event: Any) -> _Block:
        index = integer(event.get("contentBlockIndex")) or 0
        return self._blocks.setdefault(index, _Block())

    def result(self) -> dict[str, Any]:
        """Return the response received so far; without an `output` before the message begins."""
        if not self._started:
            return dict(self._known)
        content = [block.result() for _, block in sorted(self._blocks.items())]
        return {**self._known, "output": {"message": {"role": self._role, "content": content}}}


class _Block:
    """Accumulates one content block."""

    __slots__ = ("_citations", "_joined", "_kind", "_results", "_started")

    def __init__(self) -> None:
        self._kind = "text"
        self._started: dict[str, Any] = {}
        self._joined = JoinedObject()
        self._citations: list[Any] = []
        self._results: list[Any] = []

    def start(self, start: Any) -> None:
        """Add what a block starts with: the id and the name of a tool, the format of an image."""
        for kind, value in start.items():
            self._kind, self._started = kind, dict(members(value))

    def add(self, delta: Any) -> None:
        """Add a delta."""
        for kind, value in delta.items():
            if kind == "text":
                self._joined.add(delta)
            elif kind == "citation":
                self._citations.append(value)
            elif kind == "toolResult":
                self._kind = kind
                self._results += value if isinstance(value, (list, tuple)) else ()
            else:
                self._kind = kind
                self._joined.add(value)

    def result(self) -> dict[str, Any]:
        """Return the block in the form of the plain response; the input of a tool is JSON text, which may be incomplete."""
        joined = self._joined.result()
        if self._kind == "text":
            written = joined.get("text", "")
            if not self._citations:
                return {"text": written}
            return {"citationsContent": {"content": [{"text": written}], "citations": self._citations}}
        if self._kind == "reasoningContent":
            return {"reasoningContent": {"reasoningText": joined} if "text" in joined else {"redactedContent": b""}}
        held = {**self._started, **joined}
        if self._results:
            held["content"] = [*items(held, "content"), *_joined(self._results)]
        return {self._kind: held}


def _joined(results: list[Any]) -> list[Any]:
    """Return the pieces of a tool result, its texts as one."""
    texts = [piece for result in results if (piece := whole_string(member(result, "text")))]
    others = [result for result in results if "text" not in members(result)]
    return [*([{"text": "".join(texts)}] if texts else []), *others]
