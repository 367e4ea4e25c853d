"""Accumulates the chunks of generated content into the plain response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import integer, items, member, members, string
from ._bodies import response_body, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 128  # candidates
_OF_TEXT = frozenset({"text", "thought", "thoughtSignature"})
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class ContentChunks:
    """Accumulates chunks. Each has new content of its candidates, and the usage so far.

    Args:
        content: whether messages are needed.
    """

    __slots__ = ("_candidates", "_content", "_last", "_usage")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._candidates: dict[int, _Candidate] = {}
        self._last: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        body = members(response_body(chunk))
        self._last.update({name: value for name, value in body.items() if name != "candidates"})
        self._usage.update(members(body.get("usageMetadata")))
        for candidate in items(body, "candidates"):
            index = integer(member(candidate, "index")) or 0
            if index not in self._candidates and len(self._candidates) < _MOST:
                self._candidates[index] = _Candidate(self._content)
            if index in self._candidates:
                self._candidates[index].add(candidate)

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        candidates = [self._candidates[index].result() for index in sorted(self._candidates)]
        usage = {"usageMetadata": self._usage} if self._usage else {}
        return {**self._last, **usage, "candidates": candidates}


class _Candidate:
    """One candidate.

    Args:
        content: whether its parts are needed; else only whether it calls functions.
    """

    __slots__ = ("_call", "_content", "_parts", "_reason", "_text")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._reason: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._text: tuple[bool, list[str]] | None = None  # of the last part: whether it is a thought, and its pieces
        self._call: dict[str, Any] | None = None  # the one with arguments that are still arriving

    def add(self, candidate: Any) -> None:
        """Add what a chunk has of it."""
        self._reason = string(member(candidate, "finishReason")) or self._reason
        for part in items(member(candidate, "content"), "parts"):
            held = members(part)
            if "functionCall" in held:
                self._add_call(spelled(held["functionCall"]))
            elif self._content and isinstance(held.get("text"), str) and held.keys() <= _OF_TEXT:
                self._add_text(held["text"], thought=held.get("thought") is True)
            elif self._content:
                self._begin(dict(held))

    def _begin(self, part: dict[str, Any]) -> None:
        self._text = None
        self._parts.append(part)

    def _add_text(self, piece: str, *, thought: bool) -> None:
        if self._text is None or self._text[0] is not thought:
            pieces: list[str] = []
            self._begin({"text": pieces, "thought": thought})
            self._text = thought, pieces
        self._text[1].append(piece)

    def _add_call(self, call: Mapping[str, Any]) -> None:
        """Add a call of a function: a whole one, or a piece of one with streamed arguments, of which the first has the name."""
        if not self._content:
            self._parts = self._parts or [{"functionCall": {}}]
            return
        if self._call is None or call.get("name"):
            self._call = {name: value for name, value in call.items() if name not in ("partialArgs", "willContinue")}
            self._begin({"functionCall": self._call})
        for piece in items(call, "partialArgs"):
            self._add_argument(spelled(piece))
        if call.get("willContinue") is not True:
            self._call = None

    def _add_argument(self, piece: Mapping[str, Any]) -> None:
        """Add a piece of an argument. What is nested stands under its path."""
        assert self._call is not None
        name = string(piece.get("jsonPath")) or ""
        given = next((piece[kind] for kind in _VALUES if kind in piece), None)
        arguments = self._call.setdefault("args", {})
        before = arguments.get(name := name.removeprefix("$."))
        arguments[name] = before + given if isinstance(before, str) and isinstance(given, str) else given

    def result(self) -> dict[str, Any]:
        """Return what was received of it."""
        parts = [
            {**part, "text": "".join(part["text"])} if isinstance(part.get("text"), list) else part
            for part in self._parts
        ]
        return {"content": {"role": "model", "parts": parts}, "finishReason": self._reason}
