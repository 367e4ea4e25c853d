"""The chunks of a chat or a generated text, put together into the plain response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.fields import items, member, members

if TYPE_CHECKING:
    from collections.abc import Mapping


class TextChunks:
    """Chunks of a generated text. Only the last one of a whole stream has more than what came anew."""

    __slots__ = ("_content", "_image", "_last", "_texts", "_tools")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._last: Any = None
        self._texts: dict[str, list[str]] = {"content": [], "response": [], "thinking": []}
        self._tools: list[Any] = []
        self._image: Any = None

    def add(self, chunk: Any) -> None:
        """Take one chunk."""
        self._last = chunk
        if self._content:
            self._add(self._said(chunk))

    def _said(self, chunk: Any) -> Mapping[str, Any]:
        return members(chunk)

    def _add(self, said: Mapping[str, Any]) -> None:
        for name, pieces in self._texts.items():
            piece = said.get(name)
            if piece and isinstance(piece, str):
                pieces.append(piece)
        self._tools += items(said, "tool_calls")
        self._image = said.get("image") or self._image

    def result(self) -> dict[str, Any]:
        """The response as far as it was received."""
        return {**members(self._last), **self._together()}

    def _together(self) -> dict[str, Any]:
        told: dict[str, Any] = {name: "".join(pieces) for name, pieces in self._texts.items() if pieces}
        if self._image is not None:
            told["image"] = self._image
        return told


class MessageChunks(TextChunks):
    """Chunks of a chat, which carry what came anew in a message. A tool call comes whole."""

    __slots__ = ()

    def _said(self, chunk: Any) -> Mapping[str, Any]:
        return members(member(chunk, "message"))

    def result(self) -> dict[str, Any]:
        """The response as far as it was received."""
        message = {"role": "assistant", "content": "", **self._together()}
        if self._tools:
            message["tool_calls"] = self._tools
        return {**members(self._last), "message": message}
