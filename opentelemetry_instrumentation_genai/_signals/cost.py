"""The cost of a call: added to the attributes of its outcome, for the observers of metrics, span and events after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.request_bodies import reading
from .._call.observer import Observer
from .._call.outcome import USAGE_PREFIX
from .._conventions.names import PROVIDER_NAME, RESPONSE_FINISH_REASONS, USAGE_COST
from .._runtime.guard import warn_once

if TYPE_CHECKING:
    from .._adapter.client_servers import Server
    from .._call.outcome import Outcome
    from .._call.request import Request
    from .._call.state import CallState
    from .._cost.costs import Costs


class Cost(Observer):
    """The cost of one call.

    Args:
        call: the call.
        costs: what computes it.
        injects: whether the usage of streams is requested on the caller's behalf.
    """

    __slots__ = ("_call", "_costs", "_in_headers", "_injects", "_no_usage", "_server")

    def __init__(self, call: CallState, costs: Costs, *, injects: bool) -> None:
        self._call = call
        self._costs = costs
        self._injects = injects
        self._in_headers: float | None = None
        self._no_usage = False
        self._server: Server | None = None

    def started(self, request: Request) -> None:
        """Start to load the prices, and find out whether the stream will have usage."""
        self._server = request.server
        self._costs.begin()
        self._no_usage = request.stream and not self._injects and _requests_no_usage(request)

    def answered(self, headers: Any) -> None:
        """Read the cost that the headers of a response report. Those of a stream were sent before it cost anything."""
        cost = self._costs.in_headers(headers)
        self._in_headers = None if self._call.stream and not cost else cost

    def ended(self, outcome: Outcome) -> None:
        """Add the cost to the attributes of the outcome."""
        call, found = self._call, outcome.attributes
        billed = outcome.error is None or (outcome.response is not None and not call.open)
        cost = self._costs.of(
            call.identity,
            self._server,
            outcome.response,
            found,
            call.endpoint.billing(outcome.response),
            in_headers=self._in_headers if billed else None,
        )
        if cost is not None:
            found[USAGE_COST] = cost
        elif self._no_usage:
            self._warn_of_no_usage(outcome)

    def _warn_of_no_usage(self, outcome: Outcome) -> None:
        reasons: Any = outcome.attributes.get(RESPONSE_FINISH_REASONS)
        # A stream without finish reasons was not read to its end, and may have no usage for that reason.
        if reasons and "error" not in reasons and not any(name.startswith(USAGE_PREFIX) for name in outcome.attributes):
            warn_once(
                "A stream of %s had no usage, so that it has no %s. OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE=inject requests it "
                "where the application does not.",
                self._call.identity[PROVIDER_NAME],
                USAGE_COST,
            )


def _requests_no_usage(request: Request) -> bool:
    """Return whether a stream has no usage, because neither the application nor a setting requests it."""
    usage = request.endpoint.stream_usage
    if usage is None or request.provider in usage.unasked:
        return False
    return reading(usage.members, request.body) is not None
