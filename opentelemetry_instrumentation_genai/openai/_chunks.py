"""The chunks of a chat completion or a legacy completion, put together into the plain response."""

from __future__ import annotations

from typing import Any

from .._content import plain
from .._fields import integer, items, member, string

_HEAD = ("id", "model", "service_tier", "system_fingerprint")
_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


class ChoiceChunks:
    """Chunks whose `choices` carry what came anew: `delta` of a chat, `text` of a completion.

    Choices may come interleaved, `choices` may be empty (Azure's first chunk, the usage chunk), any member may be missing.
    """

    __slots__ = ("_choices", "_content", "_error", "_head", "_last", "_usage")

    def __init__(self, *, content: bool) -> None:
        self._content = content
        self._choices: dict[int, _Choice] = {}
        self._head: dict[str, Any] = {}
        self._last: Any = None
        self._usage: Any = None
        self._error: Any = None

    def add(self, chunk: Any) -> None:
        """Take one chunk."""
        members = chunk if type(chunk) is dict else getattr(chunk, "__dict__", {})
        if "model" not in self._head:
            self._add_head(chunk)
        for choice in items(members, "choices"):
            self._add_choice(choice if type(choice) is dict else getattr(choice, "__dict__", {}))
        usage = members.get("usage")
        if usage is not None:
            self._usage = usage
        self._last = chunk

    def _add_head(self, chunk: Any) -> None:
        self._head = {**{name: value for name in _HEAD if (value := member(chunk, name))}, **self._head}
        self._error = member(chunk, "error")

    def _add_choice(self, choice: dict[str, Any]) -> None:
        index = integer(choice.get("index")) or 0
        told = self._choices.get(index)
        if told is None:
            told = self._choices[index] = _Choice()
        reason = choice.get("finish_reason")
        if reason is not None:
            told.reason = reason
        if self._content:
            told.add(choice)

    def result(self) -> dict[str, Any]:
        """The response as far as it was received."""
        if self._last is not None:
            self._add_head(self._last)
        choices = [choice.result(index) for index, choice in sorted(self._choices.items())]
        return {**self._head, "usage": self._usage, "stream_error": self._error, "choices": choices}


class _Choice:
    """One choice, as far as it was received."""

    __slots__ = ("_audio", "_function", "_texts", "_tools", "reason")

    def __init__(self) -> None:
        self.reason: Any = None
        self._texts: dict[str, list[str]] = {}
        self._tools: dict[int, _ToolCall] = {}
        self._function: _ToolCall | None = None
        self._audio: dict[str, Any] = {}

    def add(self, choice: dict[str, Any]) -> None:
        """Take what came anew."""
        delta = choice.get("delta")
        if delta is None:
            self._add_text("text", choice.get("text"))
            return
        for name in _TEXTS:
            self._add_text(name, member(delta, name))
        for position, piece in enumerate(items(delta, "tool_calls")):
            index = integer(member(piece, "index"))
            self._tools.setdefault(position if index is None else index, _ToolCall()).add(piece)
        function = member(delta, "function_call")
        if function is not None:
            self._function = self._function or _ToolCall()
            self._function.add({"function": function})
        audio = member(delta, "audio")
        if audio is not None:
            self._add_audio(audio)

    def _add_text(self, name: str, piece: Any) -> None:
        if isinstance(piece, str) and piece:
            self._texts.setdefault(name, []).append(piece)

    def _add_audio(self, audio: Any) -> None:
        self._audio["id"] = member(audio, "id") or self._audio.get("id")
        for name in ("data", "transcript"):
            self._audio[name] = self._audio.get(name, "") + (string(member(audio, name)) or "")

    def result(self, index: int) -> dict[str, Any]:
        """The choice in the shape of the plain response."""
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        message: dict[str, Any] = {
            **texts,
            "tool_calls": [tool.result() for _, tool in sorted(self._tools.items())],
            "audio": self._audio or None,
            "function_call": self._function and self._function.result()["function"],
        }
        return {"index": index, "finish_reason": self.reason, "text": texts.get("text"), "message": message}


class _ToolCall:
    """One tool call, whose arguments come in pieces."""

    __slots__ = ("_identity", "_name", "_pieces")

    def __init__(self) -> None:
        self._identity: Any = None
        self._name = ""
        self._pieces: list[str] = []

    def add(self, piece: Any) -> None:
        """Take what came anew."""
        self._identity = member(piece, "id") or self._identity
        body = member(piece, "function") or member(piece, "custom")
        self._name += string(member(body, "name")) or ""
        piece = member(body, "arguments") or member(body, "input") or ""
        self._pieces.append(piece if isinstance(piece, str) else str(plain(piece)))

    def result(self) -> dict[str, Any]:
        """The tool call in the shape of the plain response."""
        return {"id": self._identity, "function": {"name": self._name, "arguments": "".join(self._pieces)}}
