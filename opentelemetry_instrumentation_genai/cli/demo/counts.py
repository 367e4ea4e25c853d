"""What was received, compared with what the model server saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .environment import chosen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .receiver import Telemetry
    from .server.tally import Tally

_DETAILS = "gen_ai.client.inference.operation.details"
_DURATIONS = ("gen_ai.client.operation.duration", "gen_ai.client.inference.duration")


class Counts(NamedTuple):
    """How much there was of what.

    Attributes:
        calls: calls that the model server saw.
        inferences: those of them with messages.
        requests: HTTP requests that it saw, with those that an SDK sent again.
        spans: spans of this instrumentation.
        asked: those of them that are calls of a model's server.
        durations: durations of calls of a model's server.
        events: events with the details of a call.
        http_spans: spans of HTTP requests.
    """

    calls: int
    inferences: int
    requests: int
    spans: int
    asked: int
    durations: int
    events: int
    http_spans: int


def counts_of(tally: Tally, telemetry: Telemetry) -> Counts:
    """Count what was received."""
    spans = [span for span in telemetry.spans if span.is_call]
    return Counts(
        calls=tally.calls,
        inferences=tally.inferences,
        requests=tally.requests,
        spans=len(spans),
        asked=sum(span.is_model_call for span in spans),
        durations=_durations(telemetry),
        events=sum(event.name == _DETAILS for event in telemetry.events),
        http_spans=sum("url.full" in span.attributes or "http.url" in span.attributes for span in telemetry.spans),
    )


def _durations(telemetry: Telemetry) -> int:
    """Count the durations. With the newest names embeddings have a metric of their own; with both, calls have two."""
    everything, inference = (
        sum(
            point.count for point in telemetry.series() if point.metric == name and "server.address" in point.attributes
        )
        for name in _DURATIONS
    )
    return everything if everything > inference else everything + inference


def problems(counts: Counts) -> Iterator[str]:
    """Return what is missing, a sentence each."""
    if not counts.asked:
        yield "no GenAI span arrived: is the instrumentation installed beside this Python, and not switched off?"
    elif counts.asked != counts.calls:
        yield f"the programs made {counts.calls} calls, but {counts.asked} GenAI spans arrived"
    if counts.durations != counts.calls:
        yield f"the programs made {counts.calls} calls, but {counts.durations} durations were recorded"
    # Settings that the user chose may leave out the events.
    if counts.events != counts.inferences and not chosen():
        yield f"the programs made {counts.inferences} calls with messages, but {counts.events} events arrived"
