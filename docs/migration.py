"""Write what other packages name a thing, beside what it is here, into `migration.md`: `tox -e docs`.

The names were observed: `observed.json` beside this page is what each package gave the same calls. `tox -e others` makes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("migration.md")
OBSERVED = Path(__file__).with_name("observed.json")
BEGIN = "<!-- {} by migration.py beside this page, from what was observed. -->\n"
END = "<!-- As far as that. -->\n"

Attributes = dict[str, dict[str, list[str]]]


def page(text: str, observed: dict[str, Any]) -> str:
    """A page with the tables as they were observed.

    Args:
        text: the page as it is.
        observed: what is in `observed.json`.
    """
    packages = observed["packages"]
    others = {name: one for name, one in packages.items() if name != "ours"}
    text = _put(text, "Versions", _versions(observed["sdks"], packages))
    text = _put(text, "Spans", _spans(packages))
    text = _put(text, "Metrics", _metrics(packages))
    for name, one in others.items():
        text = _put(text, f"Attributes of {name}", _attributes(packages["ours"]["calls"], one["calls"]))
    return text


def _put(text: str, what: str, made: str) -> str:
    begin = BEGIN.format(what)
    before, found, rest = text.partition(begin)
    if not found:
        raise ValueError(f"the page has no place for {what}")
    _, _, after = rest.partition(END)
    return before + begin + "\n" + made + "\n" + END + after


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def _versions(sdks: dict[str, str], packages: dict[str, Any]) -> str:
    rows = [
        [one["title"], ", ".join(f"`{name}` {number}" for name, number in one["versions"].items())]
        for name, one in packages.items()
        if name != "ours"
    ]
    with_sdks = ", ".join(f"`{name}` {number}" for name, number in sdks.items())
    return _table(["package", "observed"], rows) + f"\nAll of them with {with_sdks}.\n"


def _first(packages: dict[str, Any]) -> list[str]:
    """Ours first, then the others."""
    return sorted(packages, key=lambda name: (name != "ours", name))


def _title(packages: dict[str, Any], name: str) -> str:
    return "here" if name == "ours" else str(packages[name]["title"])


def _spans(packages: dict[str, Any]) -> str:
    names = _first(packages)

    def cell(name: str, call: str) -> str:
        spans = packages[name]["calls"].get(call, [])
        return ", ".join(f"`{span['name']}`" for span in spans) or "none"

    rows = [[call, *(cell(name, call) for name in names)] for call in packages["ours"]["calls"]]
    return _table(["call", *(_title(packages, name) for name in names)], rows)


def _metrics(packages: dict[str, Any]) -> str:
    names = _first(packages)
    metrics = sorted({metric for one in packages.values() for metric in one["metrics"]})
    rows = [
        [f"`{metric}`", *("yes" if metric in packages[name]["metrics"] else "" for name in names)] for metric in metrics
    ]
    return _table(["metric", *(_title(packages, name) for name in names)], rows)


def _attributes(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """A table of what is known of the calls, and the attributes of which no value is a fact."""
    rows: dict[str, list[str]] = {}
    alike: set[str] = set()
    matched: set[str] = set()
    for call, spans in theirs.items():
        if not spans:
            continue
        there, here = spans[0]["attributes"], ours[call][0]["attributes"]
        for fact in _facts(there, here):
            one, other = _having(there, fact), _having(here, fact)
            matched.update(one)
            if one == other:
                alike.update(one)
            else:
                rows.setdefault(f"{fact} | {_code(one)} | {_code(other)}", []).append(call)
    unmatched = _names(theirs) - matched - _names(ours)
    return (
        _table(["what", "there", "here", "calls"], [[row, ", ".join(called)] for row, called in rows.items()])
        + (f"\nThe same in both: {_code(sorted(alike))}.\n" if alike else "")
        + (f"\nFurther ones there: {_code(sorted(unmatched))}.\n" if unmatched else "")
    )


def _facts(*attributes: Attributes) -> list[str]:
    found = {fact: None for some in attributes for value in some.values() for fact in (*value["is"], *value["has"])}
    return list(found)


def _having(attributes: Attributes, fact: str) -> list[str]:
    """The attributes that are this fact; where there are none, those in which it is."""
    exact = [name for name, value in attributes.items() if fact in value["is"]]
    return sorted(exact or (name for name, value in attributes.items() if fact in value["has"]))


def _names(calls: dict[str, Any]) -> set[str]:
    return {name for spans in calls.values() for span in spans for name in span["attributes"]}


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


if __name__ == "__main__":
    made = page(PAGE.read_text(encoding="utf-8"), json.loads(OBSERVED.read_text(encoding="utf-8")))
    PAGE.write_text(made, encoding="utf-8")
