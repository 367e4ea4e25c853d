"""Questions to Prometheus and others, and waiting for an answer."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stack import Stack


def ask(url: str, path: str, **parameters: str) -> Any:
    """Return the JSON that a server answers to a question.

    Args:
        url: of the server.
        path: of the question.
        parameters: what is asked.
    """
    with urllib.request.urlopen(f"{url}{path}?{urllib.parse.urlencode(parameters)}", timeout=30) as response:
        return json.loads(response.read())


def query(stack: Stack, expression: str) -> list[dict[str, Any]]:
    """Return what Prometheus answers to a PromQL expression now: a list of series with `metric` and `value`."""
    return ask(stack.prometheus, "/api/v1/query", query=expression)["data"]["result"]


def value(stack: Stack, expression: str) -> float:
    """Return the one number of a PromQL expression; 0 if there is no series."""
    found = query(stack, expression)
    assert len(found) < 2, found
    return float(found[0]["value"][1]) if found else 0.0


def wait_until(true: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return what a function returns as soon as that is true.

    Args:
        true: the function.
        seconds: how long it may take.
        what: it is that is waited for.
    """
    until = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < until, f"after {seconds:g} s: {what}"
        time.sleep(0.25)
    return found
