"""What is chosen on a board: the values of its variables and the range of time, put into its queries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Chosen(NamedTuple):
    """What is chosen.

    Attributes:
        start: of the range, in seconds since 1970.
        end: of the range.
        rate: the seconds of `$__rate_interval`.
        values: variable -> what stands in queries for it, such as `.*` for all.
    """

    start: float
    end: float
    rate: int
    values: Mapping[str, str]

    @property
    def step(self) -> int:
        """The seconds between two points of a line."""
        return max(round((self.end - self.start) / 240), 1)

    def put_into(self, query: str) -> str:
        """Return a query, or a legend, without variables.

        Raises:
            KeyError: it has a variable that the board does not have.
        """
        times = {"__range": f"{round(self.end - self.start)}s", "__rate_interval": f"{self.rate}s"}
        return _VARIABLE.sub(lambda found: {**times, **self.values}[found[1] or found[2]], query)


def everything(model: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a board's variables: all of what has values, and nothing of the others, but for those that are given.

    Args:
        model: the board as Grafana's JSON model.
        values: variable -> what is chosen.
    """
    variables = model["templating"]["list"]
    all_of_them = {variable["name"]: variable.get("allValue") or "" for variable in variables}
    return {**all_of_them, **{name: value for name, value in values.items() if name in all_of_them}}
