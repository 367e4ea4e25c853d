"""The attributes and status that the span of a call gets at its end. The call itself starts and ends the span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import Status, StatusCode

from .._call.observer import Observer

if TYPE_CHECKING:
    from .._adapter.fields import Attribute
    from .._call.outcome import Outcome
    from .._call.state import CallState
    from .content import CallContent


class CallSpan(Observer):
    """The attributes and the status of the span of one call.

    Args:
        call: the call.
        content: of the call; None if no content is captured.
    """

    __slots__ = ("_call", "_content")

    def __init__(self, call: CallState, content: CallContent | None) -> None:
        self._call = call
        self._content = content

    def ended(self, outcome: Outcome) -> None:
        """Set the attributes of the response, the content, and the status of a failure."""
        content, span = self._content, self._call.span
        carries = content is not None and content.capture.span
        attributes: dict[str, Attribute] = outcome.attributes
        if content is not None and carries:
            attributes = {**attributes, **content.rendered.texts}
        span.set_attributes(attributes)
        if outcome.failure is not None:
            words = None if content is None else content.words(quoted=carries)
            span.set_status(Status(StatusCode.ERROR, outcome.failure.description(words)))
