"""What was sent and answered, as the SDKs gave it to the application."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from .plan import Planned


class Usage(NamedTuple):
    """The tokens of an answer.

    Attributes:
        given: all input tokens, cached ones among them.
        made: the output tokens.
        cached: the input tokens that were read from a cache.
    """

    given: int
    made: int
    cached: int = 0


class Report:
    """Counts of what was sent."""

    def __init__(self) -> None:
        self.requests: int = 0
        self.streamed: int = 0
        self.truncated: int = 0
        self.models: Counter[str] = Counter()
        self.tenants: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.agents: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self.tool_errors: Counter[str] = Counter()
        self.evaluations: Counter[str] = Counter()

    def send(self, request: Planned, model: str) -> None:
        """Count a request."""
        self.requests += 1
        self.streamed += request.streamed
        self.models[model] += 1
        self.tenants[request.tenant] += 1

    def answer(self, usage: Usage, *, truncated: bool) -> None:
        """Count an answer."""
        self.truncated += truncated
        self.tokens.update(input=usage.given, output=usage.made, cached=usage.cached)

    def fail(self, status: int | str) -> None:
        """Count a failure: by HTTP status, or by the type of what was raised."""
        self.errors[str(status)] += 1

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(vars(self), indent=2, sort_keys=True) + "\n", encoding="utf-8")
