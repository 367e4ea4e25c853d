"""A conversation as lines: for a terminal of any width, or for a pipe, where nothing is broken or cut."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from .facts import FAINT, duration, facts_of, joined, name_of, shown
from .tree import relevant, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .known import Known
    from .messages import Message
    from .record import Record
    from .tree import Node

_BAR = 18
_DURATION = 10
_NARROW = 60  # columns below which there is no time line
_ROLE = 9
_STYLES = {
    "system": FAINT,
    "tools": FAINT,
    "reasoning": "italic",
    "assistant": "cyan",
    "tool": "green",
    "result": "green",
    "exception": "red",
}
_WRAPPING = Console(width=80, color_system=None)  # only counts cells


def conversation_lines(records: Sequence[Record], known: Known, width: int | None, remark: str = "") -> Iterator[Text]:
    """Return the lines of one trace: a heading, and each span with what is shown of it.

    Args:
        records: its spans.
        known: the messages that were shown before.
        width: the columns of the terminal; None where lines may have any length.
        remark: what the heading says besides time, service and trace.
    """
    shown_here = relevant(records)
    first = min(shown_here, key=lambda record: record.start)
    yield Text()
    yield from wrapped(_heading(first, remark), width, "", "  ")
    span = (first.start, max(record.end for record in shown_here))
    for node in tree(shown_here):
        yield from span_lines(node, known, width, span)
    if others := len(records) - len(shown_here):
        yield Text(f"  and {others:,} other {'span' if others == 1 else 'spans'}", FAINT)


def span_lines(node: Node, known: Known, width: int | None, span: tuple[int, int]) -> Iterator[Text]:
    """Return the lines of one span.

    Args:
        node: the span in its tree.
        known: the messages that were shown before.
        width: the columns of the terminal; None where lines may have any length.
        span: when the conversation began and ended, in nanoseconds.
    """
    record, facts = node.record, facts_of(node.record)
    took = Text(duration(record.seconds), "" if record.is_call else FAINT)
    if width is None:
        yield Text.assemble((node.branch, FAINT), name_of(record), "  ", joined([took, *facts]))
    else:
        yield from _first_lines(node, took, width, span)
        if facts:
            yield from wrapped(joined(facts), width, node.below, node.below)
    for message in known.new(record.messages):
        yield from _message_lines(message, width, node.below)


def _heading(first: Record, remark: str) -> Text:
    began = datetime.fromtimestamp(first.start / 1e9).strftime("%H:%M:%S")  # noqa: DTZ006 - the user's clock
    service = "" if first.service.startswith("unknown_service") else first.service
    words = [began, service, f"trace {first.trace}", remark]
    return shown(" · ".join(filter(None, words)), FAINT)


def _first_lines(node: Node, took: Text, width: int, span: tuple[int, int]) -> Iterator[Text]:
    """The name at the left, and at the right the time line and the duration."""
    bar = Text() if width < _NARROW else _bar(node.record, span)
    right = Text.assemble(bar, " " * max(_DURATION - took.cell_len, 1), took)
    names = [*wrapped(name_of(node.record), width - right.cell_len - 1, node.branch, node.below)]
    names[0].append(" " * max(width - right.cell_len - names[0].cell_len, 1))
    names[0].append_text(right)
    yield from names


def _bar(record: Record, span: tuple[int, int]) -> Text:
    """When the span was open, as a part of the conversation: thin until a stream's first chunk, thick from there on."""
    begin, length = span[0], max(span[1] - span[0], 1)
    waited = (record.number("gen_ai.response.time_to_first_chunk") or 0) * 1e9
    left, turn, right = (
        round((moment - begin) / length * _BAR) for moment in (record.start, record.start + waited, record.end)
    )
    left = min(max(left, 0), _BAR - 1)
    right = min(max(right, left + 1), _BAR)
    turn = min(max(turn, left), right - 1)
    style = "red" if record.failed else "cyan" if record.is_call else FAINT
    drawn = " " * left + "╌" * (turn - left) + "━" * (right - turn)
    return Text(drawn.ljust(_BAR), style)


def _message_lines(message: Message, width: int | None, below: str) -> Iterator[Text]:
    style = _STYLES.get(message.role, "")
    role = shown(message.role, f"bold {style}".strip())
    role.truncate(_ROLE, overflow="ellipsis", pad=True)
    first = Text.assemble((f"{below}  ", FAINT), role, " ")
    indent = " ".join((below, " " * (_ROLE + 2)))
    for number, line in enumerate(message.text.replace("\r\n", "\n").expandtabs(4).split("\n")):
        if line.strip() or not number:
            yield from wrapped(shown(line, style), width, indent if number else first, indent)


def wrapped(text: Text, width: int | None, first: str | Text, below: str) -> Iterator[Text]:
    """Break a text into lines of so many columns.

    Args:
        text: the text.
        width: the columns; None for one line of any length.
        first: what stands before the first line, as wide as `below` or less.
        below: what stands before the others.
    """
    before = Text(first, FAINT) if isinstance(first, str) else first
    # A tree that is deep leaves little room; some there is always.
    lines = [text] if width is None else [*text.wrap(_WRAPPING, max(width - len(below), 16))] or [text]
    for number, line in enumerate(lines):
        line.rstrip()
        yield Text.assemble((below, FAINT), line) if number else Text.assemble(before, line)
