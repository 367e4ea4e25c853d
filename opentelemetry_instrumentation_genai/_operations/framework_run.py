"""Operations of a framework, such as an agent of an SDK: recorded by the settings of the instrumentor that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .endpoints import FAILED
from .operation import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint
    from .._signals.application import ApplicationSignals


class FrameworkRun(Run):
    """One run of an operation of a framework.

    Args:
        endpoint: which attributes and content it has.
        given: the input that the endpoint reads.
        used: the signals that record it.
    """

    def __init__(self, endpoint: Endpoint, given: Mapping[str, Any], used: ApplicationSignals) -> None:
        super().__init__(None, endpoint, given)
        self._used = used

    def _signals(self) -> ApplicationSignals | None:
        return self._used

    def failed(self) -> None:
        """Let it be one that has failed, though it raises nothing: the model gets an error as the result of a tool."""
        self._response[FAILED] = True
