"""Accumulates the chunks of a chat completion or a legacy completion into the plain response."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..fields import integer, items, member, members, string
from ..joined_object import JoinedObject
from ..parts import plain
from .pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEAD = ("id", "model", "service_tier", "system_fingerprint")
_IN_PIECES = ("text", "thinking", "reasoning")  # types of parts that are split over chunks
_THOUGHTS = ("reasoning_content", "reasoning")
_SOUND = ("data", "transcript")
_TEXTS = ("content", "refusal", *_THOUGHTS)


class ChoiceChunks:
    """Accumulates chunks with `choices` that hold new content: `delta` of a chat, `text` of a completion.

    Choices may be interleaved, `choices` may be empty (Azure's first chunk, the usage chunk), any member may be missing.
    """

    __slots__ = ("_choices", "_content", "_error", "_head", "_headless", "_index", "_last", "_usage")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._choices: dict[int, _Choice] = {}
        self._head: dict[str, Any] = {}
        self._headless = True
        self._index: Any = self._choices  # of the choice received last; the initial value equals no index
        self._last: Any = None
        self._usage: Any = None
        self._error: Any = None

    def add(self, chunk: Any) -> None:
        """Add one chunk.

        Reading an attribute of a model takes a tenth of the time of `member`, and there are many chunks.
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
        if not choices:
            self._error = member(chunk, "error") or self._error
        elif type(choices) is list:
            for choice in choices:
                if not self._content:
                    try:
                        # Nothing but new content. The `error` of a gateway is an extra member, which the SDK does not define.
                        if (
                            choice.finish_reason is None
                            and choice.index == self._index
                            and not choice.__pydantic_extra__
                        ):
                            continue
                    except AttributeError:
                        pass
                self._add_choice(choice)

    def _add_head(self, chunk: Any) -> None:
        self._head = {**{name: value for name in _HEAD if (value := member(chunk, name))}, **self._head}
        self._headless = "model" not in self._head
        self._error = member(chunk, "error") or self._error

    def _add_choice(self, choice: Any) -> None:
        held = members(choice)
        self._index = held.get("index")
        index = integer(self._index) or 0
        accumulated = self._choices.get(index)
        if accumulated is None:
            accumulated = self._choices[index] = _Choice()
        reason = held.get("finish_reason")
        if reason is not None:
            accumulated.reason = reason
        accumulated.error = held.get("error") or accumulated.error
        if self._content:
            accumulated.add(held)

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        if self._last is not None:
            self._add_head(self._last)
        choices = [choice.result(index) for index, choice in sorted(self._choices.items())]
        usage = _usage_within(self._last) if self._usage is None else self._usage
        times = {name: member(self._last, name) for name in ("timings", "time_info")}
        return {**self._head, **times, "usage": usage, "stream_error": self._error, "choices": choices}


def _usage_within(chunk: Any) -> Any:
    """Return the usage within the last chunk: Groq has it in `x_groq`, Moonshot in the choice."""
    places = (member(chunk, "x_groq"), *items(chunk, "choices"))
    return next((usage for place in places if (usage := member(place, "usage")) is not None), None)


class _Choice:
    """Accumulates one choice."""

    __slots__ = (
        "_annotations",
        "_audio",
        "_content_parts",
        "_details",
        "_function",
        "_texts",
        "_tools",
        "error",
        "reason",
    )

    def __init__(self) -> None:
        self.reason: Any = None
        self.error: Any = None
        self._texts: dict[str, Pieces] = {}
        self._content_parts: list[Any] = []
        self._annotations: list[Any] = []
        self._details: dict[Any, _Detail] = {}
        self._tools: dict[int, list[_ToolCall]] = {}
        self._function: _ToolCall | None = None
        self._audio: JoinedObject | None = None

    def add(self, choice: Mapping[str, Any]) -> None:
        """Add the new content of a chunk."""
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
        self._add_rare(held)

    def _add_rare(self, held: Mapping[str, Any]) -> None:
        function, audio = held.get("function_call"), held.get("audio")
        if function is not None:
            self._function = self._function or _ToolCall()
            self._function.add({"function": function})
        if audio is not None:
            self._audio = self._audio or JoinedObject(_SOUND)
            self._audio.add(audio)
        if held.get("reasoning_details") and not any(map(held.get, _THOUGHTS)):
            for position, piece in enumerate(items(held, "reasoning_details")):
                index = member(piece, "index")
                place = (str(member(piece, "type")), str(position if index is None else index))
                self._details.setdefault(place, _Detail()).add(piece)

    def _tool(self, index: int, piece: Any) -> _ToolCall:
        """Return the tool call that a delta belongs to. Gemini sends whole calls, all with the same index."""
        calls = self._tools.setdefault(index, [])
        if not calls or calls[-1].over(piece):
            calls.append(_ToolCall())
        return calls[-1]

    def _add_text(self, name: str, piece: Any) -> None:
        if name == "content" and isinstance(piece, (list, tuple)):
            self._content_parts += piece
        elif not isinstance(piece, str) or not piece:
            return
        elif name == "content" and self._content_parts:
            self._content_parts.append({"type": "text", "text": piece})
        else:
            pieces = self._texts.get(name)
            if pieces is None:
                pieces = self._texts[name] = Pieces()
            pieces.add(piece)

    def result(self, index: int) -> dict[str, Any]:
        """Return the choice in the form of the plain response."""
        texts: dict[str, Any] = {name: str(pieces) for name, pieces in self._texts.items()}
        if self._content_parts:
            texts["content"] = _joined([{"type": "text", "text": texts.get("content", "")}, *self._content_parts])
        message: dict[str, Any] = {
            **texts,
            "annotations": self._annotations,
            "reasoning_details": [detail.result() for detail in self._details.values()],
            "tool_calls": [tool.result() for _, tools in sorted(self._tools.items()) for tool in tools],
            "audio": self._audio and self._audio.result(),
            "function_call": self._function and self._function.result()["function"],
        }
        choice = {"index": index, "finish_reason": self.reason, "text": texts.get("text"), "message": message}
        return {**choice, "error": self.error} if self.error else choice


def _joined(parts: Iterable[Any]) -> list[dict[str, Any]]:
    """Join the pieces of parts (Mistral): adjacent text parts are one part, and so are adjacent reasoning parts."""
    held = (part for part in map(plain, parts) if isinstance(part, dict))
    joined: list[dict[str, Any]] = []
    for kind, run in groupby(held, lambda part: part.get("type")):
        neighbours = list(run)
        joined += [_one(neighbours)] if kind in _IN_PIECES else neighbours
    return [part for part in joined if part.get("text") != ""]


def _one(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """Join pieces to one part: texts and lists are concatenated, of any other member the last value is kept."""
    part: dict[str, Any] = {}
    for piece in pieces:
        for name, value in piece.items():
            part.setdefault(name, []).append(value)
    return {name: _together(values) if name != "type" else values[0] for name, values in part.items()}


def _together(values: list[Any]) -> Any:
    texts = [value for value in values if isinstance(value, str)]
    lists = [value for value in values if isinstance(value, list)]
    if texts:
        return "".join(texts)
    return _joined(entry for value in lists for entry in value) if lists else values[-1]


class _Detail:
    """Accumulates one entry of `reasoning_details` (OpenRouter, MiniMax): reasoning, or a summary of it."""

    __slots__ = ("_kind", "_texts")

    def __init__(self) -> None:
        self._kind: Any = None
        self._texts: dict[str, Pieces] = {}

    def add(self, piece: Any) -> None:
        """Add a delta; encrypted content is not kept."""
        self._kind = member(piece, "type") or self._kind
        for name in ("text", "summary"):
            text = member(piece, name)
            if isinstance(text, str) and text:
                self._texts.setdefault(name, Pieces()).add(text)

    def result(self) -> dict[str, Any]:
        """Return the entry in the form of the plain response."""
        return {"type": self._kind, **{name: str(pieces) for name, pieces in self._texts.items()}}


class _ToolCall:
    """Accumulates one tool call and the deltas of its arguments. The first id and name are kept: some servers repeat them."""

    __slots__ = ("_begun", "_custom", "_given", "_identity", "_name", "_pieces")

    def __init__(self) -> None:
        self._identity: Any = None
        self._name: str | None = None
        self._custom = False
        self._begun = False  # whether any of the arguments were received
        self._pieces = Pieces()
        self._given: Any = None

    def over(self, piece: Any) -> bool:
        """Return whether a delta starts another call: it has a name, and another id or, without ids, another name.

        Older vLLM sends another id with each delta, but a name with the first only.
        """
        name = string(member(_body(piece), "name"))
        if name is None:
            return False
        identity = _identity(piece)
        if identity and self._identity:
            return bool(identity != self._identity)
        return self._begun and self._name is not None and not name.startswith(self._name)

    def add(self, piece: Any) -> None:
        """Add a delta. Some gateways send the arguments as one whole object."""
        self._identity = self._identity or _identity(piece)
        body = _body(piece)
        self._custom = self._custom or member(piece, "custom") is not None
        self._add_name(string(member(body, "name")))
        given = member(body, "input" if self._custom else "arguments")
        self._begun = self._begun or bool(given)
        if isinstance(given, str):
            self._pieces.add(given)
        elif given is not None:
            self._given = given

    def _add_name(self, name: str | None) -> None:
        if name is not None and (self._name is None or name.startswith(self._name)):
            self._name = name

    def result(self) -> dict[str, Any]:
        """Return the tool call in the form of the plain response."""
        given = str(self._pieces) if self._given is None else self._given
        kind, name = ("custom", "input") if self._custom else ("function", "arguments")
        return {"id": self._identity, kind: {"name": self._name or "", name: given}}


def _body(piece: Any) -> Any:
    custom = member(piece, "custom")
    return member(piece, "function") if custom is None else custom


def _identity(piece: Any) -> Any:
    """Return the id of a tool call; None where a gateway sends the text `null` for it."""
    identity = member(piece, "id")
    return None if identity == "null" else identity or None
