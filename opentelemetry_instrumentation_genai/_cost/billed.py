"""The cost of a call that the provider itself reports, in USD."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from .._adapter.fields import member

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# LiteLLM's proxy, "Response Headers". The headers of a stream are sent before it costs anything.
_HEADER = b"x-litellm-response-cost"
_TICKS = 10_000_000_000  # of xAI, in one USD


def by_headers(headers: Any) -> float | None:
    """Read the cost from the headers of a response; None if they have none."""
    for name, value in headers.raw:
        if name.lower() == _HEADER:
            try:
                return None if b"_" in value else _dollars(float(value))  # Python takes 1_0 for 10
            except ValueError:
                return None
    return None


def by_response(provider: str, response: Any) -> float | None:
    """Read the cost from a response; None if its provider does not report it."""
    read = BILLING.get(provider)
    usage = None if read is None else member(response, "usage")
    return None if read is None or usage is None else read(usage)


def _dollars(value: Any) -> float | None:
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def _cost(usage: Any) -> float | None:
    """Return the cost as LiteLLM's proxy reports it, with `include_cost_in_streaming_usage`."""
    return _dollars(member(usage, "cost"))


def _openrouter(usage: Any) -> float | None:
    """Return the cost as OpenRouter reports it: its charge in dollars, plus the upstream's if the user's own key was used.

    Without the user's key the upstream's figure is there as well, and is contained in the charge.
    """
    charged = _dollars(member(usage, "cost"))
    if charged is None or member(usage, "is_byok") is not True:
        return charged
    upstream = _dollars(member(member(usage, "cost_details"), "upstream_inference_cost"))
    return None if upstream is None else charged + upstream


def _perplexity(usage: Any) -> float | None:
    """Return the cost as Perplexity reports it: `usage.cost`, an object with its parts, the fees of searches among them."""
    cost = member(usage, "cost")
    return _dollars(member(cost, "total_cost")) if member(cost, "currency") in (None, "USD") else None


def _x_ai(usage: Any) -> float | None:
    """Return the cost as xAI reports it: "Cost Tracking"."""
    ticks = _dollars(member(usage, "cost_in_usd_ticks"))
    return None if ticks is None else ticks / _TICKS


def _deepinfra(usage: Any) -> float | None:
    """Return the cost as DeepInfra reports it: its API reference of chat completions."""
    return _dollars(member(usage, "estimated_cost"))


BILLING: Final[Mapping[str, Callable[[Any], float | None]]] = {
    "deepinfra": _deepinfra,
    "litellm": _cost,
    "openrouter": _openrouter,
    "perplexity": _perplexity,
    "x_ai": _x_ai,
}
"""`gen_ai.provider.name` -> usage of a response -> what it cost, of the providers that say so."""
