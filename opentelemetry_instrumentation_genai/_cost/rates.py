"""The prices of one model, and what an amount of units costs by them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from .units import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MILLION = 1_000_000


class Tiered(NamedTuple):
    """A price that depends on how long the whole input is.

    Attributes:
        base: USD for a million of the unit.
        tiers: (tokens of input, price of all units where there are more than these), in rising order.
    """

    base: float
    tiers: tuple[tuple[int, float], ...]

    def at(self, tokens: int) -> float:
        """Return the price with so many tokens of input."""
        price = self.base
        for start, above in self.tiers:
            if tokens > start:
                price = above
        return price


class _Priced(NamedTuple):
    """A unit that has a price.

    Attributes:
        unit: its name.
        price: USD for a million of it.
        parts: those of its parts that have prices of their own.
        hints: reported amounts of which each alone, or each pair, means that there must be an amount of this unit.
    """

    unit: str
    price: float | Tiered
    parts: tuple[str, ...]
    hints: tuple[tuple[str, ...], ...]


class Rates:
    """The prices of a model.

    Args:
        prices: unit -> USD for a million of it.

    Attributes:
        units: those that have a price.
    """

    def __init__(self, prices: Mapping[str, float | Tiered]) -> None:
        self.units = frozenset(prices)
        # The parts come first: what they cost is taken off what they are parts of.
        specific = sorted(prices, key=lambda unit: (-len(UNITS[unit]), unit))
        self._priced = [_Priced(unit, prices[unit], _parts(unit, specific), _HINTS[unit]) for unit in specific]

    def cost(self, amounts: Mapping[str, int]) -> float | None:
        """Return the cost of amounts of units.

        Args:
            amounts: unit -> how many; a unit without a price counts as what it is a part of.

        Returns:
            USD; None if the amounts contradict each other, or one that has a price is missing.
        """
        alone: dict[str, int] = {}
        total = 0.0
        for unit, price, parts, hints in self._priced:
            amount = amounts.get(unit)
            if amount is None:
                if _hinted(hints, amounts):
                    return None
                amount = 0
            for part in parts:
                amount -= alone[part]
            if amount < 0:
                return None
            alone[unit] = amount
            total += amount * (price.at(amounts.get("input_tokens", 0)) if isinstance(price, Tiered) else price)
        return total / _MILLION


def _parts(unit: str, others: Sequence[str]) -> tuple[str, ...]:
    return tuple(other for other in others if UNITS[unit] < UNITS[other])


def _hinted(hints: Sequence[Sequence[str]], amounts: Mapping[str, int]) -> bool:
    return any(all(amounts.get(unit) for unit in hint) for hint in hints)


def _hints(unit: str) -> tuple[tuple[str, ...], ...]:
    """Return the parts of a unit, and the pairs of parts that overlap, such as audio and cached audio."""
    alone = [(part,) for part in _parts(unit, list(UNITS))]
    pairs = [
        pair for pair in combinations(UNITS, 2) if UNITS[pair[0]] | UNITS[pair[1]] == UNITS[unit] and unit not in pair
    ]
    return (*alone, *pairs)


_HINTS: dict[str, tuple[tuple[str, ...], ...]] = {unit: _hints(unit) for unit in UNITS}
