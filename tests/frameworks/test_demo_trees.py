"""The trees of the demonstration: what its second program sends under `opentelemetry-instrument`, in all generations.

A question that is answered from notes, an agent with parallel tools, the SDK's runner, a tool of an MCP server, a batch, and a realtime
session: each is one tree, of which names, statuses, attributes and parents are held.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import external_file

from loopback import OtlpReceiver
from loopback.otlp_records import Record

DEMO = "opentelemetry_instrumentation_genai.cli.demo"
SNAPSHOTS = Path(__file__).parent / "snapshots" / "demo"
SERVER = f"""
import sys
from {DEMO}.server.loopback import serve
from {DEMO}.server.model_server import model_server
from {DEMO}.server.tally import Tally
with serve(model_server(Tally())) as url:
    print(url, flush=True)
    sys.stdin.read()
"""
LATEST, DUP = "gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"
GENERATIONS = {"default": "", "latest": LATEST, "dup": DUP}
VOLATILE = {"server.port": int, "gen_ai.response.time_to_first_chunk": float}
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(importlib.util.find_spec("mcp.server.mcpserver") is None, reason="its server is of mcp 2"),
]


@pytest.fixture
def model() -> Iterator[str]:
    """The demonstration's own model server."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate(timeout=10)


def sent(receiver: OtlpReceiver, model: str, generation: str) -> list[Record]:
    """The spans that the program sends; it ends as it should."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OPENAI_", "ANTHROPIC_"))
    }
    environment = {
        **kept,
        **receiver.environment(),
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_and_event",
        "OTEL_SEMCONV_STABILITY_OPT_IN": generation,
        "OPENAI_BASE_URL": f"{model}/v1",
        "ANTHROPIC_BASE_URL": model,
        "OLLAMA_HOST": model,
        "OPENAI_API_KEY": "demo",
        "ANTHROPIC_API_KEY": "demo",
        "NO_PROXY": "127.0.0.1",
        "PYTHONIOENCODING": "utf-8",
    }
    instrument = str(Path(sys.executable).with_name("opentelemetry-instrument"))
    command = [instrument, sys.executable, "-m", f"{DEMO}.programs", "book_openai", "book_anthropic", "book_mcp"]
    done = subprocess.run(command, env=environment, timeout=60, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [span for span in receiver.spans if span["scope"]["name"] == "opentelemetry_instrumentation_genai"]


def tree(spans: list[Record], above: str = "") -> list[Any]:
    """The spans below one, in the order of their start, each with those below it."""
    own = sorted((one for one in spans if one["parent_span_id"] == above), key=lambda one: one["start_time_unix_nano"])
    return [
        {
            "span": f"{span['name']} ({span['kind']})",
            "status": span["status"],
            "attributes": {name: value(name, given) for name, given in sorted(span["attributes"].items())},
            "below": tree(spans, span["span_id"]),
        }
        for span in own
    ]


def value(name: str, given: Any) -> Any:
    """The value of an attribute; of what differs from run to run, its type."""
    if name in VOLATILE:
        assert type(given) is VOLATILE[name]
        return f"<{name.rpartition('.')[2]}>"
    return given


@pytest.mark.parametrize("generation", GENERATIONS)
def test_trees(generation: str, model: str, receiver: OtlpReceiver) -> None:
    """Each stage is one tree, with right parents, and nothing is there twice or alone."""
    spans = sent(receiver, model, GENERATIONS[generation])
    found = tree(spans)
    assert external_file(SNAPSHOTS / f"{generation}.json") == found
    assert [one["span"].partition(" (")[0] for one in found] == [
        "invoke_workflow answer from notes",
        "invoke_agent weather agent",
        "create_batch",
        "fetch_batch",
        "chat gpt-realtime",
        "invoke_agent",
        "initialize",
        "tools/call next_tram",
        "tools/list",
    ]
