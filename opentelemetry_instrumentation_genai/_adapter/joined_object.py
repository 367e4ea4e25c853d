"""An object that arrives in pieces in a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .fields import members, whole_string

if TYPE_CHECKING:
    from collections.abc import Collection


class _Text(list[str]):
    __slots__ = ()


class JoinedObject:
    """Joins the pieces of an object: texts and lists are concatenated, objects within it joined. Of anything else the last one counts.

    An empty text counts for nothing: some servers fill the members that a piece has no value for.

    Args:
        pieces: the members, at any depth, that are texts in pieces; other texts are whole. None where all are in pieces.
    """

    __slots__ = ("_held", "_pieces")

    def __init__(self, pieces: Collection[str] | None = None) -> None:
        self._pieces = pieces
        self._held: dict[str, Any] = {}

    def add(self, piece: Any) -> None:
        """Add one piece, an SDK's model or a JSON object."""
        for name, value in members(piece).items():
            if isinstance(value, str) and (self._pieces is None or name in self._pieces):
                if piece_of_text := whole_string(value):
                    self._of(_Text, name).append(piece_of_text)
            elif isinstance(value, (list, tuple)):
                self._of(list, name).extend(value)
            elif members(value):
                self._of(JoinedObject, name, self._pieces).add(value)
            elif value is not None and value != "":
                self._held[name] = value

    def _of(self, kind: type, name: str, *given: Any) -> Any:
        if type(self._held.get(name)) is not kind:
            self._held[name] = kind(*given)
        return self._held[name]

    def result(self) -> dict[str, Any]:
        """Return the object received so far."""
        return {name: _joined(value) for name, value in self._held.items()}


def _joined(value: Any) -> Any:
    if isinstance(value, JoinedObject):
        return value.result()
    return "".join(value) if isinstance(value, _Text) else value
