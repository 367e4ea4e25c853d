"""What an expression of PromQL reads, by the parser of Prometheus itself: names and labels that nothing emits are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

import emitted
from asking import ask

_SELECTORS = ("vectorSelector", "matrixSelector")
# What Prometheus makes itself, and what Collectors say of themselves, by both ways that it arrives.
OTHERS = {
    "up": frozenset({"job", "instance"}),
    **{
        f"otelcol_{part}_{signal}{total}": frozenset({"job", "instance", part.partition("_")[0]})
        for part in ("receiver_refused", "exporter_enqueue_failed", "exporter_send_failed")
        for signal in ("spans", "metric_points", "log_records")
        for total in ("", "_total")
    },
}


class Known:
    """The names that there are, each with its labels: of the plugin, of the Collector, and of the recording rules.

    Args:
        prometheus: the URL of a Prometheus, which parses.
        rules: files of recording rules.
    """

    def __init__(self, prometheus: str, rules: tuple[Path, ...] = ()) -> None:
        self._prometheus = prometheus
        self.names: dict[str, frozenset[str]] = {**OTHERS, **emitted.samples(), **emitted.derived()}
        for file in rules:
            for rule in rules_of(file):
                if "record" in rule:
                    own = frozenset(rule.get("labels", ()))
                    found = self.labels(self.parse(rule["expr"])) | own
                    self.names[rule["record"]] = self.names.get(rule["record"], frozenset()) | found

    def parse(self, expression: str) -> Any:
        """The tree of an expression."""
        return ask(self._prometheus, "/api/v1/parse_query", query=expression)["data"]

    def complaints(self, expression: str) -> list[str]:
        """What is wrong with an expression: names that nothing emits, and labels that nothing has."""
        return [*dict.fromkeys(self._complaints(self.parse(expression)))]

    def _complaints(self, node: Any) -> Iterator[str]:
        if not isinstance(node, dict):
            return
        if node.get("type") in _SELECTORS:
            yield from self._of_selector(node)
        for part in _parts(node):
            yield from self._complaints(part)
        wanted = {*node.get("grouping", ()), *(node.get("matching") or {}).get("labels", ())}
        if wanted and (known := self.labels_below(node)):
            yield from (f"nothing here has a label {name}" for name in sorted(wanted - known))

    def _of_selector(self, node: Any) -> Iterator[str]:
        names = [*self._named(node)]
        if not names:
            yield f"nothing emits {_shown(node)}"
        for name in names:
            if name not in self.names:
                yield from emitted.complaints(name)
            else:
                wanted = {matcher["name"] for matcher in node["matchers"]} - {"__name__"}
                yield from (f"{name} has no label {one}" for one in sorted(wanted - self.names[name]))

    def _named(self, node: Any) -> Iterator[str]:
        """The names of a selector, which may be a pattern."""
        import re

        for matcher in node["matchers"]:
            if matcher["name"] == "__name__":
                if matcher["type"] == "=~":
                    yield from (name for name in self.names if re.fullmatch(matcher["value"], name))
                else:
                    yield matcher["value"]

    def labels_below(self, node: Any) -> frozenset[str]:
        """The labels of all that an expression is made of."""
        found = (self.labels(part) for part in _parts(node))
        return frozenset().union(*found)

    def labels(self, node: Any) -> frozenset[str]:
        """The labels that what an expression gives may have."""
        if not isinstance(node, dict):
            return frozenset()
        if node["type"] in _SELECTORS:
            return frozenset().union(*(self.names.get(name, frozenset()) for name in self._named(node)))
        below = self.labels_below(node)
        if node["type"] == "aggregation":
            grouping = frozenset(node["grouping"])
            return below - grouping if node["without"] else grouping
        if node["type"] == "call" and node["func"]["name"] == "label_replace":
            return below | {node["args"][1]["val"]}
        if node["type"] == "call" and node["func"]["name"] == "histogram_quantile":
            return below - {"le"}
        return below


def _parts(node: Any) -> list[Any]:
    """The expressions that one is made of."""
    return [*(node.get(name) for name in ("expr", "lhs", "rhs") if node.get(name)), *(node.get("args") or ())]


def _shown(node: Any) -> str:
    return ", ".join(f"{one['name']}{one['type']}{one['value']!r}" for one in node["matchers"])


def rules_of(file: Path) -> list[dict[str, Any]]:
    """The rules in a file."""
    return [rule for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def located(file: Path, rule: Mapping[str, Any]) -> str:
    """Where a rule is: the file and the line of its name and expression."""
    name = rule.get("alert") or rule["record"]
    lines = file.read_text(encoding="utf-8").splitlines()
    first = rule["expr"].splitlines()[0]
    found = [
        number
        for number, line in enumerate(lines, 1)
        if line.strip() in {f"- alert: {name}", f"- record: {name}"} and first in "\n".join(lines[number : number + 3])
    ]
    return f"{file.parent.name}/{file.name}:{found[0] if found else '?'}: {name}"
