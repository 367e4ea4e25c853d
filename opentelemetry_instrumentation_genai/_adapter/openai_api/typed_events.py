"""Accumulates the typed events of a streamed response into the plain response."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ..fields import integer, items, member, members, string, whole_string

if TYPE_CHECKING:
    from collections.abc import Mapping

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
_MEMBERS = (
    "id",
    "background",
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
_ITEMS = ("response.output_item.added", "response.output_item.done")
# Types of events that are read even without content capture, because attributes need them: errors and output items.
# An event that the SDK has put into pydantic's extras has no type.
_FACTS = (None, "error", *_ITEMS)
_OF_ITEMS = ("type", "call_id", "execution")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class TypedEvents:
    """Accumulates events, some of which carry the whole response so far, and others a delta.

    An item is identified by its index in the output or, from servers that send no index, by its id.

    Attributes:
        deltas: type of a delta -> the type of the part it belongs to, empty for a member of the item, and the member's name.
        kept: the members of a response that are read.
    """

    deltas: ClassVar[Mapping[str, tuple[str, str]]] = _PIECES
    kept: ClassVar[tuple[str, ...]] = _MEMBERS

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
        """Add one event.

        Reading the `__dict__` of a model takes a tenth of the time of `members`, and most events are deltas.
        """
        own = event if type(event) is dict else getattr(event, "__dict__", _NOTHING)
        response = own.get("response")
        if response is not None:
            self._response = response
        elif self._content or own.get("type") in _FACTS:
            self._add_detail(members(event))

    def _add_detail(self, held: Mapping[str, Any]) -> None:
        if "data" in held and "event" in held:  # an error event of SDKs before 1.99, in pydantic's extras
            held = {"type": held["event"], **(held["data"] if isinstance(held["data"], dict) else {})}
        kind = string(held.get("type")) or ""
        if kind == "error":
            nested = held.get("error")  # on a websocket
            self._error = nested if members(nested) else held
        elif kind in _ITEMS:
            self._add_item(held, done=kind == "response.output_item.done")
        elif kind in self.deltas and self._content:
            self._add_piece(held, *self.deltas[kind])

    def _add_item(self, held: Mapping[str, Any], *, done: bool) -> None:
        """Add an item of the output; without content capture, only the members that attributes need."""
        item = held.get("item")
        self._latest = self._place(held, member(item, "id") or member(item, "call_id"))
        self._items[self._latest] = item if self._content else {name: member(item, name) for name in _OF_ITEMS}
        if done:
            self._done.add(self._latest)

    def _place(self, held: Mapping[str, Any], identity: Any) -> Any:
        index = integer(held.get("output_index"))
        return str(identity) if index is None else index

    def _add_piece(self, held: Mapping[str, Any], kind: str, name: str) -> None:
        place = self._place(held, held.get("item_id"))
        if place not in self._items:
            place = self._latest
        part = integer(held.get("content_index", held.get("summary_index"))) or 0
        pieces = self._pieces.setdefault(place, {}).setdefault((kind, name, part), [])
        pieces.append(whole_string(held.get("delta")) or "")

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        received = self._response
        response = {name: member(received, name) for name in self.kept}
        if self._error is not None:
            response["error"], response["status"] = self._error, "failed"
        if not items(received, "output"):
            response["output"] = [self._item(place) for place in self._items]
        return response

    def _item(self, place: Any) -> Any:
        """Return an item; one that the stream did not finish is assembled from its deltas."""
        item, pieces = self._items[place], self._pieces.get(place)
        if place in self._done or not pieces:
            return item
        unfinished = {name: member(item, name) for name in ("type", "id", "call_id", "name", "role", "server_label")}
        for (kind, name, _), texts in sorted(pieces.items()):
            if kind:
                where = "summary" if kind == "summary_text" else "content"
                unfinished.setdefault(where, []).append({"type": kind, name: "".join(texts)})
            else:
                unfinished[name] = "".join(texts)
        return unfinished
