"""Each example does what its README says, by the command that is there, with the embedded model server."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from loopback import OtlpReceiver

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]
EXAMPLES = Path(__file__).parents[2] / "examples"
SERVE = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "demo", "--serve", "--port", "0"]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
PER_CHUNK = "gen_ai.client.operation.time_per_output_chunk"
COST = "gen_ai.client.operation.cost"
Example = Callable[[str], list[str]]

if shutil.which("sh") is None:
    pytest.skip("the examples are started by `sh`, which is not there", allow_module_level=True)


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """The variables that the embedded model server prints, while it runs."""
    with subprocess.Popen(SERVE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(13)]
        yield dict(re.findall(r"  export (\w+)=(\S+)\n", "".join(lines)))
        running.kill()


@pytest.fixture
def example(addresses: dict[str, str], receiver: OtlpReceiver) -> Example:
    """Runs an example to its end by the command of its README, and returns the lines that it prints."""

    def run(name: str) -> list[str]:
        folder = EXAMPLES / name
        (command,) = BLOCK.findall((folder / "README.md").read_text(encoding="utf-8"))
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_url, **addresses}
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout.splitlines()

    return run


def tree(spans: Iterable[dict[str, Any]]) -> list[str]:
    """Name and kind of each span, indented below its parent, in the order in which they started."""
    ordered = sorted(spans, key=lambda span: span["start_time_unix_nano"])

    def below(parent: str, depth: int) -> Iterator[str]:
        for span in ordered:
            if span["parent_span_id"] == parent:
                yield f"{'  ' * depth}{span['name']} {span['kind']}"
                yield from below(span["span_id"], depth + 1)

    lines = [*below("", 0)]
    assert len(ordered) == len(lines), "a span has a parent that was not exported"
    return lines


def drawn(name: str) -> list[str]:
    """The tree that the README of an example draws, as `tree` has it but for the kinds."""
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"\n\n```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [re.sub("[│├└] ", "  ", line) for line in block.splitlines()]


def points(receiver: OtlpReceiver, name: str) -> list[dict[str, Any]]:
    """The points of a metric, each as it was exported last."""
    last = {
        json.dumps([metric["resource"], point["attributes"]], sort_keys=True): point
        for metric in receiver.metrics
        if metric["name"] == name
        for point in metric["points"]
    }
    return [*last.values()]


def summed(receiver: OtlpReceiver, name: str, *by: str) -> dict[tuple[str, ...], Any]:
    """The sums of a histogram by the values of some attributes."""
    sums: dict[tuple[str, ...], Any] = {}
    for point in points(receiver, name):
        key = tuple(point["attributes"].get(attribute, "") for attribute in by)
        sums[key] = sums.get(key, 0) + point["sum"]
    return sums


def counted(receiver: OtlpReceiver, name: str, *by: str) -> dict[tuple[str, ...], int]:
    """The counts of a histogram by the values of some attributes."""
    counts: dict[tuple[str, ...], int] = {}
    for point in points(receiver, name):
        key = tuple(point["attributes"].get(attribute, "") for attribute in by)
        counts[key] = counts.get(key, 0) + point["count"]
    return counts


def metric_names(receiver: OtlpReceiver) -> set[str]:
    """The names of the metrics of the instrumentation."""
    return {metric["name"] for metric in receiver.metrics if metric["name"].startswith("gen_ai.")}


def services(receiver: OtlpReceiver) -> set[str]:
    """Who exported spans."""
    return {span["resource"]["service.name"] for span in receiver.spans}


def usage(receiver: OtlpReceiver) -> list[tuple[int, int]]:
    """The tokens, in and out, of the spans that have them, in the order in which they started."""
    ordered = sorted(receiver.spans, key=lambda span: span["start_time_unix_nano"])
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    return [
        (span["attributes"][names[0]], span["attributes"].get(names[1], 0))
        for span in ordered
        if names[0] in span["attributes"]
    ]


def test_all_are_listed() -> None:
    """The page has each example once, and each has a README with one command and a test."""
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name[0] not in "._")
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")

    assert folders == sorted(re.findall(r"^\| \[(\w+)\]\(\1\) \|", page, re.MULTILINE))
    for name in folders:
        assert ["sh run.sh\n"] == BLOCK.findall((EXAMPLES / name / "README.md").read_text(encoding="utf-8"))
        assert f"test_{name}" in globals()


def test_zero_code(example: Example, receiver: OtlpReceiver) -> None:
    """Two calls are two traces, with tokens, messages and the metrics of a stream."""
    printed = example("zero_code")

    assert ["At the bakery near the river. Go before nine.", printed[1]] == printed
    assert ["chat gpt-4.1-mini CLIENT", "chat gpt-4.1-mini CLIENT"] == tree(receiver.spans)
    assert {"zero-code"} == services(receiver)
    assert {DURATION, TOKENS, FIRST_CHUNK, PER_CHUNK} == metric_names(receiver)
    assert [(28, 11), (28, 21)] == usage(receiver)
    assert {("input",): 56, ("output",): 32} == summed(receiver, TOKENS, "gen_ai.token.type")
    plain, streamed = sorted(receiver.spans, key=lambda span: span["start_time_unix_nano"])
    assert "Where is the best pastry?" in plain["attributes"]["gen_ai.input.messages"]
    assert printed[1] in streamed["attributes"]["gen_ai.output.messages"]


def test_in_code(example: Example, receiver: OtlpReceiver) -> None:
    """The application's own resource, span and view apply, and what is redacted is nowhere in what is exported."""
    printed = example("in_code")

    assert ["The cellars close at seven."] == printed
    assert ["answer a letter INTERNAL", "  chat gpt-4.1-mini CLIENT"] == tree(receiver.spans)
    resource = {"service.name": "in-code", "service.version": "1.4.0", "deployment.environment.name": "staging"}
    for record in (*receiver.spans, *receiver.metrics):
        assert resource.items() <= record["resource"].items()
    assert {DURATION, TOKENS} == metric_names(receiver)
    assert [[0.5, 1, 2, 4, 8]] == [point["bounds"] for point in points(receiver, DURATION)]
    assert [(73, 6)] == usage(receiver)
    assert {("input",): 73, ("output",): 6} == summed(receiver, TOKENS, "gen_ai.token.type")
    assert b"When is closing time of the cellars?" in receiver.raw
    assert b"ana.silva" not in receiver.raw
    assert b"912 345 678" not in receiver.raw


