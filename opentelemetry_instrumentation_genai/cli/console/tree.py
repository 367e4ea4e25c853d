"""The spans of a conversation as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..._conventions import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .record import Record

_DEEPEST = 12  # levels that are indented


class Node(NamedTuple):
    """A span in its tree.

    Attributes:
        record: the span.
        branch: what stands before its name.
        below: what stands before the other lines of it.
    """

    record: Record
    branch: str
    below: str


def tree(records: Sequence[Record]) -> Iterator[Node]:
    """Walk spans in the order of time, each after the one around it. One that is around none of them begins a tree.

    Args:
        records: the spans of one trace or of several.
    """
    known = {record.id for record in records}
    children: dict[str | None, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.start):
        around = record.parent if record.parent in known and record.parent != record.id else None
        children.setdefault(around, []).append(record)
    # A list in place of calls: a tree may be deeper than Python's stack.
    waiting = [(record, "", "", 0) for record in reversed(children.get(None, []))]
    while waiting:
        record, branch, deeper, depth = waiting.pop()
        inner = children.pop(record.id, [])  # once, whatever ids there are twice
        yield Node(record, branch, deeper + ("│ " if inner else "  "))
        indent = deeper if depth < _DEEPEST else deeper[:-2]
        for child in reversed(inner):
            last = child is inner[-1]
            waiting.append((child, indent + ("└ " if last else "├ "), indent + ("  " if last else "│ "), depth + 1))


def relevant(records: Sequence[Record]) -> list[Record]:
    """Return the calls, what lies around them, and what models and tools did: of an agent with a thousand queries, not the queries."""
    by_id = {record.id: record for record in records}
    wanted: set[str] = set()
    for record in records:
        if record.is_call:
            for around in (record, *_around(record, by_id)):
                if around.id in wanted:
                    break
                wanted.add(around.id)
        elif any(around.is_call for around in _around(record, by_id)):
            nearest = next(around for around in _around(record, by_id) if around.is_call)
            if nearest.text(names.OPERATION_NAME) not in _OF_MANY:
                wanted.add(record.id)
    return [record for record in records if record.id in wanted]


_OF_MANY = ("invoke_agent", "invoke_workflow", "step")


def _around(record: Record, by_id: Mapping[str, Record]) -> Iterator[Record]:
    """Return the spans around one, from the nearest on."""
    seen = {record.id}
    while (around := by_id.get(record.parent)) and around.id not in seen:
        yield around
        seen.add(around.id)
        record = around
