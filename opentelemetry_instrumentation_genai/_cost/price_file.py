"""The user's own prices, from a file of JSON: what was negotiated with a provider, or what a server of one's own costs.

    {"prices": [{"model": "gpt-4o*", "provider": "openai", "input": 2.0, "cache_read": 1.0, "output": 8.0}]}

The first row that fits a call has its prices, in USD for a million tokens.
"""

from __future__ import annotations

import json
import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from .._adapter.host_patterns import among
from .._runtime.errors import RefusedError
from .rates import Rates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.client_servers import Server
    from .units import Used

# member of a row -> unit
_PRICES = {
    "input": "input_tokens",
    "input_audio": "input_audio_tokens",
    "input_image": "input_image_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
    "output_audio": "output_audio_tokens",
    "output_image": "output_image_tokens",
    "reasoning": "output_reasoning_tokens",
}
# In USD for one.
_SINGLE = {"request": "requests", "web_search": "web_searches"}
_PATTERNS = ("model", "provider", "host", "service_tier")
_KNOWN = (*_PATTERNS, *_PRICES, *_SINGLE)
_MILLION = 1_000_000
_DIRECTIONS = ("input_tokens", "output_tokens")


class Row(NamedTuple):
    """The prices of some models.

    Attributes:
        patterns: what a call has to be, in lower case, with `*` for anything: `model`, `provider`, `host`, `service_tier`.
        rates: their prices.
    """

    patterns: Mapping[str, str]
    rates: Rates

    def fits(self, used: Used, server: Server | None) -> bool:
        """Return whether a call has these prices."""
        for name, pattern in self.patterns.items():
            if name == "host":
                if server is None or not among((pattern,), server.host, server.port):
                    return False
            elif not any(fnmatchcase(value.lower(), pattern.replace("[", "[[]")) for value in _values(name, used)):
                return False
        return True

    def cost(self, used: Used) -> float | None:
        """Return the cost of a call in USD; None if it has tokens of a direction without a price."""
        if any(used.amounts.get(unit) and unit not in self.rates.units for unit in _DIRECTIONS):
            return None
        return self.rates.cost(used.amounts)


def _values(name: str, used: Used) -> tuple[str, ...]:
    if name == "model":
        return used.models
    return (used.provider,) if name == "provider" else (used.terms.get(name, ""),)


class PriceFile:
    """A file of prices.

    Args:
        path: of the file.

    Raises:
        RefusedError: if it cannot be read, or has what is not known.
    """

    name = "file"

    def __init__(self, path: str) -> None:
        self.path = path
        self._rows = _rows(path)

    def begin(self) -> None:
        """Do nothing: the prices are read with the settings."""

    def loading(self) -> bool:
        """Return False: the prices are loaded with the settings."""
        return False

    def cost(self, used: Used, server: Server | None) -> float | None:
        """Return the cost of a call, in USD; None if no row matches."""
        for row in self._rows:
            if row.fits(used, server):
                return row.cost(used)
        return None


def _rows(path: str) -> tuple[Row, ...]:
    try:
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123 - a process that does nothing with paths need not load them
            content = json.load(file)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or type(error).__name__}") from error
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{path}: no JSON: {error}") from error
    if not isinstance(content, dict) or set(content) != {"prices"} or not isinstance(content["prices"], list):
        raise RefusedError(f'{path}: expected is {{"prices": [...]}}')
    if not content["prices"]:
        raise RefusedError(f"{path}: it has no prices")
    return tuple(_row(f"{path}: prices[{index}]", row) for index, row in enumerate(content["prices"]))


def _row(place: str, entry: object) -> Row:
    if not isinstance(entry, dict):
        raise RefusedError(f"{place} is no object")
    unknown = [name for name in entry if name not in _KNOWN]
    if unknown:
        raise RefusedError(f"{place} has {unknown[0]!r}; known are {', '.join(_KNOWN)}")
    patterns = {name: _pattern(f"{place}.{name}", entry[name]) for name in _PATTERNS if name in entry}
    if not patterns:
        raise RefusedError(f"{place} names no model, provider or host that these prices are for")
    prices = {unit: _price(f"{place}.{name}", entry[name]) for name, unit in _PRICES.items() if name in entry}
    if not prices.keys() & set(_DIRECTIONS):
        raise RefusedError(f"{place} has a price neither of input nor of output")
    for name, unit in _SINGLE.items():
        if name in entry:
            prices[unit] = _price(f"{place}.{name}", entry[name]) * _MILLION
    return Row(patterns, Rates(prices))


def _pattern(place: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RefusedError(f"{place} is no text")
    return value.strip().lower()


def _price(place: str, value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        raise RefusedError(f"{place} is no number from 0 on")
    return float(value)
