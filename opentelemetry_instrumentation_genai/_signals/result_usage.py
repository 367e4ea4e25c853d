"""The usage of earlier inferences: the application reads their results as a stream. Each is measured once, whoever reads it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._call.observer import Observer
from .recording import Points

if TYPE_CHECKING:
    from .._adapter.results import Results
    from .._call.state import CallState
    from .metrics import Instruments


class ResultUsage(Observer):
    """Records the tokens of each inference as the application reads its result: there may be a hundred thousand.

    Args:
        call: the call that reads the results.
        instruments: those of its kind of operation.
        results: how the results are read.
    """

    __slots__ = ("_call", "_identity", "_instruments", "_points", "_results")

    def __init__(self, call: CallState, instruments: Instruments, results: Results) -> None:
        self._call = call
        self._instruments = instruments
        self._results = results
        self._identity = str(call.attributes.get(results.identity))
        self._points = Points(call)

    def chunk(self, seconds: float | None) -> None:
        """Record the tokens of the last result, if they have not been counted."""
        call = self._call
        inference = self._results.latest(None if call.chunks is None else call.chunks.response())
        if inference is not None and call.counted.beyond(self._identity, inference.position):
            point = self._points.of(inference.attributes)
            self._instruments.record_tokens(inference.attributes, point, point, call.context)
