"""What goes wrong: how large the share of the requests is that have it, usually and with a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..server.plan import Failing


class Shares(NamedTuple):
    """How often something happens.

    Attributes:
        failing: how a request fails, with weights.
        slower: what latencies are multiplied by.
        truncated: the share of answers that are cut.
        cached: the share of prompts that are found in the cache.
        endless: the share of requests that belong to one conversation without an end.
    """

    failing: tuple[tuple[Failing, int], ...] = (
        ("", 180),
        ("busy", 8),
        ("limited", 6),
        ("broken", 6),
        ("filtered", 2),
        ("late", 2),
    )
    slower: float = 1.0
    truncated: float = 0.05
    cached: float = 0.3
    endless: float = 0.0


FAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "errors": {"failing": (("", 5), ("broken", 5))},
    "rate-limits": {"failing": (("", 4), ("busy", 1), ("limited", 5))},
    "slow": {"slower": 8.0},
    "truncation": {"truncated": 0.6},
    "no-cache": {"cached": 0.0},
    "endless": {"endless": 0.5},
}
"""Name -> the shares that are others with it."""


def shares_with(faults: Sequence[str]) -> Shares:
    """Return the shares with some faults; of two that change the same one, the later one counts.

    Args:
        faults: names of `FAULTS`.
    """
    shares = Shares()
    for fault in faults:
        shares = shares._replace(**FAULTS[fault])
    return shares
