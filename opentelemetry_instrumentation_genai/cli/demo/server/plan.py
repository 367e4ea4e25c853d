"""What a request asks the model server to do with it, by a header of the load generator: to wait, to fail, to find it in the cache."""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "x-demo-plan"
Failing = Literal["", "busy", "limited", "broken", "filtered", "late"]


class Plan(NamedTuple):
    """What becomes of a request.

    Attributes:
        latency: seconds that pass before it is looked at.
        cached: tokens at the beginning of the prompt that are read from the cache; None leaves it to the cache.
        failing: `busy` is a rate limit at the first try, `limited` one at every try, `broken` an error of the server, `filtered` a
            refusal by the provider's policy; `late` is answered as any other, but for a client that does not wait so long.
    """

    latency: float = 0.0
    cached: int | None = None
    failing: Failing = ""

    def header(self) -> dict[str, str]:
        """Return the header that carries it."""
        return {HEADER: json.dumps(self)}

    def status(self, *, first: bool) -> int | None:
        """Return the status that it fails with; None if it does not.

        Args:
            first: whether this is the first try of a call.
        """
        always = {"broken": 500, "filtered": 400}.get(self.failing)
        if always:
            return always
        return 429 if self.failing == "limited" or (self.failing == "busy" and first) else None


CURRENT: ContextVar[Plan] = ContextVar("demo_plan", default=Plan())  # noqa: B039 - it is immutable


def plan_of(headers: Mapping[str, str]) -> Plan:
    """Return the plan of a request; without one it is answered as it comes."""
    return Plan(*json.loads(headers[HEADER])) if HEADER in headers else Plan()
