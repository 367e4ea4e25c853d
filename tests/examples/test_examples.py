"""Each example does what its README says, by the command that is there, with the embedded model server."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import anthropic
import pytest

from example_runs import (
    BLOCK,
    DURATION,
    EXAMPLES,
    FIRST_CHUNK,
    PER_CHUNK,
    TOKENS,
    Example,
    counted,
    drawn,
    metric_names,
    points,
    services,
    summed,
    tree,
    usage,
)
from loopback import OtlpReceiver

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]

if shutil.which("sh") is None:
    pytest.skip("the examples are started by `sh`, which is not there", allow_module_level=True)


def test_all_are_listed() -> None:
    """The page has each example once, and each has a test and a README with one command, and says of itself what it prints."""
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name[0] not in "._")
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    assert folders == sorted(re.findall(r"^\| \[(\w+)\]\(\1\) \|", page, re.MULTILINE))
    for name in folders:
        assert ["sh run.sh\n"] == BLOCK.findall((EXAMPLES / name / "README.md").read_text(encoding="utf-8"))
        assert f"def test_{name}(" in tests
        assert re.search(
            r"^## What you will see\n.*^## With a real provider\n.*^```env\n[^`]+^```\n\Z",
            (EXAMPLES / name / "README.md").read_text(encoding="utf-8"),
            re.MULTILINE | re.DOTALL,
        )


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
