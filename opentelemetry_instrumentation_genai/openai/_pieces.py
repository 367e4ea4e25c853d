"""A text that a stream brings in pieces."""

from __future__ import annotations

_CERTAIN = 3  # pieces, each longer than the one before and beginning with it


class Pieces:
    """A text in pieces: each is what is new, or, from servers such as MiniMax's, the whole text so far.

    A piece that begins with the whole text so far replaces it. Pieces that are equal are pieces of a text that repeats itself.
    Time and memory are linear in what is received.
    """

    __slots__ = ("_grown", "_last", "_length", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0  # of the pieces together, once they are known to be parts
        self._last: str | None = ""  # the last piece, as long as each began with the one before
        self._grown = 0  # how many of those were longer

    def add(self, piece: str) -> None:
        """Take one piece."""
        if self._last is not None:
            self._add_to_first(piece, self._last)
        elif len(piece) >= self._length and piece.startswith("".join(self._pieces)):
            self._pieces, self._length = [piece], len(piece)
        else:
            self._pieces.append(piece)
            self._length += len(piece)

    def _add_to_first(self, piece: str, last: str) -> None:
        """Take one piece while the pieces so far can be either: it takes some to tell `1`, `10` from `1`, `1`, `0`."""
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
        """The text as far as it was received."""
        return self._last if self._last is not None and self._grown > 1 else "".join(self._pieces)
