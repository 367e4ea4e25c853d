"""What the model server saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .limits import Limits
from .model import MarkedCache, PromptCache
from .plan import CURRENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from starlette.requests import Request
    from starlette.responses import Response

    Reply = Callable[["Tally", dict[str, Any]], Awaitable[Response]]


@dataclass
class Tally:
    """What the server saw.

    Attributes:
        calls: requests that are no retry of an earlier one.
        inferences: those of them that have messages, and so an event.
        requests: all requests.
        any_model: whether it has every model, except those with `missing` in their name.
    """

    calls: int = 0
    inferences: int = 0
    requests: int = 0
    any_model: bool = False
    cache: PromptCache = field(default_factory=PromptCache)
    marked: MarkedCache = field(default_factory=MarkedCache)
    limits: Limits = field(default_factory=Limits)
    loaded: set[str] = field(default_factory=set)

    def count(self, request: Request, *, inference: bool = True) -> bool:
        """Count a request, and return whether it is the first try of a call."""
        first = request.headers.get("x-stainless-retry-count", "0") == "0"
        self.requests += 1
        self.calls += first
        self.inferences += inference and first and not request.url.path.endswith("/embeddings")
        return first

    def cached(self, prompt: list[str]) -> int:
        """Return how many tokens of a prompt are read from the cache: as planned, else those that were seen before."""
        planned = CURRENT.get().cached
        return self.cache.cached(prompt) if planned is None else min(planned, len(prompt))

    def knows(self, name: str, models: Collection[str]) -> bool:
        """Return whether it has a model."""
        return name in models or (self.any_model and "missing" not in name)

    def count_response(self) -> None:
        """Count a response of a realtime session: a call without an HTTP request of its own."""
        self.calls += 1
        self.inferences += 1

    def identifier(self, prefix: str, digits: int = 24) -> str:
        """Make an id in the style of the APIs, the same in every run."""
        return prefix + sha256(f"{prefix}{self.requests}".encode()).hexdigest()[:digits]
