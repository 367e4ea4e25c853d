"""What a PromQL expression is made of, as Prometheus itself parses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from shown.answers import Prometheus

Node = dict[str, Any]


class Selected(NamedTuple):
    """A metric in an expression.

    Attributes:
        name: of the metric.
        labels: those by which it is selected, and by which a sum around it groups.
    """

    name: str
    labels: frozenset[str]


def parsed(prometheus: Prometheus, expression: str) -> Node:
    """Parse an expression.

    Raises:
        RefusedError: it is none.
    """
    tree: Node = prometheus.ask("parse_query", query=expression)
    return tree


def selected(node: Any, around: frozenset[str] = frozenset()) -> Iterator[Selected]:
    """Every metric of a tree, with its labels."""
    if isinstance(node, list):
        for one in node:
            yield from selected(one, around)
    if not isinstance(node, dict):
        return
    if node.get("type") == "aggregation" and not node["without"]:
        around |= set(node["grouping"])
    if node.get("type") in ("vectorSelector", "matrixSelector"):
        yield Selected(node["name"], around | {one["name"] for one in node["matchers"]} - {"__name__"})
        return
    for value in node.values():
        yield from selected(value, around)


def divisions(node: Any) -> Iterator[Node]:
    """What is divided by, of each division of a tree."""
    if isinstance(node, list):
        for one in node:
            yield from divisions(one)
    if not isinstance(node, dict):
        return
    if node.get("type") == "binaryExpr" and node["op"] == "/":
        yield node["rhs"]
    for value in node.values():
        yield from divisions(value)


def is_guarded(divisor: Node) -> bool:
    """Whether what is divided by is never zero: a number, or only what is above zero."""
    while divisor["type"] == "parenExpr":
        divisor = divisor["expr"]
    if divisor["type"] == "numberLiteral":
        return float(divisor["val"]) != 0
    above = divisor["type"] == "binaryExpr" and divisor["op"] == ">"
    return above and divisor["rhs"]["type"] == "numberLiteral" and float(divisor["rhs"]["val"]) >= 0
