"""What was sent and answered, as the SDKs gave it to the application."""

from __future__ import annotations

import functools
import json
from array import array
from collections import Counter
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from ..environment import PRICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .plan import Planned


class Usage(NamedTuple):
    """The tokens of an answer.

    Attributes:
        given: all input tokens, cached ones among them.
        made: the output tokens.
        cached: the input tokens that were read from a cache.
        written: those that were written to it.
    """

    given: int
    made: int
    cached: int = 0
    written: int = 0


class Report:
    """Counts of what was sent."""

    def __init__(self) -> None:
        self.requests: int = 0
        self.streamed: int = 0
        self.truncated: int = 0
        self.models: Counter[str] = Counter()
        self.tenants: Counter[str] = Counter()
        self.teams: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.error_types: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.agents: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self.tool_errors: Counter[str] = Counter()
        self.evaluations: Counter[str] = Counter()

        self.cost: dict[str, Fraction] = {}
        self._conversations: Counter[str] = Counter()
        self._seconds: dict[str, array[float]] = {}

    def send(self, request: Planned, model: str) -> None:
        """Count a request."""
        self.requests += 1
        self.streamed += request.streamed
        self.models[model] += 1
        self.tenants[request.tenant] += 1
        self.teams[request.team] += 1
        self._conversations[request.conversation] += 1

    def answer(self, usage: Usage, request: Planned, *, truncated: bool) -> None:
        """Count an answer."""
        self.truncated += truncated
        self.tokens.update(input=usage.given, output=usage.made, cached=usage.cached)
        price = next((row for row in _prices() if fnmatchcase(request.model, row["model"])), None)
        if price is not None:
            self.cost[request.team] = self.cost.get(request.team, Fraction()) + _millionths(usage, price)

    def fail(self, error: BaseException) -> None:
        """Count a failure: by HTTP status, or by the type of what was raised; and by what the provider calls it."""
        self.errors[str(getattr(error, "status_code", type(error).__name__))] += 1
        self.error_types[_named(error)] += 1

    def end(self, model: str, seconds: float) -> None:
        """Count how long a request took."""
        self._seconds.setdefault(model, array("d")).append(seconds)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        counts = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        counts["cost"] = {team: float(dollars / 1_000_000) for team, dollars in self.cost.items()}
        counts["conversations"] = len(self._conversations)
        counts["longest_conversation"] = max(self._conversations.values(), default=0)
        counts["seconds"] = {model: _quantiles(seconds) for model, seconds in self._seconds.items()}
        path.write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _millionths(usage: Usage, price: Mapping[str, float]) -> Fraction:
    """Return what an answer costs by a row of the prices, in millionths of a dollar: prices are those of a million tokens."""
    whole = {name: Fraction(str(of)) for name, of in price.items() if name != "model"}
    cached, written = whole.get("cache_read", whole["input"]), whole.get("cache_write", whole["input"])
    fresh = usage.given - usage.cached - usage.written
    return fresh * whole["input"] + usage.cached * cached + usage.written * written + usage.made * whole["output"]


@functools.cache
def _prices() -> Sequence[Any]:
    rows: Sequence[Any] = json.loads(PRICES.read_text(encoding="utf-8"))["prices"]
    return rows


def _named(error: BaseException) -> str:
    """Return what the provider calls an error in the body of its response, else the name of what was raised."""
    body = getattr(error, "body", None)
    held = body.get("error", body) if isinstance(body, dict) else {}
    kind = type(error)
    return held.get("code") or held.get("type") or f"{kind.__module__}.{kind.__qualname__}"


def _quantiles(seconds: array[float]) -> dict[str, float]:
    """Return quantiles of durations: of each the one that as many as it says are not longer than."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {"count": len(ordered), **{f"p{q}": ordered[min(last, len(ordered) * q // 100)] for q in (50, 95, 99)}}
