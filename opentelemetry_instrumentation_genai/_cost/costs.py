"""The cost of calls, by the sources that the user chose, in their order."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from .._conventions.names import OPERATION_NAME, PROVIDER_NAME, USAGE_COST, USAGE_INPUT_TOKENS
from .._runtime.guard import warn_once
from . import billed as _billed
from .units import BILLED_BY_USAGE, BILLED_OPERATIONS, NEEDED, used

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._adapter.billing import Billing
    from .._adapter.client_servers import Server
    from .units import Used

BILLED = "billed"
LIST = "genai-prices"
INSTALL = "pip install 'opentelemetry-instrumentation-genai[prices]'"
_USUAL_TIERS = ("", "auto", "default", "standard")
_DECLARE_HOST = "The provider at that host can be declared: OTEL_INSTRUMENTATION_GENAI_HOST_PROVIDERS=HOST=PROVIDER. "
_MOST = 256  # models without a price that are named


class Prices(Protocol):
    """A source of prices."""

    @property
    def name(self) -> str:
        """Return its name in log messages."""
        ...

    def begin(self) -> None:
        """Start to load the prices: a call starts. Does not block."""
        ...

    def loading(self) -> bool:
        """Return whether the prices are still being loaded."""
        ...

    def cost(self, used: Used, server: Server | None, /) -> float | None:
        """Return the cost of a usage, in USD; None if it is not known."""
        ...


class Costs:
    """Computes the cost of calls.

    Args:
        sources: in order of precedence: `billed`, the cost that the provider itself reports, or prices to compute with.

    Attributes:
        needed: the attributes of a response that it reads.
    """

    needed = NEEDED

    def __init__(self, sources: Sequence[str | Prices]) -> None:
        self._sources = sources
        self._prices = [source for source in sources if not isinstance(source, str)]
        self._priced = bool(self._prices)
        self._unknown: set[tuple[str, tuple[str, ...], str]] = set()

    def begin(self) -> None:
        """Start to load the prices, in the background: a call starts."""
        for prices in self._prices:
            prices.begin()

    def in_headers(self, headers: Any) -> float | None:
        """Return the cost that the headers of a response report, in USD."""
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
        """Return the cost of a call.

        Args:
            identity: operation, provider and request model among it.
            server: the server of the call, if known.
            response: its response.
            found: the attributes of the response.
            billing: what a price depends on besides.
            in_headers: the cost that the headers of the response report.

        Returns:
            USD; None if no source knows it.
        """
        if billing.cost is not None:
            return billing.cost if BILLED in self._sources else None
        operation = identity.get(OPERATION_NAME)  # most requests to an MCP server have none
        if operation not in BILLED_OPERATIONS and not (operation in BILLED_BY_USAGE and USAGE_INPUT_TOKENS in found):
            return None
        usages = used(operation, identity, found, billing) if self._priced else []
        for source in self._sources:
            if isinstance(source, str):
                cost = in_headers if in_headers is not None else _billed.by_response(identity[PROVIDER_NAME], response)
            elif usages and source.loading():  # what comes after it in the user's order may have other prices
                warn_once(
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
            self._warn_of_missing_price(usages[0], server)
        return None

    def _warn_of_missing_price(self, usage: Used, server: Server | None) -> None:
        tier = usage.terms.get("service_tier", "")
        host = "" if server is None or server.sure else server.host
        key = host or usage.provider, usage.models, tier
        if key in self._unknown or len(self._unknown) >= _MOST:
            return
        self._unknown.add(key)
        warn_once(
            "No price is known for a part of what calls of %s at %s%s use: they have no %s. %sPrices of your own can be given in a file: "
            "OTEL_INSTRUMENTATION_GENAI_PRICES=file:PATH.",
            " or ".join(usage.models) or "the model",
            host or usage.provider,
            "" if tier in _USUAL_TIERS else f", service tier {tier},",
            USAGE_COST,
            _DECLARE_HOST if host else "",
        )


def _sum(source: Prices, usages: Sequence[Used], server: Server | None) -> float | None:
    """Return the cost of several usages of one call; None if that of one is not known."""
    total = 0.0
    for usage in usages:
        cost = source.cost(usage, server)
        if cost is None:
            return None
        total += cost
    return total if usages else None


def _price_list() -> Prices | None:
    if find_spec("genai_prices") is None:
        warn_once(
            "genai-prices is not installed, so that it has no part in the cost of calls. Install it: %s.", INSTALL
        )
        return None
    from .price_list import PriceList

    return PriceList()


def costs(sources: Sequence[str | Prices]) -> Costs | None:
    """Return what computes the cost of calls; None if no source is available.

    Args:
        sources: `billed`, `genai-prices`, or prices, in order.
    """
    found = [_price_list() if source == LIST else source for source in sources]
    known = [source for source in found if source is not None]
    return Costs(known) if known else None
