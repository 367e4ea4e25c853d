"""The typed events of a streamed response, put together into the plain response."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._adapter.fields import integer, items, member, members, string, whole_string

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
_ITEMS = ("response.output_item.added", "response.output_item.done")
# Types of the events that are read without content as well, for what attributes need: how it failed, and what there is in the
# output. One that the SDK has put into pydantic's extras has none.
_FACTS = (None, "error", *_ITEMS)
_OF_ITEMS = ("type", "call_id", "execution")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


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
        """Take one event.

        Python looks into what a model holds at a tenth of the price of `members`, and most events are pieces.
        """
        own = event if type(event) is dict else getattr(event, "__dict__", _NOTHING)
        response = own.get("response")
        if response is not None:
            self._response = response
        elif self._content or own.get("type") in _FACTS:
            self._add_detail(members(event))

    def _add_detail(self, held: Mapping[str, Any]) -> None:
        if "data" in held and "event" in held:  # SDKs before 1.99 give an error event so, in pydantic's extras
            held = {"type": held["event"], **(held["data"] if isinstance(held["data"], dict) else {})}
        kind = string(held.get("type"))
        if kind == "error":
            self._error = held
        elif kind in _ITEMS:
            self._add_item(held, done=kind == "response.output_item.done")
        elif kind in _PIECES and self._content:
            self._add_piece(held, *_PIECES[kind])

    def _add_item(self, held: Mapping[str, Any], *, done: bool) -> None:
        """Take an item of the output; of its content only what is wanted."""
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
