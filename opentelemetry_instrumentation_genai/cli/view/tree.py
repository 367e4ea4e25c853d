"""The spans of a trace as a tree, written as a list."""

from __future__ import annotations

from typing import Any


def in_order(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return spans from the top down, each with its `depth` and the number of its `children`.

    A span without its parent is at the top; so is one of a circle of parents, which only a faulty sender makes.
    """
    known = {span["id"] for span in spans}
    below: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        below.setdefault(span["parent"] if span["parent"] in known else "", []).append(span)
    ordered: list[dict[str, Any]] = []
    _descend(below.get("", []), below, ordered)
    if len(ordered) < len(spans):
        seen = {span["id"] for span in ordered}
        _descend([{**span, "parent": ""} for span in spans if span["id"] not in seen], {}, ordered)
    return ordered


def _descend(
    roots: list[dict[str, Any]], below: dict[str, list[dict[str, Any]]], ordered: list[dict[str, Any]]
) -> None:
    """Add roots, and what is below them. Without recursion: a trace may be deeper than Python's stack."""
    waiting = [(0, span) for span in reversed(roots)]
    while waiting:
        depth, span = waiting.pop()
        children = below.get(span["id"], [])
        ordered.append({**span, "depth": depth, "children": len(children)})
        waiting += [(depth + 1, child) for child in reversed(children)]
