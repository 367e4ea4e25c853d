"""The request hook and the response hook of the application, of one call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .._call.context import run_within
from .._call.observer import Observer

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from .._application.hooks import GenAIRequest, Hooks
    from .._call.outcome import Outcome
    from .._call.request import Request
    from .._call.state import CallState


class UserHooks(Observer):
    """Calls the hooks of the application with one call.

    Args:
        call: the call.
        hooks: those of the settings.
        span: the span that they get.
    """

    __slots__ = ("_call", "_hooks", "_request", "_span")

    def __init__(self, call: CallState, hooks: Hooks, span: Span) -> None:
        self._call = call
        self._hooks = hooks
        self._span = span
        self._request: GenAIRequest | None = None

    def started(self, request: Request) -> None:
        """Call the request hook."""
        self._request = self._hooks.started(partial(run_within, self._call), self._span, request)

    def ended(self, outcome: Outcome) -> None:
        """Call the response hook with the response or the exception."""
        request, self._request = self._request, None
        if request is not None:
            given = outcome.received if outcome.error is None else outcome.error
            self._hooks.ended(partial(run_within, self._call), self._span, request, given)
