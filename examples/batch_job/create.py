"""Has descriptions of three towns written, in a batch, and keeps what the process needs that will read them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from anthropic import Anthropic
from opentelemetry import trace

from opentelemetry_instrumentation_genai import current_call

if TYPE_CHECKING:
    from anthropic.types.messages.batch_create_params import Request

MODEL = "claude-sonnet-4-5"
TOWNS = ("Lisbon", "Porto", "Évora")
tracer = trace.get_tracer("descriptions")


@tracer.start_as_current_span("order descriptions")
def order(job: Path) -> None:
    """Create the batch."""
    requests: list[Request] = [
        {
            "custom_id": f"town-{number}",
            "params": {
                "model": MODEL,
                "max_tokens": 300,
                "messages": [{"role": "user", "content": f"Why should one visit {town}?"}],
            },
        }
        for number, town in enumerate(TOWNS)
    ]
    batch = Anthropic().messages.batches.create(requests=requests)
    creator = current_call()
    kept = {"batch": batch.id, "towns": TOWNS, "creator": asdict(creator) if creator else None}
    job.write_text(json.dumps(kept), encoding="utf-8")
    print(f"{len(TOWNS)} requests: {batch.processing_status}")


if __name__ == "__main__":
    order(Path(sys.argv[1]))
