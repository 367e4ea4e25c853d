"""The events of a call: log records with an event name and the span's context."""

from __future__ import annotations

import sys
from time import time_ns
from typing import TYPE_CHECKING, Literal, TypeAlias

from opentelemetry._logs import LogRecord, SeverityNumber

from .._call.observer import Observer
from .._conventions.names import (
    EVENT_DETAILS,
    EVENT_EVALUATION,
    EVENT_EXCEPTION,
    EVENT_SESSION_ENDED,
    EVENT_SESSION_ERROR,
    EVENT_SESSION_STARTED,
)
from .._runtime.guard import guarded, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry._logs import Logger
    from opentelemetry.context import Context

    from .._call.outcome import Outcome
    from .._call.state import CallState
    from .content import CallContent


Details: TypeAlias = Literal["all", "failed", "none"]
"""Of which calls there is a details event."""


class Events:
    """The writer of one logger's events.

    Args:
        logger: of the application's provider, or one that waits for it.
        lost: returns whether what it emits is not exported.
    """

    def __init__(self, logger: Logger, lost: Callable[[], bool]) -> None:
        self._logger = logger
        self._lost = lost
        self._needed = False

    def need(self) -> None:
        """Warn, once, if events go nowhere; called for content that only an event carries."""
        if self._needed:
            return
        self._needed = True
        if self._lost():
            warn_once(
                "The content of calls is captured on events only, and goes nowhere: there is no logger provider with an exporter. "
                "Set OTEL_LOGS_EXPORTER or a logger provider, or OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only."
            )

    def details(self, attributes: Mapping[str, object], context: Context) -> None:
        """Emit the details of an inference: the span's attributes, and content in structured form if it is captured."""
        self._emit(EVENT_DETAILS, SeverityNumber.DEBUG, attributes, context)

    def exception(self, attributes: Mapping[str, object], context: Context) -> None:
        """Emit the exception that an operation ended with."""
        self._emit(EVENT_EXCEPTION, SeverityNumber.WARN, attributes, context)

    def evaluation(self, attributes: Mapping[str, object], context: Context) -> None:
        """Emit the result of an evaluation."""
        self._emit(EVENT_EVALUATION, SeverityNumber.INFO, attributes, context)

    def session_started(self, attributes: Mapping[str, object], context: Context) -> None:
        """Emit that a connection begins, on which there may be many responses."""
        self._emit(EVENT_SESSION_STARTED, SeverityNumber.INFO, attributes, context)

    def session_ended(self, attributes: Mapping[str, object], context: Context) -> None:
        """Emit that it has ended."""
        self._emit(EVENT_SESSION_ENDED, SeverityNumber.INFO, attributes, context)

    def session_error(self, attributes: Mapping[str, object], context: Context) -> None:
        """Emit that the server has reported an error on it which is of no response."""
        self._emit(EVENT_SESSION_ERROR, SeverityNumber.WARN, attributes, context)

    def _emit(self, name: str, severity: SeverityNumber, attributes: Mapping[str, object], context: Context) -> None:
        now = time_ns()
        self._logger.emit(
            _record_class(self._logger)(
                event_name=name,
                timestamp=now,
                observed_timestamp=now,
                severity_number=severity,
                severity_text=severity.name,
                attributes=attributes,
                context=context,
            )
        )


class CallEvents(Observer):
    """The events of one call: its details, and the exception that it ended with.

    Args:
        call: the call.
        events: the writer.
        content: of the call; None if no content is captured.
        details: whether there is an event of the details: of every call, of failed calls only, or of none.
        quotes: whether messages of exceptions are recorded.
    """

    __slots__ = ("_call", "_content", "_details", "_events", "_quotes")

    def __init__(
        self, call: CallState, events: Events, content: CallContent | None, details: Details, quotes: bool
    ) -> None:
        self._call = call
        self._events = events
        self._content = content
        self._details = details
        self._quotes = quotes

    def ended(self, outcome: Outcome) -> None:
        """Emit the events."""
        if self._details == "all" or (self._details == "failed" and outcome.failure is not None):
            self._emit_details(outcome)
        if outcome.failure is not None and self._call.kind.of_provider:  # the event is of clients of models
            words = None if self._content is None else self._content.words(quoted=self._quotes)
            self._events.exception(outcome.failure.attributes(words), self._call.context)

    @guarded
    def _emit_details(self, outcome: Outcome) -> None:
        call, content = self._call, self._content
        carried = content.rendered.carried() if content is not None and content.capture.event else {}
        if carried and content is not None and content.only_on_events:
            self._events.need()
        self._events.details({**call.attributes, **outcome.attributes, **carried}, call.context)


def _record_class(logger: Logger) -> Callable[..., LogRecord]:
    """Return the class of records that `logger` can export: SDKs up to 1.38 accept only their own."""
    own = getattr(sys.modules.get("opentelemetry.sdk._logs"), "LogRecord", None)
    if own is None:
        return LogRecord
    resource = getattr(getattr(logger, "_logger", logger), "resource", None)
    return LogRecord if resource is None else lambda **fields: own(resource=resource, **fields)
