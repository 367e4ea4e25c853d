"""Accumulates the chunks of a chat or a generated text into the plain response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.fields import items, member, members

if TYPE_CHECKING:
    from collections.abc import Mapping


class TextChunks:
    """Accumulates chunks of a generated text. Only the last one of a complete stream has more than new content."""

    __slots__ = ("_content", "_image", "_last", "_texts", "_tools")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._last: Any = None
        self._texts: dict[str, list[str]] = {"content": [], "response": [], "thinking": []}
        self._tools: list[Any] = []
        self._image: Any = None

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        self._last = chunk
        if self._content:
            self._add(self._new_members(chunk))

    def _new_members(self, chunk: Any) -> Mapping[str, Any]:
        return members(chunk)

    def _add(self, new: Mapping[str, Any]) -> None:
        for name, pieces in self._texts.items():
            piece = new.get(name)
            if piece and isinstance(piece, str):
                pieces.append(piece)
        self._tools += items(new, "tool_calls")
        self._image = new.get("image") or self._image

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        return {**members(self._last), **self._together()}

    def _together(self) -> dict[str, Any]:
        joined: dict[str, Any] = {name: "".join(pieces) for name, pieces in self._texts.items() if pieces}
        if self._image is not None:
            joined["image"] = self._image
        return joined


class MessageChunks(TextChunks):
    """Accumulates chunks of a chat, which have the new content in a message. Each tool call is in one chunk."""

    __slots__ = ()

    def _new_members(self, chunk: Any) -> Mapping[str, Any]:
        return members(member(chunk, "message"))

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        message = {"role": "assistant", "content": "", **self._together()}
        if self._tools:
            message["tool_calls"] = self._tools
        return {**members(self._last), "message": message}
