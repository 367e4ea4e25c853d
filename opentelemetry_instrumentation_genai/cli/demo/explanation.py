"""What the counts at the end of the demonstration mean, and how to have the same elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ..console.facts import FAINT
from ..console.lines import wrapped
from .environment import CAPTURE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .counts import Counts

_LEGEND = (
    ("OTEL_SERVICE_NAME=planner", "the name of your application"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT=https://collector.example:4318", "whatever takes OTLP"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "or grpc, then with port 4317"),
    ("OTEL_EXPORTER_OTLP_HEADERS=authorization=...", "if it needs a key"),
    (f"{CAPTURE}=span_and_event", "off unless set: messages can be private"),
    ("opentelemetry-instrument python app.py", "and nothing in the application"),
    ("opentelemetry-genai run -- python app.py", "or without a backend: in this terminal"),
)

_WIDE = 110


def explanation(counts: Counts, width: int | None) -> Iterator[Text]:
    """Return the counts, a line each with its reason."""
    for count, what, reason in _rows(counts):
        line = Text.assemble((f"{count:>5,} {what}", "bold"), f": {reason}")
        yield from wrapped(line, width, "", "      ")


def _rows(counts: Counts) -> Iterator[tuple[int, str, str]]:
    calls = f"{counts.calls} calls of a model's server"
    beside = f"{counts.spans - counts.calls} operations beside them"
    kinds = "agents, tools, retrieval, steps, requests to an MCP server"
    yield counts.spans, "spans", f"one for each of {calls}, and one for each of {beside}: {kinds}"
    yield counts.durations, "durations", "one for each call of a model's server, whether its span is sampled or not"
    with_messages = f"{counts.inferences} calls with messages"
    yield counts.events, "events", f"one for each of {with_messages}; embeddings and batches have none"
    tries = "one for each try of a call: an SDK tries again after a rate limit; a realtime connection has none"
    yield counts.requests, "HTTP requests", tries
    package = "opentelemetry-instrumentation-httpx"
    there = "is installed here" if counts.http_spans else "is not installed here"
    yield counts.http_spans, "HTTP spans", f"they are of another package, {package}, which {there}"


def legend(width: int | None) -> Iterator[Text]:
    """Return the settings by which the same comes from an application to a backend."""
    for setting, remark in _LEGEND:
        if width is None or width >= _WIDE:
            yield Text.assemble((f"{setting:<68}", "cyan"), (remark, FAINT))
        else:
            yield from wrapped(Text(setting, "cyan"), width, "", "  ")
            yield from wrapped(Text(remark, FAINT), width, "    ", "    ")
