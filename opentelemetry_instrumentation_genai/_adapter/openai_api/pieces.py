"""A text that arrives in pieces in a stream."""

from __future__ import annotations

_CERTAIN = 3  # this many pieces, each of which extends the one before, are cumulative


class Pieces:
    """Joins the pieces of a text: each piece is new text or, from servers such as MiniMax's, the whole text so far.

    A piece that begins with the whole text so far replaces it. Equal pieces are pieces of a text that repeats itself.
    Time and memory are linear in the size of the received pieces.
    """

    __slots__ = ("_grown", "_last", "_length", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0  # of all pieces together, once they are known not to be cumulative
        self._last: str | None = ""  # the last piece, while each piece began with the one before
        self._grown = 0  # how many of these were longer than the one before

    def add(self, piece: str) -> None:
        """Add one piece."""
        if self._last is not None:
            self._add_to_first(piece, self._last)
        elif len(piece) >= self._length and piece.startswith("".join(self._pieces)):
            self._pieces, self._length = [piece], len(piece)
        else:
            self._pieces.append(piece)
            self._length += len(piece)

    def _add_to_first(self, piece: str, last: str) -> None:
        """Add one piece while the pieces can still be of either kind: `1`, `10` may be cumulative, or the start of `110`."""
        if not piece.startswith(last):
            self._last = None
            self._length = sum(map(len, self._pieces)) + len(piece)
        else:
            self._last = piece
            self._grown += len(piece) > len(last)
            if self._grown >= _CERTAIN:
                self._pieces.clear()
        self._pieces.append(piece)

    def __str__(self) -> str:
        """Return the text received so far."""
        return self._last if self._last is not None and self._grown > 1 else "".join(self._pieces)
