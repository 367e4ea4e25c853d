"""What the price of a response depends on, besides its attributes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .fields import Attribute


class Billing(NamedTuple):
    """What the price of a response depends on besides its attributes.

    Attributes:
        amounts: how many of what is billed and is no attribute, by the names of `_units`, and `total_tokens`.
        terms: what the price depends on: name -> value, such as a speed.
        beside: (model, attributes) of usages that are billed beside the response's own; None for the same model.
        has_list_price: whether the cost of such a response can be computed from a public list of prices.
        cost: what it cost by its own account, in USD; None where it has none.
    """

    amounts: Mapping[str, int] = MappingProxyType({})
    terms: Mapping[str, str] = MappingProxyType({})
    beside: Sequence[tuple[str | None, Mapping[str, Attribute]]] = ()
    has_list_price: bool = True
    cost: float | None = None


NO_MORE: Final = Billing()
"""Nothing besides."""
