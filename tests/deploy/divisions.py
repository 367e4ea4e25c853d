"""What PromQL expressions divide by, in the trees that Prometheus parses them into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def divisors(node: Any) -> Iterator[Node]:
    """What is divided by, of each division of a tree."""
    if isinstance(node, list):
        for one in node:
            yield from divisors(one)
    if not isinstance(node, dict):
        return
    if node.get("type") == "binaryExpr" and node["op"] == "/":
        yield node["rhs"]
    for value in node.values():
        yield from divisors(value)


def is_guarded(divisor: Node) -> bool:
    """Whether what is divided by is never zero: a number, or only what is above zero."""
    while divisor["type"] == "parenExpr":
        divisor = divisor["expr"]
    if divisor["type"] == "numberLiteral":
        return float(divisor["val"]) != 0
    above = divisor["type"] == "binaryExpr" and divisor["op"] == ">"
    return above and divisor["rhs"]["type"] == "numberLiteral" and float(divisor["rhs"]["val"]) >= 0