def test_rag_pipeline(example: Example, receiver: OtlpReceiver) -> None:
    """The steps of the application and the calls of models are one tree, with documents and tokens."""
    printed = example("rag_pipeline")

    assert ["At the bakery near the river"] == printed
    assert [
        "invoke_workflow answer from notes INTERNAL",
        "  retrieval notes CLIENT",
        "    embeddings text-embedding-3-small CLIENT",
        "  step make prompt INTERNAL",
        "  chat gpt-4.1-mini CLIENT",
        "  step parse INTERNAL",
    ] == tree(receiver.spans)
    assert drawn("rag_pipeline") == [line.rpartition(" ")[0] for line in tree(receiver.spans)]
    assert {DURATION, TOKENS, "gen_ai.workflow.duration"} == metric_names(receiver)
    assert {("chat",): 1, ("embeddings",): 1, ("retrieval",): 1} == counted(receiver, DURATION, "gen_ai.operation.name")
    assert [(41, 0), (63, 11)] == usage(receiver)
    chat, embeddings = "gpt-4.1-mini", "text-embedding-3-small"
    assert {(chat, "input"): 63, (chat, "output"): 11, (embeddings, "input"): 41} == summed(
        receiver, TOKENS, "gen_ai.request.model", "gen_ai.token.type"
    )
    attributes = {span["name"]: span["attributes"] for span in receiver.spans}
    documents = json.loads(attributes["retrieval notes"]["gen_ai.retrieval.documents"])
    assert "pastry" == documents[0]["id"]
    assert "At the bakery near the river" in attributes["invoke_workflow answer from notes"]["gen_ai.output.messages"]


