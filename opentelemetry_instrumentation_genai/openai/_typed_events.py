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
    """Events of which some carry the whole response as it stands, and others what came anew since."""

    __slots__ = ("_content", "_error", "_items", "_pieces", "_response")

    def __init__(self, *, content: bool) -> None:
        self._content = content
        self._response: Any = None
        self._error: Any = None
        self._items: dict[int, Any] = {}
        self._pieces: dict[tuple[int, str, str, int], list[str]] = {}

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
        kind = members.get("type")
        if kind == "error":
            self._error = members
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self._items[integer(members.get("output_index")) or 0] = members.get("item")
        elif isinstance(kind, str) and kind in _PIECES:
            self._add_piece(members, *_PIECES[kind])

    def _add_piece(self, members: dict[str, Any], kind: str, name: str) -> None:
        part = integer(members.get("content_index", members.get("summary_index"))) or 0
        key = (integer(members.get("output_index")) or 0, kind, name, part)
        self._pieces.setdefault(key, []).append(string(members.get("delta")) or "")

    def result(self) -> dict[str, Any]:
        """The response as far as it was received."""
        received = self._response
        told = {name: member(received, name) for name in _MEMBERS}
        if self._error is not None:
            told["error"], told["status"] = self._error, "failed"
        if not items(received, "output"):
            told["output"] = [self._item(index) for index in sorted(self._items)]
        return told

    def _item(self, index: int) -> Any:
        """An item that the stream did not finish, with the pieces of it that came."""
        item = self._items[index]
        pieces = [(key, "".join(texts)) for key, texts in sorted(self._pieces.items()) if key[0] == index]
        if not pieces or member(item, "status") == "completed":
            return item
        told = {"type": member(item, "type"), "id": member(item, "id"), "call_id": member(item, "call_id")}
        told["name"], told["role"] = member(item, "name"), member(item, "role")
        for (_, kind, name, _), text in pieces:
            if not kind:
                told[name] = text
            else:
                place = "summary" if kind == "summary_text" else "content"
                told.setdefault(place, []).append({"type": kind, name: text})
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
