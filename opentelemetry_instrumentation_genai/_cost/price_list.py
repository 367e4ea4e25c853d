"""The public prices of providers, from the package genai-prices. They are never updated over the network."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from .._runtime.background import Background
from .._runtime.guard import report
from .rates import Rates, Tiered
from .units import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.client_servers import Server
    from .units import Used

LISTED: Final = {
    "anthropic": "anthropic",
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "baseten": "baseten",
    "cerebras": "cerebras",
    "cloudflare": "cloudflare",
    "cohere": "cohere",
    "databricks": "databricks",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "groq": "groq",
    "minimax": "minimax",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "together_ai": "together",
    "x_ai": "x-ai",
    "z_ai": "zai",
}
"""`gen_ai.provider.name` -> the package's id. Not those that bill what their usage does not count, as Perplexity does searches."""
_NOT = frozenset({"perplexity"})
# On Bedrock a model's price depends on where it may run, which only the name in the request contains.
_BY_REQUEST = frozenset({"aws.bedrock"})
# What always costs more than the whole that it is a part of: without a price for it, the list does not know the call's.
_DEARER = ("input_audio_tokens", "output_audio_tokens", "output_image_tokens", "cache_write_1h_tokens")
# Unit of a price in the package -> how many of its prices make one for a million.
_PER = {"_mtok": 1, "_kcount": 1000}
# Names of the default service tier.
_STANDARD = frozenset({"default", "standard", "auto", "on_demand"})
_MOST = 512  # models that are remembered


class PriceList:
    """The prices of genai-prices, in whichever version is installed."""

    name = "genai-prices"

    def __init__(self) -> None:
        self._package = Background(_loaded, _report)
        self._found: dict[tuple[str, str, tuple[str, ...]], _Model | None] = {}

    def begin(self) -> None:
        """Start to load the prices in the background, unless they are loaded."""
        if self._package.known() is None:
            self._package.begin()

    def loading(self) -> bool:
        """Return whether the prices are still loading; if they cannot be loaded, the list is empty."""
        return self._package.known() is None and self._package.begin()

    def cost(self, used: Used, server: Server | None) -> float | None:
        """Return what a call costs by the list, in USD; None if the model is not on it."""
        if not used.has_list_price or not used.models or self._package.known() is None:
            return None
        url = "" if server is None else server.url
        provider = used.provider if server is None or server.sure else ""
        key = provider, url, used.models[-1:] if provider in _BY_REQUEST else used.models
        try:
            model = self._found[key]
        except KeyError:
            if len(self._found) >= _MOST:
                self._found.clear()
            model = self._found[key] = self._look_up(*key)
        rates = None if model is None else model.rates(used.terms)
        if rates is None or any(used.amounts.get(unit) and unit not in rates.units for unit in _DEARER):
            return None
        return rates.cost(used.amounts)

    def _look_up(self, provider: str, url: str, models: tuple[str, ...]) -> _Model | None:
        """Return a model by the URL, else by the provider; by the response's name, else, if that extends it, by the request's."""
        answered, *requested = models
        for model in (answered, *(name for name in requested if answered.lower().startswith(name.lower()))):
            found = self._find_by_url(url, model) if url else None
            if found is None and provider in LISTED:
                found = self._find(LISTED[provider], model)
            if found is not None:
                return None if found.provider in _NOT else found
        return None

    def _find_by_url(self, url: str, model: str) -> _Model | None:
        return self._calculated(model, provider_api_url=url)

    def _find(self, provider: str, model: str) -> _Model | None:
        return self._calculated(model, provider_id=provider)

    def _calculated(self, model: str, **where: str) -> _Model | None:
        return _calculated(self._package.known(), model, **where)


def _loaded() -> Any:
    """Return the package with its data, which take a second to load."""
    package = import_module("genai_prices")
    _calculated(package, "gpt-4o", provider_id="openai")
    return package


def _report(error: BaseException) -> None:
    if isinstance(error, Exception):
        report("PriceList", error)


def _calculated(package: Any, model: str, **where: str) -> _Model | None:
    usage = package.Usage(input_tokens=0, output_tokens=0)
    try:
        found = package.calc_price(usage, model, **where)
    except LookupError:
        return None
    return _Model(found.model, found.provider)


class _Model:
    """A model on the list.

    Args:
        model: the package's model.
        provider: the package's provider that it was found at.
    """

    def __init__(self, model: Any, provider: Any) -> None:
        self.provider: str = provider.id
        self._model = model
        # A model that a provider offers of another's list has its plain price there only.
        own = any(model is offered for offered in provider.models)
        self._variants = [dict(variant.when) for variant in (getattr(model, "price_variants", None) or ()) if own]
        self._last: tuple[dict[str, Any], Rates | None] | None = None

    def rates(self, terms: Mapping[str, str]) -> Rates | None:
        """Return the prices of this moment: they change by the date, and for some by the hour.

        Args:
            terms: what they depend on besides.

        Returns:
            The prices; None where the list has none, or none under these terms.
        """
        context = {name: value for name, value in terms.items() if self._varies(name, value)}
        if any(name not in context and value not in _STANDARD for name, value in terms.items()):
            return None
        prices = vars(self._model.get_prices(datetime.now(timezone.utc), context or None))
        if self._last is None or self._last[0] != prices:
            self._last = dict(prices), _rates(prices)
        return self._last[1]

    def _varies(self, name: str, value: str) -> bool:
        return any(variant.get(name) == value for variant in self._variants)


def _rates(prices: Mapping[str, Any]) -> Rates | None:
    """Return prices by our units; None where there is none for tokens, as for models that are paid by the hour."""
    known: dict[str, float | Tiered] = {}
    for name, price in prices.items():
        unit, times = _unit(name)
        if price is not None and unit in UNITS:
            known[unit] = _tiered(price, times) if hasattr(price, "tiers") else float(price) * times
    return Rates(known) if any(unit.endswith("_tokens") for unit in known) else None


def _unit(name: str) -> tuple[str, int]:
    stem, _, per = name.rpartition("_")
    times = _PER.get("_" + per)
    if times is None:
        return "", 1
    return (stem if per == "kcount" else stem + "_tokens"), times


def _tiered(price: Any, times: int) -> Tiered:
    return Tiered(float(price.base) * times, tuple((tier.start, float(tier.price) * times) for tier in price.tiers))
