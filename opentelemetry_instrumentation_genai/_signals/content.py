"""The content of one call: read when it starts, rendered once when it ends, for span, events and completion hook."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .._adapter.request_bodies import reading
from .._call.observer import Observer
from .._content.pipeline import NOTHING
from .._conventions.names import CONTENT_ORIGINAL_BYTES, RESPONSE_FINISH_REASONS
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Content
    from .._adapter.failure import Words
    from .._call.outcome import Outcome
    from .._call.request import Request
    from .._call.state import CallState
    from .._content.pipeline import Pipeline, RenderedContent
    from .._content.redaction import Redacting
    from .._conventions.capture_modes import Capture


class CallContent(Observer):
    """The content of one call.

    Args:
        call: the call.
        pipeline: prepares it.
        capture: of which calls it is captured, and where it goes.
        needed: whether anything carries it; else it redacts the messages of exceptions only.
        only_on_events: whether nothing but events carries it.

    Attributes:
        capture, only_on_events: as given.
    """

    __slots__ = (
        "_body",
        "_call",
        "_input",
        "_needed",
        "_pipeline",
        "_redacting",
        "_rendered",
        "capture",
        "only_on_events",
    )

    def __init__(
        self, call: CallState, pipeline: Pipeline, capture: Capture, *, needed: bool, only_on_events: bool
    ) -> None:
        self._call = call
        self._pipeline = pipeline
        self.capture = capture
        self.only_on_events = only_on_events
        self._needed = needed
        self._body: Mapping[str, Any] | None = None
        self._input: Content = {}
        self._redacting: Redacting | None = None
        self._rendered: RenderedContent | None = None

    def started(self, request: Request) -> None:
        """Take the content of the request; if only failed calls record content, keep the request's body, to make it from later.

        The caller may change a list after the call, such as the messages, so lists are copied; their entries are not.
        """
        if not self._needed:
            return
        if self.capture.failed:
            self._body = {name: [*value] if type(value) is list else value for name, value in request.body.items()}
        else:
            self._input = self._read_input(request.body) or {}

    def ended(self, outcome: Outcome) -> None:
        """Render the content: what was sent and what was received."""
        if not self._needed or (self.capture.failed and outcome.failure is None):
            return
        if self._body is not None:
            self._input = self._read_input(self._body) or {}
        if outcome.response is not None:
            self._input.update(self._read_output(outcome) or {})
        self._rendered = self._pipeline.render(self._input, self._redaction())
        if self._rendered.original_bytes is not None:
            outcome.attributes[CONTENT_ORIGINAL_BYTES] = self._rendered.original_bytes

    def closed(self) -> None:
        """Release the content."""
        self._body, self._input, self._rendered = None, {}, None

    @property
    def rendered(self) -> RenderedContent:
        """Return the content of a call that has ended; `NOTHING` where none is recorded."""
        return self._rendered or NOTHING

    def words(self, *, quoted: bool) -> Words | None:
        """Return the function that redacts messages of exceptions; None if they are not recorded."""
        return partial(self._pipeline.words, self._redaction()) if quoted else None

    def _redaction(self) -> Redacting | None:
        """Return the redaction of all content of the call, which has one time limit."""
        if self._redacting is None:
            self._redacting = self._pipeline.begin()
        return self._redacting

    @guarded
    def _read_input(self, body: Mapping[str, Any]) -> Content:
        return self._pipeline.make(reading, self._call.endpoint.input_content, body)

    @guarded
    def _read_output(self, outcome: Outcome) -> Content:
        reasons: Any = outcome.attributes.get(RESPONSE_FINISH_REASONS, ())
        return self._pipeline.make(self._call.endpoint.output_content, outcome.response, reasons)
