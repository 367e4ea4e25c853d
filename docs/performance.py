"""Write what was counted into `performance.md`: `tox -e docs`. `counted.json` beside this page has the counts; `tox -e others -- count.py` makes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("performance.md")
COUNTED = Path(__file__).with_name("counted.json")
BEGIN = "<!-- {} by performance.py beside this page, from what was counted. -->\n"
END = "<!-- As far as that. -->\n"


def page(text: str, counted: dict[str, Any]) -> str:
    """A page with the tables as they were counted.

    Args:
        text: the page as it is.
        counted: what is in `counted.json`.
    """
    text = _put(text, "Versions", _versions(counted))
    return _put(text, "Instructions", _instructions(counted))


def _put(text: str, what: str, made: str) -> str:
    begin = BEGIN.format(what)
    before, found, rest = text.partition(begin)
    if not found:
        raise ValueError(f"the page has no place for {what}")
    _, _, after = rest.partition(END)
    return before + begin + "\n" + made + "\n" + END + after


def _versions(counted: dict[str, Any]) -> str:
    used = ", ".join(f"`{name}` {number}" for name, number in counted["sdks"].items())
    versions = {name: number for one in counted["packages"].values() for name, number in one["versions"].items()}
    others = ", ".join(f"`{name}` {number}" for name, number in versions.items())
    return f"Python {counted['python']}, valgrind {counted['valgrind']}, {used}; {others}.\n"


def _instructions(counted: dict[str, Any]) -> str:
    """A row for each package: thousands of instructions that it adds, what part of the SDK's own that is, and how many times ours."""
    bare, packages = counted["bare"], counted["packages"]
    names = sorted(packages, key=lambda name: (not name.startswith("ours"), name))
    text = f"| added to | {' | '.join(bare)} |\n|---|{'---|' * len(bare)}\n"
    own = " | ".join(f"{number / 1000:,.0f} k" for number in bare.values())
    text += f"| the SDK alone, in all | {own} |\n"
    for name in names:
        found = packages[name]["counted"]
        cells = [_cell(found, packages["ours"]["counted"], bare, workload) for workload in bare]
        text += f"| {packages[name]['title']} | {' | '.join(cells)} |\n"
    return text


def _cell(found: dict[str, int], ours: dict[str, int], bare: dict[str, int], workload: str) -> str:
    if workload not in found:
        return ""
    added, of_ours = found[workload] - bare[workload], ours[workload] - bare[workload]
    part = f"{added / 1000:,.0f} k, {added / bare[workload]:.0%}"
    return part if found is ours else f"{part}; {added / of_ours:.1f} of ours"


if __name__ == "__main__":
    made = page(PAGE.read_text(encoding="utf-8"), json.loads(COUNTED.read_text(encoding="utf-8")))
    PAGE.write_text(made, encoding="utf-8")
