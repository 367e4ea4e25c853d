"""The telemetry of one exchange that was replayed, in a form that a person can read.

Everything is there once: the content out of its JSON, of metrics and events only what the span does not have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from loopback import Telemetry, same
from loopback.schemas import CONTENT, complaints
from loopback.snapshot import Strict

# What metric points share with the span; anything else that one has is recorded here.
IDENTITY = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
)
DETAILS = "gen_ai.client.inference.operation.details"


def recorded_once(telemetry: Telemetry, raised: Exception | None) -> dict[str, Any]:
    """All that was recorded, each thing once.

    The content on the span must be valid, and the content of the event. What the SDK's exception says differs from
    version to version, and is replaced.
    """
    snapshot = telemetry.snapshot()
    (span,) = snapshot["spans"]
    attributes = {name: _content(name, value) for name, value in span["attributes"].items()}
    assert {"kind": "CLIENT", "parent": None, "events": []}.items() <= span.items()
    words = {str(raised): "<message>"} if raised else {}
    return Strict(
        span=span["name"],
        status=_in_words(span["status"], words),
        attributes=attributes,
        metrics={name: _points(metric, attributes) for name, metric in snapshot["metrics"].items()},
        events={event["event_name"]: _event(event, attributes, span, words) for event in snapshot["events"]},
    )


def as_streamed(snapshot: dict[str, Any], chunks: int) -> dict[str, Any]:
    """What a snapshot would be, had its response been streamed in so many chunks, the first of which names the model."""
    snapshot["attributes"]["gen_ai.request.stream"] = True
    if chunks:
        snapshot["attributes"]["gen_ai.response.time_to_first_chunk"] = "<seconds>"
        snapshot["metrics"]["gen_ai.client.operation.time_to_first_chunk"] = {"": "1 x"}
        snapshot["metrics"]["gen_ai.client.operation.time_per_output_chunk"] = {"": f"{chunks - 1} x"}
    return snapshot


def _content(name: str, value: Any) -> Any:
    """An attribute's value, out of its JSON if it is content."""
    if name not in CONTENT:
        return value
    assert type(value) is str
    content = json.loads(value)
    assert [] == complaints(name, content)
    return content


def _points(metric: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What each point has beyond the identity of the call -> how often, or how much in all."""
    shared = {name: attributes[name] for name in IDENTITY if name in attributes}
    points = {}
    for point in metric["points"]:
        own = [f"{name}={value}" for name, value in point["attributes"].items() if shared.get(name) != value]
        own += [f"without {name}" for name in shared if name not in point["attributes"]]
        seconds = point["sum"] == "<seconds>"
        points[" ".join(own)] = f"{point['count']} x" if seconds else point["sum"]
    return points


def _in_words(attributes: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """The attributes, values that are in `words` replaced."""
    return {name: words.get(value, value) for name, value in attributes.items()}


def _event(
    event: Mapping[str, Any], attributes: Mapping[str, Any], span: Mapping[str, Any], words: Mapping[str, str]
) -> Any:
    """The content of an event; of the details only that they are those of the span."""
    assert span["name"] == event["span"]
    assert event["timestamp"]
    if event["event_name"] != DETAILS:
        return _in_words(event["attributes"], words)
    assert same(dict(attributes), dict(event["attributes"]))
    return "as the span"
