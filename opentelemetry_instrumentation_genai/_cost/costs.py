"""What calls cost, by the sources that the user chose, in their order."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from .._conventions.generations import FETCHED
from .._conventions.names import OPERATION_NAME, PROVIDER_NAME, USAGE_COST, USAGE_INPUT_TOKENS
from .._guard import say_once
from . import billed as _billed
from .units import BILLED_OPERATIONS, NEEDED, used

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._adapter.hosts import Server
    from .._adapter.operation import Billing
    from .units import Used

BILLED = "billed"
LIST = "genai-prices"
INSTALL = "pip install 'opentelemetry-instrumentation-genai[prices]'"
_USUAL_TIERS = ("", "auto", "default", "standard")
_WHO = "Who answers at that host can be declared: OTEL_INSTRUMENTATION_GENAI_HOST_PROVIDERS=HOST=PROVIDER. "
_MOST = 256  # models without a price that are named


class Prices(Protocol):
    """Where prices come from."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def begin(self) -> None:
        """A call starts. Waits for nothing."""
        ...

    def loading(self) -> bool:
        """Whether they are not there yet."""
        ...

    def cost(self, used: Used, server: Server | None, /) -> float | None:
        """What a usage costs, in USD; None if it does not know."""
        ...


class Costs:
    """Tells what calls cost.

    Args:
        sources: in the order that they are asked: `billed`, what the provider itself says, or prices to compute with.

    Attributes:
        needed: the attributes of a response that it asks for.
    """

    needed = NEEDED

    def __init__(self, sources: Sequence[str | Prices]) -> None:
        self._sources = sources
        self._prices = [source for source in sources if not isinstance(source, str)]
        self._priced = bool(self._prices)
        self._unknown: set[tuple[str, tuple[str, ...], str]] = set()

    def begin(self) -> None:
        """A call starts: prices are loaded from then on, in the background."""
        for prices in self._prices:
            prices.begin()

    def in_headers(self, headers: Any) -> float | None:
        """What the headers of a response say that it cost, in USD."""
        return _billed.by_headers(headers) if BILLED in self._sources else None

    def of(
        self,
        identity: Mapping[str, Any],
        server: Server | None,
        response: Any,
        found: Mapping[str, Any],
        billing: Billing,
        *,
        in_headers: float | None = None,
    ) -> float | None:
        """What a call cost.

        Args:
            identity: operation, provider and request model among it.
            server: who answered, if that is known.
            response: its response.
            found: the attributes of the response.
            billing: what a price depends on besides.
            in_headers: what the headers said.

        Returns:
            USD; None where nobody knows.
        """
        operation = identity[OPERATION_NAME]
        if operation not in BILLED_OPERATIONS and not (operation == FETCHED and USAGE_INPUT_TOKENS in found):
            return None
        usages = used(operation, identity, found, billing) if self._priced else []
        for source in self._sources:
            if isinstance(source, str):
                cost = in_headers if in_headers is not None else _billed.by_response(identity[PROVIDER_NAME], response)
            elif usages and source.loading():  # what comes after it in the user's order may have other prices
                say_once(
                    "The prices of %s are still being loaded: calls that end before they are there have no %s.",
                    source.name,
                    USAGE_COST,
                )
                return None
            else:
                cost = _sum(source, usages, server)
            if cost is not None:
                return cost
        if usages:
            self._say(usages[0], server)
        return None

    def _say(self, usage: Used, server: Server | None) -> None:
        tier = usage.terms.get("service_tier", "")
        host = "" if server is None or server.sure else server.host
        key = host or usage.provider, usage.models, tier
        if key in self._unknown or len(self._unknown) >= _MOST:
            return
        self._unknown.add(key)
        say_once(
            "No price is known of all that calls of %s at %s%s use: they have no %s. %sPrices of your own can be given in a file: "
            "OTEL_INSTRUMENTATION_GENAI_PRICES=file:PATH.",
            " or ".join(usage.models) or "the model",
            host or usage.provider,
            "" if tier in _USUAL_TIERS else f", service tier {tier},",
            USAGE_COST,
            _WHO if host else "",
        )


def _sum(source: Prices, usages: Sequence[Used], server: Server | None) -> float | None:
    """What several usages of one call cost; None where one of them is not known."""
    total = 0.0
    for usage in usages:
        cost = source.cost(usage, server)
        if cost is None:
            return None
        total += cost
    return total if usages else None


def _listed() -> Prices | None:
    if find_spec("genai_prices") is None:
        say_once("genai-prices is not installed, so that it has no part in the cost of calls. Install it: %s.", INSTALL)
        return None
    from .price_list import PriceList

    return PriceList()


def costs(sources: Sequence[str | Prices]) -> Costs | None:
    """What tells of the cost of calls, if anything is to.

    Args:
        sources: `billed`, `genai-prices`, or prices, in order.
    """
    found = [_listed() if source == LIST else source for source in sources]
    known = [source for source in found if source is not None]
    return Costs(known) if known else None
