"""What a turn has used. The program reports running totals of cost and tokens, those of subagents included."""

from __future__ import annotations

import math
from typing import Any

from ..._adapter.fields import count, member, members, number

# As the Messages API names them, and as the totals of each model do.
_TOKENS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_input_tokens": "cacheReadInputTokens",
    "cache_creation_input_tokens": "cacheCreationInputTokens",
}


class Totals:
    """The totals of one connection to the program, by its last result."""

    def __init__(self) -> None:
        self._cost = 0.0
        self._tokens: dict[str, int] = {}

    def reset(self) -> None:
        """Begin at zero, as the program does with a new conversation."""
        self._cost, self._tokens = 0.0, {}

    def since(self, result: Any) -> dict[str, Any]:
        """Return the usage and the cost of the turn that a result ends, as far as they are known.

        Args:
            result: the `ResultMessage`. Its `usage` is that of the turn, without subagents, and with details that the totals lack.
        """
        spent = {"usage": self._usage(result), "cost": self._cost_since(result)}
        return {name: value for name, value in spent.items() if value is not None}

    def _usage(self, result: Any) -> Any:
        own, totals = member(result, "usage"), _totals(result)
        if totals is None:
            return own
        before, self._tokens = self._tokens, totals
        used = {name: total - before.get(name, 0) for name, total in totals.items()}
        if min(used.values()) < 0:  # the program has begun at zero
            used = totals
        return own if used == {name: count(member(own, name)) or 0 for name in _TOKENS} else used

    def _cost_since(self, result: Any) -> float | None:
        total = number(member(result, "total_cost_usd"))
        if total is None or not math.isfinite(total) or total < 0:
            return None
        before, self._cost = self._cost, total
        return total if total < before else total - before


def _totals(result: Any) -> dict[str, int] | None:
    """Return the tokens of all models; None where the program reports none."""
    models = [members(one) for one in members(member(result, "model_usage")).values()]
    if not models:
        return None
    return {name: sum(count(one.get(given)) or 0 for one in models) for name, given in _TOKENS.items()}
