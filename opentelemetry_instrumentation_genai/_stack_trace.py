"""The stack trace of an exception, in the form in which Python prints it.

Source lines may hold a key or a prompt, and so may messages and notes: without content capture, only frames and types are left.
"""

from __future__ import annotations

import builtins
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"
_HEADER = "Traceback (most recent call last):\n"
_GROUP: Any = getattr(builtins, "BaseExceptionGroup", ())  # new in Python 3.11
_MOST_EXCEPTIONS = 16  # in all
_MOST_FRAMES = 64  # of an exception, the innermost of them
_LONGEST = 1024  # characters of a file's name and of a line; code that was made at run time can have any


class StackTrace:
    """What makes the stack trace of one exception.

    Args:
        mask: masks what is recorded, all but the last line of each exception.
        last_line: exception -> its type and message as they may be recorded.
        source: masks source lines and notes first; None leaves them out, and no source file is read.
    """

    def __init__(
        self,
        mask: Callable[[str], str],
        last_line: Callable[[BaseException], str],
        source: Callable[[str], str] | None = None,
    ) -> None:
        self._mask = mask
        self._last_line = last_line
        self._source = source
        self._left = _MOST_EXCEPTIONS

    def of(self, error: BaseException) -> str:
        """Return the stack trace of an exception, with those of its causes, its contexts and, in a group, its members."""
        return "".join(self._chain(error))

    def _chain(self, error: BaseException) -> Iterator[str]:
        parts: list[tuple[BaseException, str]] = []
        current: BaseException | None = error
        link = ""
        while current is not None and self._left and all(current is not seen for seen, _ in parts):
            self._left -= 1
            parts.append((current, link))
            cause, link = current.__cause__, _CAUSE
            if cause is None and not current.__suppress_context__:
                cause, link = current.__context__, _CONTEXT
            current = cause
        for one, following in reversed(parts):
            yield from self._one(one)
            yield following

    def _one(self, error: BaseException) -> Iterator[str]:
        yield _HEADER
        yield self._frames(error.__traceback__)
        yield f"{self._last_line(error)}\n"
        if self._source is not None:
            yield from self._notes(error, self._source)
        if isinstance(error, _GROUP):
            yield from self._members(getattr(error, "exceptions", ()))

    def _frames(self, trace: TracebackType | None) -> str:
        source = self._source
        if source is None:
            walked = list(traceback.walk_tb(trace))[-_MOST_FRAMES:]
            lines = [_line(frame.f_code.co_filename, number, frame.f_code.co_name) for frame, number in walked]
        else:
            found = traceback.extract_tb(trace, -_MOST_FRAMES)
            lines = [
                _line(each.filename, each.lineno, each.name, source((each.line or "")[:_LONGEST])) for each in found
            ]
        return self._mask("".join(lines))

    def _notes(self, error: BaseException, source: Callable[[str], str]) -> Iterator[str]:
        notes: Any = getattr(error, "__dict__", {}).get("__notes__")
        if isinstance(notes, list):
            for note in notes[:_MOST_FRAMES]:
                if isinstance(note, str):
                    yield f"{self._mask(source(note[: 2 * _LONGEST]))[:_LONGEST]}\n"

    def _members(self, members: Any) -> Iterator[str]:
        for number, member in enumerate(members, 1):
            if not self._left:
                return
            yield f"  +---------------- {number} ----------------\n"
            yield from (f"  | {line}" for line in self.of(member).splitlines(keepends=True))


def _line(file: str, number: int | None, function: str, source: str = "") -> str:
    quoted = f"    {source}\n" if source else ""
    return f'  File "{file[:_LONGEST]}", line {number}, in {function}\n{quoted}'