def test_agent(example: Example, receiver: OtlpReceiver) -> None:
    """Two tools run at the same time, between two calls of the model, below one agent that counts them."""
    printed = example("agent")

    answer = "Now it is Porto at 18 °C, light rain and the train at 11:32 from platform 4: go where the sun is."
    assert [answer] == printed
    assert [
        "invoke_agent travel agent INTERNAL",
        "  chat gpt-4.1-mini CLIENT",
        "  execute_tool get_weather INTERNAL",
        "  execute_tool find_trains INTERNAL",
        "  chat gpt-4.1-mini CLIENT",
    ] == tree(receiver.spans)
    assert drawn("agent") == [line.rpartition(" ")[0] for line in tree(receiver.spans)]
    weather, trains = (span for span in receiver.spans if span["name"].startswith("execute_tool"))
    assert max(weather["start_time_unix_nano"], trains["start_time_unix_nano"]) < min(
        weather["end_time_unix_nano"], trains["end_time_unix_nano"]
    )
    agent = {"gen_ai.invoke_agent.duration", "gen_ai.invoke_agent.inference_calls", "gen_ai.invoke_agent.tool_calls"}
    assert {DURATION, TOKENS, "gen_ai.execute_tool.duration", *agent} == metric_names(receiver)
    assert {("travel agent",): 2} == summed(receiver, "gen_ai.invoke_agent.inference_calls", "gen_ai.agent.name")
    assert {("travel agent",): 2} == summed(receiver, "gen_ai.invoke_agent.tool_calls", "gen_ai.agent.name")
    assert [(200, 50), (394, 28)] == usage(receiver)
    assert {("input",): 594, ("output",): 78} == summed(receiver, TOKENS, "gen_ai.token.type")
    attributes = {span["name"]: span["attributes"] for span in receiver.spans}
    assert {"city": "Porto"} == json.loads(attributes["execute_tool find_trains"]["gen_ai.tool.call.arguments"])
    assert answer in attributes["invoke_agent travel agent"]["gen_ai.output.messages"]


def test_feedback(example: Example, receiver: OtlpReceiver) -> None:
    """What two scorers and a later process say is linked to the same span, and is a metric of each."""
    printed = example("feedback")

    assert ["The cellars close at seven.", "thumbs_up: The cellars close at seven."] == printed
    assert ["invoke_agent guide INTERNAL", "  chat gpt-4.1-mini CLIENT"] == tree(receiver.spans)
    assert [(30, 6)] == usage(receiver)
    (agent,) = (span for span in receiver.spans if span["name"] == "invoke_agent guide")
    evaluations = [log for log in receiver.logs if log["event_name"] == "gen_ai.evaluation.result"]
    assert {(agent["trace_id"], agent["span_id"])} == {(log["trace_id"], log["span_id"]) for log in evaluations}
    names = ("gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label")
    assert [
        ("feedback-answers", "brevity", 1.0, "pass"),
        ("feedback-answers", "names_a_time", 1.0, "pass"),
        ("feedback-votes", "user_feedback", 1.0, "thumbs_up"),
    ] == [(log["resource"]["service.name"], *(log["attributes"][name] for name in names)) for log in evaluations]
    by = (names[0], names[2])
    scores = {("brevity", "pass"): 1, ("names_a_time", "pass"): 1, ("user_feedback", "thumbs_up"): 1}
    assert (
        scores == counted(receiver, "gen_ai.evaluation.score", *by) == summed(receiver, "gen_ai.evaluation.score", *by)
    )


def test_short_process(example: Example, receiver: OtlpReceiver) -> None:
    """What is recorded of each event is exported before the function returns: the process is killed after the last one."""
    printed = example("short_process")

    assert ["At the bakery near the river. Go before nine.", "The cellars close at seven."] == printed
    assert ["answer INTERNAL", "  chat gpt-4.1-mini CLIENT"] * 2 == tree(receiver.spans)
    assert {"short-process"} == services(receiver)
    assert {DURATION, TOKENS} == metric_names(receiver)
    assert [(28, 11), (30, 6)] == usage(receiver)
    exported = [metric["points"] for metric in receiver.metrics if metric["name"] == TOKENS]
    assert [[11, 28], [6, 30]] == [sorted(point["sum"] for point in several) for several in exported]


