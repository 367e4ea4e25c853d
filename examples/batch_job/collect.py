"""Waits until a batch has ended, and prints its results."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from anthropic import Anthropic
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, TraceFlags

PAUSE = float(os.environ.get("BATCH_PAUSE", "1"))  # seconds
tracer = trace.get_tracer("descriptions")


def links(creator: dict[str, str] | None) -> list[Link]:
    """Return the link to the span of the process that created the batch."""
    if creator is None:
        return []
    ids = int(creator["trace_id"], 16), int(creator["span_id"], 16)
    return [Link(SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)))]


def collect(job: dict[str, Any]) -> None:
    """Print the results of a batch when it has ended."""
    client = Anthropic()
    with tracer.start_as_current_span("collect descriptions", links=links(job["creator"])):
        while client.messages.batches.retrieve(job["batch"]).processing_status != "ended":
            time.sleep(PAUSE)
        for entry in client.messages.batches.results(job["batch"]):
            town = job["towns"][int(entry.custom_id.removeprefix("town-"))]
            if entry.result.type == "succeeded":
                print(f"{town}:", *(block.text for block in entry.result.message.content if block.type == "text"))
            else:
                print(f"{town}: {entry.result.type}")


if __name__ == "__main__":
    collect(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
