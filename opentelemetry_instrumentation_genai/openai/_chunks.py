"""The chunks of a chat completion or a legacy completion, put together into the plain response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._content import plain
from .._fields import integer, items, member, members, string

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = ("id", "model", "service_tier", "system_fingerprint")
_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


class ChoiceChunks:
    """Chunks whose `choices` carry what came anew: `delta` of a chat, `text` of a completion.

    Choices may come interleaved, `choices` may be empty (Azure's first chunk, the usage chunk), any member may be missing.
    """

    __slots__ = ("_choices", "_content", "_error", "_head", "_headless", "_index", "_last", "_usage")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._choices: dict[int, _Choice] = {}
        self._head: dict[str, Any] = {}
        self._headless = True
        self._index: Any = self._choices  # of the choice that came last; none has this
        self._last: Any = None
        self._usage: Any = None
        self._error: Any = None

    def add(self, chunk: Any) -> None:
        """Take one chunk.

        Python reads an attribute of a model at a tenth of the price of `member`, and there are many chunks.
        """
        self._last = chunk
        if self._headless:
            self._add_head(chunk)
        try:
            choices, usage = chunk.choices, chunk.usage
        except AttributeError:
            choices, usage = member(chunk, "choices"), member(chunk, "usage")
        if usage is not None:
            self._usage = usage
        if type(choices) is list:
            for choice in choices:
                if self._content or self._tells(choice):
                    self._add_choice(choice)

    def _tells(self, choice: Any) -> bool:
        """Whether there is more in it than a piece of a choice that was seen."""
        try:
            return choice.finish_reason is not None or choice.index != self._index
        except AttributeError:
            return True

    def _add_head(self, chunk: Any) -> None:
        self._head = {**{name: value for name in _HEAD if (value := member(chunk, name))}, **self._head}
        self._headless = "model" not in self._head
        self._error = member(chunk, "error")

    def _add_choice(self, choice: Any) -> None:
        held = members(choice)
        self._index = held.get("index")
        index = integer(self._index) or 0
        told = self._choices.get(index)
        if told is None:
            told = self._choices[index] = _Choice()
        reason = held.get("finish_reason")
        if reason is not None:
            told.reason = reason
        if self._content:
            told.add(held)

    def result(self) -> dict[str, Any]:
        """The response as far as it was received."""
        if self._last is not None:
            self._add_head(self._last)
        choices = [choice.result(index) for index, choice in sorted(self._choices.items())]
        usage = _usage_within(self._last) if self._usage is None else self._usage
        timings = member(self._last, "timings")
        return {**self._head, "usage": usage, "timings": timings, "stream_error": self._error, "choices": choices}


def _usage_within(chunk: Any) -> Any:
    """The usage that Groq has in its own part of the last chunk, and Moonshot in the choice."""
    places = (member(chunk, "x_groq"), *items(chunk, "choices"))
    return next((usage for place in places if (usage := member(place, "usage")) is not None), None)


class _Choice:
    """One choice, as far as it was received."""

    __slots__ = ("_annotations", "_audio", "_function", "_listed", "_texts", "_tools", "reason")

    def __init__(self) -> None:
        self.reason: Any = None
        self._texts: dict[str, list[str]] = {}
        self._listed: list[Any] = []
        self._annotations: list[Any] = []
        self._tools: dict[int, list[_ToolCall]] = {}
        self._function: _ToolCall | None = None
        self._audio: dict[str, Any] = {}

    def add(self, choice: Mapping[str, Any]) -> None:
        """Take what came anew."""
        delta = choice.get("delta")
        if delta is None:
            self._add_text("text", choice.get("text"))
            return
        held = members(delta)
        for name in _TEXTS:
            piece = held.get(name)
            if piece is not None:
                self._add_text(name, piece)
        self._annotations += items(held, "annotations")
        for position, piece in enumerate(items(held, "tool_calls")):
            index = integer(member(piece, "index"))
            self._tool(position if index is None else index, piece).add(piece)
        function = held.get("function_call")
        if function is not None:
            self._function = self._function or _ToolCall()
            self._function.add({"function": function})
        audio = held.get("audio")
        if audio is not None:
            self._add_audio(audio)

    def _tool(self, index: int, piece: Any) -> _ToolCall:
        """The tool call that a piece is of. Gemini gives the same index to all calls, and each of them whole."""
        told = self._tools.setdefault(index, [])
        if not told or told[-1].over(piece):
            told.append(_ToolCall())
        return told[-1]

    def _add_text(self, name: str, piece: Any) -> None:
        if name == "content" and isinstance(piece, (list, tuple)):
            self._listed += piece
        elif not isinstance(piece, str) or not piece:
            return
        elif name == "content" and self._listed:
            self._listed.append({"type": "text", "text": piece})
        else:
            self._texts.setdefault(name, []).append(piece)

    def _add_audio(self, audio: Any) -> None:
        self._audio["id"] = member(audio, "id") or self._audio.get("id")
        for name in ("data", "transcript"):
            self._audio[name] = self._audio.get(name, "") + (string(member(audio, name)) or "")

    def result(self, index: int) -> dict[str, Any]:
        """The choice in the shape of the plain response."""
        texts: dict[str, Any] = {name: "".join(pieces) for name, pieces in self._texts.items()}
        if self._listed:
            texts["content"] = _joined([{"type": "text", "text": texts.get("content", "")}, *self._listed])
        message: dict[str, Any] = {
            **texts,
            "annotations": self._annotations,
            "tool_calls": [tool.result() for _, tools in sorted(self._tools.items()) for tool in tools],
            "audio": self._audio or None,
            "function_call": self._function and self._function.result()["function"],
        }
        return {"index": index, "finish_reason": self.reason, "text": texts.get("text"), "message": message}


def _joined(parts: list[Any]) -> list[dict[str, Any]]:
    """Parts in pieces (Mistral): neighbours of one type are one part."""
    joined: list[dict[str, Any]] = []
    for part in parts:
        held = plain(part)
        if not isinstance(held, dict):
            continue
        if joined and joined[-1].get("type") == held.get("type"):
            _extend(joined[-1], held)
        else:
            joined.append(held)
    return [part for part in joined if part.get("text") != ""]


def _extend(part: dict[str, Any], piece: dict[str, Any]) -> None:
    for name, value in piece.items():
        before = part.get(name)
        if name != "type" and isinstance(before, str) and isinstance(value, str):
            part[name] = before + value
        elif isinstance(before, list) and isinstance(value, list):
            part[name] = _joined([*before, *value])


class _ToolCall:
    """One tool call, whose arguments come in pieces."""

    __slots__ = ("_custom", "_given", "_identity", "_name", "_pieces")

    def __init__(self) -> None:
        self._identity: Any = None
        self._name = ""
        self._custom = False
        self._pieces: list[str] = []
        self._given: Any = None

    def over(self, piece: Any) -> bool:
        """Whether a piece begins another call. Older vLLM gives each piece another id, but a name to the first only."""
        identity = member(piece, "id")
        named = member(member(piece, "function"), "name")
        return bool(identity and named and self._identity) and identity != self._identity

    def add(self, piece: Any) -> None:
        """Take what came anew. Gateways give arguments as an object, whole."""
        self._identity = member(piece, "id") or self._identity
        custom = member(piece, "custom")
        self._custom = self._custom or custom is not None
        body = member(piece, "function") if custom is None else custom
        self._name += string(member(body, "name")) or ""
        given = member(body, "arguments" if custom is None else "input")
        if isinstance(given, str):
            self._pieces.append(given)
        elif given is not None:
            self._given = given

    def result(self) -> dict[str, Any]:
        """The tool call in the shape of the plain response."""
        given = "".join(self._pieces) if self._given is None else self._given
        kind, name = ("custom", "input") if self._custom else ("function", "arguments")
        return {"id": self._identity, kind: {"name": self._name, name: given}}
