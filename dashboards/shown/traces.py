"""The panels of traces, answered by Jaeger in place of Tempo: the same traces, by another API."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]


class Jaeger:
    """A Jaeger that is asked.

    Args:
        url: of its API.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def of_conversation(self, conversation: str, services: Iterable[str]) -> list[Json]:
        """Return the traces in which a span has a conversation's id, the newest first, a row for each."""
        tags = json.dumps({"gen_ai.conversation.id": conversation})
        found = [trace for service in services for trace in self._ask("", service=service, tags=tags, limit=50)]
        return sorted(map(_row, found), key=lambda row: row["start"], reverse=True)

    def recent(self, service: str) -> list[Json]:
        """Return traces of a service."""
        return self._ask("", service=service, limit=400)

    def spans(self, trace: str) -> list[Json]:
        """Return the spans of a trace in the order of a waterfall."""
        (found,) = self._ask(f"/{trace}")
        below: dict[str, list[Json]] = defaultdict(list)
        for span in sorted(found["spans"], key=lambda span: span["startTime"]):
            below[_parent(span, found)].append(span)
        return [*_drawn(below, "", 0)]

    def _ask(self, path: str, **parameters: object) -> list[Json]:
        with urlopen(f"{self._url}/api/traces{path}?{urlencode(parameters)}", timeout=30) as response:  # noqa: S310
            found: list[Json] = json.load(response)["data"]
        return found


def tag(span: Json, name: str) -> Any:
    """Return an attribute of a span; None if it has none of that name."""
    return next((one["value"] for one in span["tags"] if one["key"] == name), None)


def _parent(span: Json, trace: Json) -> str:
    known = {one["spanID"] for one in trace["spans"]}
    named = [one["spanID"] for one in span.get("references", ()) if one["refType"] == "CHILD_OF"]
    return next((one for one in named if one in known), "")


def _row(trace: Json) -> Json:
    root = min(trace["spans"], key=lambda span: span["startTime"])
    end = max(span["startTime"] + span["duration"] for span in trace["spans"])
    return {
        "trace": trace["traceID"],
        "start": root["startTime"] / 1e6,
        "service": trace["processes"][root["processID"]]["serviceName"],
        "name": root["operationName"],
        "seconds": (end - root["startTime"]) / 1e6,
        "spans": len(trace["spans"]),
    }


def _drawn(below: dict[str, list[Json]], parent: str, depth: int) -> Iterator[Json]:
    for span in below[parent]:
        yield {
            "name": span["operationName"],
            "start": span["startTime"] / 1e6,
            "seconds": span["duration"] / 1e6,
            "depth": depth,
            "failed": tag(span, "otel.status_code") == "ERROR",
        }
        yield from _drawn(below, span["spanID"], depth + 1)
