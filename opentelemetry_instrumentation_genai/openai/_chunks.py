"""The chunks of a chat completion or a legacy completion, put together into the plain response."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from .._adapter.fields import integer, items, member, members, string, whole_string
from .._adapter.parts import plain
from ._pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEAD = ("id", "model", "service_tier", "system_fingerprint")
_IN_PIECES = ("text", "thinking", "reasoning")  # types of parts
_THOUGHTS = ("reasoning_content", "reasoning")
_TEXTS = ("content", "refusal", *_THOUGHTS)


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
        if not choices:
            self._error = member(chunk, "error") or self._error
        elif type(choices) is list:
            for choice in choices:
                if self._content or self._tells(choice):
                    self._add_choice(choice)

    def _tells(self, choice: Any) -> bool:
        """Whether there is more in it than a piece of a choice that was seen."""
        try:
            # A gateway's `error` is among the members that the SDK does not know.
            return choice.finish_reason is not None or choice.index != self._index or bool(choice.__pydantic_extra__)
        except AttributeError:
            return True

    def _add_head(self, chunk: Any) -> None:
        self._head = {**{name: value for name in _HEAD if (value := member(chunk, name))}, **self._head}
        self._headless = "model" not in self._head
        self._error = member(chunk, "error") or self._error

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
        told.error = held.get("error") or told.error
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

    __slots__ = ("_annotations", "_audio", "_details", "_function", "_listed", "_texts", "_tools", "error", "reason")

    def __init__(self) -> None:
        self.reason: Any = None
        self.error: Any = None
        self._texts: dict[str, Pieces] = {}
        self._listed: list[Any] = []
        self._annotations: list[Any] = []
        self._details: dict[Any, _Detail] = {}
        self._tools: dict[int, list[_ToolCall]] = {}
        self._function: _ToolCall | None = None
        self._audio: _Audio | None = None

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
        self._add_rare(held)

    def _add_rare(self, held: Mapping[str, Any]) -> None:
        function, audio = held.get("function_call"), held.get("audio")
        if function is not None:
            self._function = self._function or _ToolCall()
            self._function.add({"function": function})
        if audio is not None:
            self._audio = self._audio or _Audio()
            self._audio.add(audio)
        if held.get("reasoning_details") and not any(map(held.get, _THOUGHTS)):
            for position, piece in enumerate(items(held, "reasoning_details")):
                index = member(piece, "index")
                place = (str(member(piece, "type")), str(position if index is None else index))
                self._details.setdefault(place, _Detail()).add(piece)

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
            pieces = self._texts.get(name)
            if pieces is None:
                pieces = self._texts[name] = Pieces()
            pieces.add(piece)

    def result(self, index: int) -> dict[str, Any]:
        """The choice in the shape of the plain response."""
        texts: dict[str, Any] = {name: str(pieces) for name, pieces in self._texts.items()}
        if self._listed:
            texts["content"] = _joined([{"type": "text", "text": texts.get("content", "")}, *self._listed])
        message: dict[str, Any] = {
            **texts,
            "annotations": self._annotations,
            "reasoning_details": [detail.result() for detail in self._details.values()],
            "tool_calls": [tool.result() for _, tools in sorted(self._tools.items()) for tool in tools],
            "audio": self._audio and self._audio.result(),
            "function_call": self._function and self._function.result()["function"],
        }
        told = {"index": index, "finish_reason": self.reason, "text": texts.get("text"), "message": message}
        return {**told, "error": self.error} if self.error else told


def _joined(parts: Iterable[Any]) -> list[dict[str, Any]]:
    """Parts in pieces (Mistral): neighbours that are both text, or both what the model thought, are one part."""
    held = (part for part in map(plain, parts) if isinstance(part, dict))
    joined: list[dict[str, Any]] = []
    for kind, run in groupby(held, lambda part: part.get("type")):
        neighbours = list(run)
        joined += [_one(neighbours)] if kind in _IN_PIECES else neighbours
    return [part for part in joined if part.get("text") != ""]


def _one(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """One part of its pieces: texts and lists are joined, of what else there is the last counts."""
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
    """One entry of `reasoning_details` (OpenRouter, MiniMax): what the model thought, or a summary of it."""

    __slots__ = ("_kind", "_texts")

    def __init__(self) -> None:
        self._kind: Any = None
        self._texts: dict[str, Pieces] = {}

    def add(self, piece: Any) -> None:
        """Take what came anew; what is encrypted is not kept."""
        self._kind = member(piece, "type") or self._kind
        for name in ("text", "summary"):
            text = member(piece, name)
            if isinstance(text, str) and text:
                self._texts.setdefault(name, Pieces()).add(text)

    def result(self) -> dict[str, Any]:
        """The entry in the shape of the plain response."""
        return {"type": self._kind, **{name: str(pieces) for name, pieces in self._texts.items()}}


class _Audio:
    """What the model said aloud, as far as it was received."""

    __slots__ = ("_identity", "_pieces")

    def __init__(self) -> None:
        self._identity: Any = None
        self._pieces: dict[str, list[str]] = {"data": [], "transcript": []}

    def add(self, audio: Any) -> None:
        """Take what came anew."""
        self._identity = member(audio, "id") or self._identity
        for name, pieces in self._pieces.items():
            pieces.append(whole_string(member(audio, name)) or "")

    def result(self) -> dict[str, Any]:
        """The audio in the shape of the plain response."""
        return {"id": self._identity, **{name: "".join(pieces) for name, pieces in self._pieces.items()}}


class _ToolCall:
    """One tool call, whose arguments come in pieces. Its id and its name are those that came first: some servers repeat them."""

    __slots__ = ("_begun", "_custom", "_given", "_identity", "_name", "_pieces")

    def __init__(self) -> None:
        self._identity: Any = None
        self._name: str | None = None
        self._custom = False
        self._begun = False  # whether anything of the arguments came
        self._pieces = Pieces()
        self._given: Any = None

    def over(self, piece: Any) -> bool:
        """Whether a piece begins another call: it has a name, and another id, or, where there are no ids, another name.

        Older vLLM gives each piece another id, but a name to the first only.
        """
        name = string(member(_body(piece), "name"))
        if name is None:
            return False
        identity = _identity(piece)
        if identity and self._identity:
            return bool(identity != self._identity)
        return self._begun and self._name is not None and not name.startswith(self._name)

    def add(self, piece: Any) -> None:
        """Take what came anew. Gateways give arguments as an object, whole."""
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
        """The tool call in the shape of the plain response."""
        given = str(self._pieces) if self._given is None else self._given
        kind, name = ("custom", "input") if self._custom else ("function", "arguments")
        return {"id": self._identity, kind: {"name": self._name or "", name: given}}


def _body(piece: Any) -> Any:
    custom = member(piece, "custom")
    return member(piece, "function") if custom is None else custom


def _identity(piece: Any) -> Any:
    """The id of a tool call; none where a gateway writes out that there is none."""
    identity = member(piece, "id")
    return None if identity == "null" else identity or None
