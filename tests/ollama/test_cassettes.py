"""Exchanges written by hand from the API reference, and what telemetry tells of each.

As in `tests/openai/test_cassettes.py`: the request of a cassette says which method and which arguments, what telemetry tells is in
a file of the same name below `snapshots`, and a streamed exchange that has a plain twin must tell what its twin tells.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ollama
import pytest
import yaml
from inline_snapshot import external_file

from loopback import Telemetry
from loopback.schemas import CONTENT, complaints
from loopback.snapshot import Strict
from opentelemetry_instrumentation_genai import OllamaInstrumentor

if sys.version_info < (3, 11):
    pytest.skip("vcrpy that replays needs Python 3.11", allow_module_level=True)

import vcr

CASSETTES = Path(__file__).parents[2] / "cassettes" / "ollama"
SNAPSHOTS = Path(__file__).parent / "snapshots"
NAMES = sorted(path.relative_to(CASSETTES).with_suffix("").as_posix() for path in CASSETTES.rglob("*.yaml"))
PLAIN = [name for name in NAMES if f"{name.removesuffix('.stream')}" not in NAMES or not name.endswith(".stream")]
TWINS = sorted(set(NAMES) - set(PLAIN))
ORIGIN = re.compile(r"# (Recorded from .+ on loopback|Written by hand from .+ public API reference \(.+\))\.")
HOST = "http://127.0.0.1:11434"


def exchange(name: str) -> tuple[str, dict[str, Any], str]:
    """The method, its arguments, and the answer."""
    (interaction,) = yaml.safe_load((CASSETTES / f"{name}.yaml").read_text(encoding="ascii"))["interactions"]
    request = interaction["request"]
    return request["uri"].rpartition("/")[2], json.loads(request["body"]), interaction["response"]["body"]["string"]


def replay(name: str, telemetry: Telemetry) -> dict[str, Any]:
    """Makes the call of a cassette, reads what it gives, and tells what telemetry does."""
    method, arguments, _ = exchange(name)
    client = ollama.Client(host=HOST)
    raised = None
    with _replayed(name, telemetry) as cassette:
        try:
            result = getattr(client, method)(**arguments)
            if arguments.get("stream"):
                list(result)
        except ollama.ResponseError as error:
            raised = error
        assert cassette.all_played
    return recorded(telemetry, raised)


async def replay_async(name: str, telemetry: Telemetry) -> dict[str, Any]:
    """The same with an asynchronous client."""
    method, arguments, _ = exchange(name)
    client = ollama.AsyncClient(host=HOST)
    raised = None
    with _replayed(name, telemetry) as cassette:
        try:
            result = await getattr(client, method)(**arguments)
            if arguments.get("stream"):
                [chunk async for chunk in result]
        except ollama.ResponseError as error:
            raised = error
        assert cassette.all_played
    return recorded(telemetry, raised)


def _replayed(name: str, telemetry: Telemetry) -> Any:
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    return vcr.use_cassette(str(CASSETTES / f"{name}.yaml"), record_mode="none", match_on=["method", "uri"])


def recorded(telemetry: Telemetry, raised: ollama.ResponseError | None) -> dict[str, Any]:
    """All that was recorded: the span, how often each metric was, which events.

    What the SDK's exception says differs from version to version, and is replaced.
    """
    snapshot = telemetry.snapshot()
    (span,) = snapshot["spans"]
    return Strict(
        span=span["name"],
        status={
            name: "<message>" if raised and value == str(raised) else value for name, value in span["status"].items()
        },
        attributes={name: _value(name, value) for name, value in span["attributes"].items()},
        metrics={name: sum(point["count"] for point in found["points"]) for name, found in snapshot["metrics"].items()},
        events=[event["event_name"] for event in snapshot["events"]],
    )


def _value(name: str, value: Any) -> Any:
    """An attribute's value, out of its JSON if it is content."""
    if name not in CONTENT:
        return value
    content = json.loads(value)
    assert [] == complaints(name, content)
    return content


@pytest.mark.parametrize("name", PLAIN)
def test_telemetry_tells_what_was_exchanged(name: str, telemetry: Telemetry) -> None:
    """Attributes, messages, metrics and events of a call are those of its snapshot, with their types."""
    assert external_file(SNAPSHOTS / f"{name}.json") == replay(name, telemetry)


@pytest.mark.parametrize("name", PLAIN)
async def test_asynchronous_calls_tell_the_same(name: str, telemetry: Telemetry) -> None:
    """An asynchronous client makes no difference."""
    assert external_file(SNAPSHOTS / f"{name}.json") == await replay_async(name, telemetry)


@pytest.mark.parametrize("name", TWINS)
def test_a_stream_tells_what_its_plain_twin_tells(name: str, telemetry: Telemetry) -> None:
    """Put together, a stream is the plain response, but for the status, which nobody sees, and the times of its chunks."""
    assert _as_streamed(name) == replay(name, telemetry)


@pytest.mark.parametrize("name", TWINS)
async def test_an_asynchronous_stream_tells_what_its_plain_twin_tells(name: str, telemetry: Telemetry) -> None:
    """The same for an asynchronous client."""
    assert _as_streamed(name) == await replay_async(name, telemetry)


def _as_streamed(name: str) -> Mapping[str, Any]:
    """What the twin's snapshot would be, had its response been streamed in as many chunks."""
    snapshot: dict[str, Any] = json.loads((SNAPSHOTS / f"{name.removesuffix('.stream')}.json").read_text("ascii"))
    del snapshot["attributes"]["http.response.status_code"]
    snapshot["attributes"]["gen_ai.request.stream"] = True
    snapshot["attributes"]["gen_ai.response.time_to_first_chunk"] = "<seconds>"
    snapshot["metrics"]["gen_ai.client.operation.time_to_first_chunk"] = 1
    snapshot["metrics"]["gen_ai.client.operation.time_per_output_chunk"] = len(exchange(name)[2].splitlines()) - 1
    return snapshot


@pytest.mark.parametrize("name", NAMES)
def test_a_cassette_says_where_it_comes_from(name: str) -> None:
    """Its first line names its origin, its second what it shows."""
    first, second, *_ = (CASSETTES / f"{name}.yaml").read_text(encoding="ascii").splitlines()

    assert ORIGIN.fullmatch(first)
    assert second.startswith("# ")


def test_every_snapshot_belongs_to_a_cassette() -> None:
    """None is left over from a cassette that was renamed."""
    snapshots = {path.relative_to(SNAPSHOTS).with_suffix("").as_posix() for path in SNAPSHOTS.rglob("*.json")}

    assert set(PLAIN) == snapshots
