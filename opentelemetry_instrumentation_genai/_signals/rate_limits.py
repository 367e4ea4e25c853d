"""Gauges of what is left of the provider's rate limits, by the headers of the last response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.rate_limit_headers import RATE_LIMIT_HEADERS
from .._call.observer import Observer
from .._conventions.names import OWN_METRICS, PROVIDER_NAME, REQUEST_MODEL, SERVER_ADDRESS, SERVER_PORT

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from .._adapter.fields import Attribute
    from .._call.state import CallState

_LONGEST = 18  # digits of what OTLP can carry
# Limits are those of a model at a provider, for all operations.
_ATTRIBUTES = (PROVIDER_NAME, REQUEST_MODEL, SERVER_ADDRESS, SERVER_PORT)


class RateLimitGauges:
    """The gauges of one meter.

    Attributes:
        gauges: header in lower case -> the gauge of its value.
    """

    def __init__(self, meter: Meter) -> None:
        gauges = {
            metric: meter.create_gauge(metric, OWN_METRICS[metric][1], "What is left of the provider's rate limit.")
            for metric in dict.fromkeys(RATE_LIMIT_HEADERS.values())
        }
        self.gauges = {header: gauges[metric] for header, metric in RATE_LIMIT_HEADERS.items()}


class RateLimits(Observer):
    """The rate limits that the responses of one call report.

    Args:
        call: the call.
        gauges: where they are recorded.
    """

    __slots__ = ("_call", "_gauges")

    def __init__(self, call: CallState, gauges: RateLimitGauges) -> None:
        self._call = call
        self._gauges = gauges.gauges

    def answered(self, headers: Any) -> None:
        """Record the rate limits in the headers of a response."""
        identity, context = self._call.identity, self._call.context
        point: dict[str, Attribute] | None = None
        for name, value in headers.raw:
            gauge = self._gauges.get(name.lower())
            if gauge is None or not value.isdigit() or len(value) > _LONGEST:
                continue
            if point is None:
                point = {name: identity[name] for name in _ATTRIBUTES if name in identity}
            gauge.set(int(value), point, context)
