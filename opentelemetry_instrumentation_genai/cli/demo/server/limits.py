"""The rate limits of the model server: they are reported, and nothing is refused by them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS = 300
TOKENS = 60_000
_PERIOD = 60.0  # seconds in which a used up limit is there again


class Left(NamedTuple):
    """What is left of the limits of a model.

    Attributes:
        requests: how many requests.
        tokens: how many tokens.
    """

    requests: int
    tokens: int


@dataclass
class Limits:
    """The limits of each model, which come back steadily.

    Attributes:
        clock: tells the seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _used: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def take(self, model: str, tokens: int) -> Left:
        """Count a request, and return what is left after it.

        Args:
            model: the model that it is for.
            tokens: how many tokens it has.
        """
        now = self.clock()
        then, requests, used = self._used.get(model, (now, 0.0, 0.0))
        back = (now - then) / _PERIOD
        requests = min(max(requests - back * REQUESTS, 0) + 1, REQUESTS)
        used = min(max(used - back * TOKENS, 0) + tokens, TOKENS)
        self._used[model] = (now, requests, used)
        return Left(int(REQUESTS - requests), int(TOKENS - used))
