"""What is wrong with a board, as sentences that say where."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

from .panels import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A function of panels, or one of the board's own, with a title.
_MADE = re.compile(r'\b(?!Column\b|Query\b|Board\b|row\b)\w+\(\s*"([^"]+)",')
_WITHOUT_VALUES = ("row", "text", "logs", "traces")


def problems(model: dict[str, Any], module: Path) -> list[str]:
    """Return what is wrong with a board; empty if nothing is.

    Args:
        model: the board as Grafana's JSON model.
        module: the file that makes it, which the sentences name with the line of the panel's title.
    """
    lines = _lines(module.read_text(encoding="utf-8"))
    found = [
        f"{module}:{_line(lines, model, panel)}: the panel {panel['title']!r} {problem}."
        for panel in model["panels"]
        for problem in _problems_of(panel)
    ]
    for one, other in combinations((panel for panel in model["panels"] if panel["type"] != "row"), 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            found.append(f"{module}: the panels {one['title']!r} and {other['title']!r} overlap.")
    return found


def _problems_of(panel: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with one panel."""
    if panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24:
        yield "is wider than the grid"
    if panel["type"] in ("row", "text"):
        return
    if not panel.get("description"):
        yield "has no description"
    if not panel.get("targets"):
        yield "has no query"
    if panel["type"] in _WITHOUT_VALUES or (panel.get("datasource") or {}).get("type") == "tempo":
        return
    defaults = panel["fieldConfig"]["defaults"]
    if not defaults.get("unit"):
        yield "has no unit"
    if defaults.get("noValue") != NOTHING:
        yield f"does not say {NOTHING!r} where there is none"
    if panel["type"] == "table":
        yield from _without_unit(panel)


def _without_unit(panel: dict[str, Any]) -> Iterator[str]:
    """Yield the columns of a table that have no unit of their own."""
    names = panel["transformations"][-1]["options"]["renameByName"]
    with_unit = {
        override["matcher"]["options"]
        for override in panel["fieldConfig"]["overrides"]
        if any(value["id"] == "unit" and value["value"] for value in override["properties"])
    }
    for column, name in names.items():
        if column.startswith("Value") and name not in with_unit:
            yield f"has no unit of the column {name!r}"


def _lines(source: str) -> dict[str, list[int]]:
    """Return the lines in which the panels of a module are made, by their titles."""
    found: dict[str, list[int]] = {}
    for made in _MADE.finditer(source):
        found.setdefault(made[1], []).append(source.count("\n", 0, made.start()) + 1)
    return found


def _line(lines: dict[str, list[int]], model: dict[str, Any], panel: dict[str, Any]) -> int:
    """Return the line in which a panel is made: of several with one title, the one at its place; 1 if the title is put together."""
    alike = [one["id"] for one in model["panels"] if one["title"] == panel["title"] and one["type"] != "row"]
    found = lines.get(panel["title"], [])
    return found[alike.index(panel["id"])] if len(found) == len(alike) else (found or [1])[0]


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