def test_gateway(example: Example, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is one trace through two processes; tokens, cost and first chunk are counted by tenant and model."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("GATEWAY_PORT", str(port))

    printed = example("gateway")

    assert [
        "acme 200 From the bridge follow the quay west until the trams turn round; the sea begins where the gardens end.",
        "acme 200 At the bakery near the river. Go before nine.",
        "globex 200 The cellars close at seven.",
    ] == printed[:3]
    assert printed[3].startswith("globex 404 The provider refuses: ")
    gpt, claude, missing = "gpt-4.1-mini", "claude-sonnet-4-5", "gpt-missing"
    assert [
        line
        for model in (gpt, claude, claude, missing)
        for line in ("ask CLIENT", "  POST /ask SERVER", f"    chat {model} CLIENT")
    ] == tree(receiver.spans)
    started = sorted(receiver.spans, key=lambda span: span["start_time_unix_nano"])
    calls = [span["attributes"] for span in started if span["name"].startswith("chat ")]
    assert [(28, 21), (22, 11), (24, 6)] == usage(receiver)
    assert ["acme", "acme", "globex", "globex"] == [call["gen_ai.tag.tenant"] for call in calls]
    assert [None, None, None, "model_not_found"] == [call.get("error.type") for call in calls]
    assert {DURATION, TOKENS, FIRST_CHUNK, PER_CHUNK, COST} == metric_names(receiver)
    by = ("gen_ai.tag.tenant", "gen_ai.request.model")
    tokens = {("acme", gpt): (28, 21), ("acme", claude): (22, 11), ("globex", claude): (24, 6)}
    assert {
        (*key, kind): count
        for key, counts in tokens.items()
        for kind, count in zip(("input", "output"), counts, strict=True)
    } == summed(receiver, TOKENS, *by, "gen_ai.token.type")
    prices = {gpt: (0.4, 1.6), claude: (3.0, 15.0)}
    cost = {
        (tenant, model): (given * prices[model][0] + made * prices[model][1]) / 1_000_000
        for (tenant, model), (given, made) in tokens.items()
    }
    assert pytest.approx(cost) == summed(receiver, COST, *by)
    assert {("acme", gpt): 1, ("acme", claude): 1, ("globex", claude): 1} == counted(receiver, FIRST_CHUNK, *by)
    failed = {("acme", gpt): 1, ("acme", claude): 1, ("globex", claude): 1, ("globex", missing): 1}
    assert failed == counted(receiver, DURATION, *by)


@pytest.mark.skipif(
    not hasattr(anthropic.resources.messages, "Batches"), reason="anthropic below 0.42 has batches below `beta` alone"
)
def test_batch_job(example: Example, receiver: OtlpReceiver) -> None:
    """The second process is linked to the first, and records the tokens of the results."""
    printed = example("batch_job")

    assert [
        "3 requests: in_progress",
        "Lisbon: The light in the late afternoon, best seen from a ferry for the price of a coffee.",
        "Porto: The bridges, and the cellars that one reaches by walking over them.",
        "Évora: A Roman temple in a town where lunch takes two hours.",
    ] == printed
    assert [
        "order descriptions INTERNAL",
        "  create_batch CLIENT",
        "collect descriptions INTERNAL",
        "  fetch_batch CLIENT",
        "  fetch_batch CLIENT",
        "  fetch_batch CLIENT",
        "  batch_results CLIENT",
    ] == tree(receiver.spans)
    ordered, collected = (span for span in receiver.spans if span["name"].endswith("descriptions"))
    assert [{"trace_id": ordered["trace_id"], "span_id": ordered["span_id"]}] == collected["links"]
    assert {DURATION, TOKENS, FIRST_CHUNK, PER_CHUNK} == metric_names(receiver)
    assert {("claude-sonnet-4-5", "input"): 66, ("claude-sonnet-4-5", "output"): 45} == summed(
        receiver, TOKENS, "gen_ai.response.model", "gen_ai.token.type"
    )
    assert {("input",): 3, ("output",): 3} == counted(receiver, TOKENS, "gen_ai.token.type")
