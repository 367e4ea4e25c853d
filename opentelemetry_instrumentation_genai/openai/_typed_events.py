"""The typed events of a streamed response, put together into the plain response."""

from __future__ import annotations

from typing import Any

from .._fields import integer, items, member, string

_PIECES = {
    "response.output_text.delta": ("output_text", "text"),
    "response.refusal.delta": ("refusal", "refusal"),
    "response.reasoning_text.delta": ("reasoning_text", "text"),
    "response.reasoning_summary_text.delta": ("summary_text", "text"),
    "response.function_call_arguments.delta": ("", "arguments"),
    "response.custom_tool_call_input.delta": ("", "input"),
    "response.mcp_call_arguments.delta": ("", "arguments"),
    "response.code_interpreter_call_code.delta": ("", "code"),
}


class TypedEvents:
    """Events of which some carry the whole response as it stands, and others what came anew since.

    An item is known by its place in the output; servers that number nothing name it by its id.
    """

    __slots__ = ("_content", "_done", "_error", "_items", "_latest", "_pieces", "_response")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._response: Any = None
        self._error: Any = None
        self._latest: Any = None
        self._items: dict[Any, Any] = {}
        self._done: set[Any] = set()
        self._pieces: dict[Any, dict[tuple[str, str, int], list[str]]] = {}

    def add(self, event: Any) -> None:
        """Take one event."""
        members = event if type(event) is dict else getattr(event, "__dict__", {})
        response = members.get("response")
        if response is not None:
            self._response = response
        elif self._content or members.get("type") == "error" or "data" in members:
            self._add_detail(members)

    def _add_detail(self, members: dict[str, Any]) -> None:
        if "data" in members and "event" in members:  # SDKs before 1.99 give an error event so
            members = {"type": members["event"], **(members["data"] if isinstance(members["data"], dict) else {})}
        kind = string(members.get("type"))
        if kind == "error":
            self._error = members
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self._add_item(members, done=kind.endswith("done"))
        elif kind in _PIECES:
            self._add_piece(members, *_PIECES[kind])

    def _add_item(self, members: dict[str, Any], *, done: bool) -> None:
        item = members.get("item")
        self._latest = self._place(members, member(item, "id") or member(item, "call_id"))
        self._items[self._latest] = item
        if done:
            self._done.add(self._latest)

    def _place(self, members: dict[str, Any], identity: Any) -> Any:
        index = integer(members.get("output_index"))
        return str(identity) if index is None else index

    def _add_piece(self, members: dict[str, Any], kind: str, name: str) -> None:
        place = self._place(members, members.get("item_id"))
        if place not in self._items:
            place = self._latest
        part = integer(members.get("content_index", members.get("summary_index"))) or 0
        pieces = self._pieces.setdefault(place, {}).setdefault((kind, name, part), [])
        pieces.append(string(members.get("delta")) or "")

    def result(self) -> dict[str, Any]:
        """The response as far as it was received."""
        received = self._response
        told = {name: member(received, name) for name in _MEMBERS}
        if self._error is not None:
            told["error"], told["status"] = self._error, "failed"
        if not items(received, "output"):
            told["output"] = [self._item(place) for place in self._items]
        return told

    def _item(self, place: Any) -> Any:
        """An item; one that the stream did not finish with the pieces of it that came."""
        item, pieces = self._items[place], self._pieces.get(place)
        if place in self._done or not pieces:
            return item
        told = {name: member(item, name) for name in ("type", "id", "call_id", "name", "role", "server_label")}
        for (kind, name, _), texts in sorted(pieces.items()):
            if kind:
                where = "summary" if kind == "summary_text" else "content"
                told.setdefault(where, []).append({"type": kind, name: "".join(texts)})
            else:
                told[name] = "".join(texts)
        return told


_MEMBERS = (
    "id",
    "model",
    "status",
    "service_tier",
    "conversation",
    "error",
    "incomplete_details",
    "instructions",
    "tools",
    "usage",
    "output",
)
