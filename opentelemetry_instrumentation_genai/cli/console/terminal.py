"""Writing to a terminal, or to a file or pipe in its place."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TextIO, cast

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import RenderableType

# For encodings that have no lines and arrows.
_PLAIN = str.maketrans(
    {
        "├": "|",
        "└": "`",
        "│": "|",
        "─": "-",
        "╌": ".",
        "━": "=",
        "→": ">",
        "←": "<",
        "·": ",",
        "…": "~",
        "✓": "*",
        "✗": "x",
    }
)
_TABLE = 100  # columns of a table where nobody says how wide the page is


class Terminal:
    """Where conversations are shown.

    Args:
        file: where to write; None is standard error, as it is when something is written.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file

    def write(self, make: Callable[[int | None], Iterable[RenderableType]]) -> None:
        """Write a block at once, so that what the application writes does not come between its lines.

        Colours are for terminals, unless NO_COLOR is set. What is closed gets nothing, without an error.

        Args:
            make: returns the lines and tables of the block for so many columns; None stands for lines of any length.
        """
        file = self._file or sys.stderr
        if file is None or file.closed:  # as under pythonw
            return
        seen = Console(file=file, force_jupyter=False)
        width = seen.width if seen.is_terminal or "COLUMNS" in os.environ else None
        # Not on the file itself: rich ends the process where nobody reads a pipe any more.
        page = Console(
            file=io.StringIO(),
            width=width or _TABLE,
            color_system=_colours(seen),
            force_terminal=seen.is_terminal,
            force_jupyter=False,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        with page.capture() as captured:
            for part in make(width):
                page.print(part, soft_wrap=isinstance(part, Text))
        with suppress(OSError, ValueError):
            file.write(_encodable(captured.get(), getattr(file, "encoding", None) or "utf-8"))
            file.flush()


def _colours(seen: Console) -> Literal["standard", "256", "truecolor", "windows"] | None:
    """Return the colours to use. Not rich's `no_color`: with that, bold and italic stay."""
    if not seen.is_terminal or seen.is_dumb_terminal or os.environ.get("NO_COLOR"):
        return None
    return cast("Literal['standard', '256', 'truecolor', 'windows'] | None", seen.color_system)


def _encodable(text: str, encoding: str) -> str:
    """Return a text with only such characters as an encoding has."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        text = text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")
    return text
