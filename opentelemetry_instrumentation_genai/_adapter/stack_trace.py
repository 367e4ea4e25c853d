"""The stack trace of an exception, in the form in which Python prints it.

Source lines may hold a key or a prompt, and so may messages and notes: without content capture, only frames and types are left.
"""

from __future__ import annotations

import builtins
import traceback
from typing import TYPE_CHECKING, Any, Protocol

from .._masking.masking import MARGIN

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


class Mask(Protocol):
    """Masks the secrets in a text."""

    def __call__(self, text: str, /, *, end: int | None = None) -> str:
        """Return the text up to `end` without secrets. What stands after that shows whether a secret goes on there."""
        ...


class StackTrace:
    """Formats the stack trace of one exception.

    Args:
        mask: masks what is recorded, all but the last line of each exception.
        last_line: exception -> its type and message as they may be recorded.
        source: masks source lines and notes first; None leaves them out, and no source file is read.
    """

    def __init__(
        self,
        mask: Mask,
        last_line: Callable[[BaseException], str],
        source: Mask | None = None,
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
            lines = [self._line(frame.f_code.co_filename, number, frame.f_code.co_name) for frame, number in walked]
        else:
            found = traceback.extract_tb(trace, -_MOST_FRAMES)
            lines = [
                self._line(each.filename, each.lineno, each.name, _beginning(each.line or "", source)) for each in found
            ]
        return self._mask("".join(lines))

    def _line(self, file: str, number: int | None, function: str, source: str = "") -> str:
        quoted = f"    {source}\n" if source else ""
        names = [name if len(name) <= _LONGEST else _beginning(name, self._mask) for name in (file, function)]
        return f'  File "{names[0]}", line {number}, in {names[1]}\n{quoted}'

    def _notes(self, error: BaseException, source: Mask) -> Iterator[str]:
        notes: Any = getattr(error, "__dict__", {}).get("__notes__")
        if isinstance(notes, list):
            for note in notes[:_MOST_FRAMES]:
                if isinstance(note, str):
                    yield f"{self._mask(_beginning(note, source))}\n"

    def _members(self, members: Any) -> Iterator[str]:
        for number, member in enumerate(members, 1):
            if not self._left:
                return
            yield f"  +---------------- {number} ----------------\n"
            yield from (f"  | {line}" for line in self.of(member).splitlines(keepends=True))


def _beginning(text: str, mask: Mask) -> str:
    """Return as much of a text as is recorded. It is masked before it is cut: no rule knows the half of a secret."""
    return mask(text) if len(text) <= _LONGEST else mask(text[: _LONGEST + MARGIN], end=_LONGEST)
