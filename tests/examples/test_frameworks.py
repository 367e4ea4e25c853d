"""Each example that needs frameworks of its own does what its README says, by the command that is there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from example_runs import (
    COST,
    DURATION,
    EXAMPLES,
    FIRST_CHUNK,
    PER_CHUNK,
    TOKENS,
    Example,
    Running,
    Span,
    attributes,
    counted,
    drawn,
    free_port,
    metric_names,
    names,
    needs,
    services,
    shown,
    started,
    summed,
    tree,
    usage,
)
from loopback import OtlpReceiver

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]

if shutil.which("sh") is None:
    pytest.skip("the examples are started by `sh`, which is not there", allow_module_level=True)


@needs("fastapi", "opentelemetry.instrumentation.fastapi", environment="examples")
def test_gateway(example: Example, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is one trace through two processes; tokens, cost and first chunk are counted by tenant and model."""
    monkeypatch.setenv("GATEWAY_PORT", str(free_port()))

    example("gateway")

    assert drawn("gateway") == names(tree(receiver.spans)[:3])
    gpt, claude, llama, missing = "gpt-4.1-mini", "claude-sonnet-4-5", "llama3.2", "gpt-missing"
    assert [
        line
        for model in (gpt, claude, llama, missing)
        for line in (
            "ask CLIENT gateway-client",
            "  POST /ask SERVER gateway",
            f"    chat {model} CLIENT gateway",
        )
    ] == tree(receiver.spans, "service.name")
    calls = [span["attributes"] for span in started(receiver.spans) if span["name"].startswith("chat ")]
    assert ["openai", "anthropic", "ollama", "openai"] == [call["gen_ai.provider.name"] for call in calls]
    assert [(28, 21), (22, 11), (8, 6)] == usage(receiver)
    assert ["acme", "acme", "globex", "globex"] == [call["gen_ai.tag.tenant"] for call in calls]
    assert [None, None, None, "model_not_found"] == [call.get("error.type") for call in calls]
    of_server = {
        f"gen_ai.server.{name}" for name in ("request.duration", "time_to_first_token", "time_per_output_token")
    }
    assert {DURATION, TOKENS, FIRST_CHUNK, PER_CHUNK, COST, *of_server} == metric_names(receiver)
    by = ("gen_ai.tag.tenant", "gen_ai.request.model")
    tokens = {("acme", gpt): (28, 21), ("acme", claude): (22, 11), ("globex", llama): (8, 6)}
    assert {
        (*key, kind): count
        for key, counts in tokens.items()
        for kind, count in zip(("input", "output"), counts, strict=True)
    } == summed(receiver, TOKENS, *by, "gen_ai.token.type")
    prices = {gpt: (0.4, 1.6), claude: (3.0, 15.0), llama: (0.02, 0.04)}
    cost = {
        (tenant, model): (given * prices[model][0] + made * prices[model][1]) / 1_000_000
        for (tenant, model), (given, made) in tokens.items()
    }
    assert pytest.approx(cost) == summed(receiver, COST, *by)
    assert {("acme", gpt): 1, ("acme", claude): 1, ("globex", llama): 1} == counted(receiver, FIRST_CHUNK, *by)
    failed = {("acme", gpt): 1, ("acme", claude): 1, ("globex", llama): 1, ("globex", missing): 1}
    assert failed == counted(receiver, DURATION, *by)


@needs("langchain_openai", "numpy", environment="examples")
def test_rag_langchain(example: Example, receiver: OtlpReceiver) -> None:
    """The chain of LangChain and all that it calls are one tree below the workflow, with documents and tokens."""
    printed = example("rag_langchain")

    assert [
        "step index INTERNAL",
        "  embeddings text-embedding-3-small CLIENT",
        "invoke_workflow answer from notes INTERNAL",
        "  retrieval notes CLIENT",
        "    embeddings text-embedding-3-small CLIENT",
        "  chat gpt-4.1-mini CLIENT",
    ] == tree(receiver.spans)
    assert drawn("rag_langchain") == names(tree(receiver.spans))
    assert {"rag-langchain"} == services(receiver)
    assert [(35, 0), (6, 0), (79, 11)] == usage(receiver)
    assert {DURATION, TOKENS, "gen_ai.workflow.duration"} == metric_names(receiver)
    assert {("chat",): 1, ("embeddings",): 2, ("retrieval",): 1} == counted(receiver, DURATION, "gen_ai.operation.name")
    found = attributes(span for span in receiver.spans if not span["name"].startswith("embeddings"))
    retrieval, chat = found["retrieval notes"], found["chat gpt-4.1-mini"]
    assert "Where is the best pastry?" == retrieval["gen_ai.retrieval.query.text"]
    documents = json.loads(retrieval["gen_ai.retrieval.documents"])
    assert ["pastry", "tram"] == [document["id"] for document in documents]
    assert documents[0]["score"] > documents[1]["score"] > 0
    assert documents[0]["content"] in chat["gen_ai.input.messages"] + chat.get("gen_ai.system_instructions", "")
    assert printed[0] in found["invoke_workflow answer from notes"]["gen_ai.output.messages"]


@needs("mcp.server.mcpserver", environment="examples")
def test_agent_mcp(example: Example, receiver: OtlpReceiver) -> None:
    """Two agents, their tools and what the server of the tools does are one trace of two services; a tool is counted once."""
    example("agent_mcp")

    alone = [span for span in receiver.spans if span["name"] == "notifications/initialized"]
    assert ["notifications/initialized SERVER travel-desk"] == tree(alone, "service.name")
    spans = [span for span in receiver.spans if span not in alone]
    assert [
        "invoke_workflow plan a trip INTERNAL agent-mcp",
        "  initialize CLIENT agent-mcp",
        "    initialize SERVER travel-desk",
        "  tools/list CLIENT agent-mcp",
        "    tools/list SERVER travel-desk",
        "  invoke_agent planner INTERNAL agent-mcp",
        "    chat gpt-4.1-mini CLIENT agent-mcp",
        "    execute_tool find_trains INTERNAL agent-mcp",
        "      tools/call find_trains SERVER travel-desk",
        "    execute_tool ask_guide INTERNAL agent-mcp",
        "      invoke_agent guide INTERNAL agent-mcp",
        "        chat gpt-4.1-mini CLIENT agent-mcp",
        "        execute_tool get_weather INTERNAL agent-mcp",
        "          tools/call get_weather SERVER travel-desk",
        "        chat gpt-4.1-mini CLIENT agent-mcp",
        "    chat gpt-4.1-mini CLIENT agent-mcp",
    ] == tree(spans, "service.name")
    assert drawn("agent_mcp") == names(tree(spans))
    assert {"trip-1"} == {
        span["attributes"]["gen_ai.conversation.id"]
        for span in spans
        if span["resource"]["service.name"] == "agent-mcp"
    }
    tools = {
        span["attributes"]["gen_ai.tool.name"]: span["attributes"]
        for span in spans
        if span["name"].startswith("execute_tool ")
    }
    assert {"find_trains": "planner", "ask_guide": "planner", "get_weather": "guide"} == {
        name: tool["gen_ai.agent.name"] for name, tool in tools.items()
    }
    assert {"find_trains": "tools/call", "ask_guide": None, "get_weather": "tools/call"} == {
        name: tool.get("mcp.method.name") for name, tool in tools.items()
    }
    assert "Porto: 18 °C, light rain" == tools["get_weather"]["gen_ai.tool.call.result"]
    assert {"city": "Porto"} == json.loads(tools["find_trains"]["gen_ai.tool.call.arguments"])
    assert {("planner",): 2, ("guide",): 2} == summed(
        receiver, "gen_ai.invoke_agent.inference_calls", "gen_ai.agent.name"
    )
    assert {("planner",): 2, ("guide",): 1} == summed(receiver, "gen_ai.invoke_agent.tool_calls", "gen_ai.agent.name")
    assert {
        ("initialize", ""): 1,
        ("tools/list", ""): 1,
        ("tools/call", "find_trains"): 1,
        ("tools/call", "get_weather"): 1,
    } == counted(receiver, "mcp.client.operation.duration", "mcp.method.name", "gen_ai.tool.name")
    assert {("pipe",): 1} == counted(receiver, "mcp.client.session.duration", "network.transport")
    assert {("input",): 996, ("output",): 131} == summed(receiver, TOKENS, "gen_ai.token.type")


@needs("nbconvert", "ipykernel", environment="examples")
def test_notebook(
    start: Callable[..., Running], receiver: OtlpReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cell shows what it has called, and has exported it when it ends; nothing of it is written to the notebook."""
    kept = (EXAMPLES / "notebook" / "notebook.ipynb").read_bytes()
    # What IPython and Jupyter keep of their user.
    variables = {name: str(tmp_path) for name in ("HOME", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}

    status, printed, errors = start("notebook", **variables).ended()

    assert (0, "") == (status, errors)
    assert kept == (EXAMPLES / "notebook" / "notebook.ipynb").read_bytes()
    lines = [untimed(line.removeprefix("    ")) for line in printed.splitlines()]
    excerpt = [untimed(line) for line in shown("notebook")]
    assert excerpt == lines[lines.index(excerpt[1]) - 1 :][: len(excerpt)]
    assert "'At the bakery near the river. Go before nine.'" in printed
    assert [
        "chat gpt-4.1-mini CLIENT",
        "invoke_workflow plan a day INTERNAL",
        "  chat gpt-4.1-mini CLIENT",
        "  chat gpt-4.1-mini CLIENT",
    ] == tree(receiver.spans)
    assert drawn("notebook") == names(tree(receiver.spans))
    assert {"notebook"} == services(receiver)
    for span in receiver.spans:
        assert f"trace {span['trace_id']}" in printed
    assert [(28, 11), (29, 22), (28, 22)] == usage(receiver)
    assert {DURATION, TOKENS, "gen_ai.workflow.duration"} == metric_names(receiver)
    # After the first question its call alone was exported, after the others all of them.
    exported = [metric["points"] for metric in receiver.metrics if metric["name"] == DURATION]
    assert [1, 3] == list(dict.fromkeys(sum(point["count"] for point in several) for several in exported))
    assert b"best pastry" not in receiver.raw


def untimed(line: str) -> str:
    """A line of the terminal without what differs from one run to the next: ids, times, and how long the bars are for them."""
    line = re.sub(r"\d\d:\d\d:\d\d", "TIME", re.sub(r"[0-9a-f]{32}", "TRACE", line))
    return re.sub(r" +━[━ ]*[\d.]+ m?s$", " DURATION", line)


@needs("flask", "gunicorn", "opentelemetry.instrumentation.flask", environment="examples")
def test_flask_gunicorn(start: Callable[..., Running], receiver: OtlpReceiver) -> None:
    """Each forked worker exports its spans and metrics as an instance of its own; none is left when the example has ended."""
    running = start("flask_gunicorn", WEB_PORT=str(free_port()))
    status, printed, errors = running.ended()

    assert (0, "") == (status, errors)
    assert running.is_gone
    lines = printed.splitlines()
    *answers, last = shown("flask_gunicorn")
    assert answers == lines[:-1]
    count = int(re.sub(r" answers of 2 workers$", "", lines[-1]))
    assert count % len(answers) == 0
    assert last == f"{len(answers)} answers of 2 workers"
    one = ["ask CLIENT web-client", "  POST /ask SERVER web-app", "    chat gpt-4.1-mini CLIENT web-app"]
    assert one * count == tree(receiver.spans, "service.name")
    assert drawn("flask_gunicorn") == names(names(one))
    by_worker: dict[str, list[Span]] = {}
    for span in started(receiver.spans):
        if span["resource"]["service.name"] == "web-app":
            by_worker.setdefault(span["resource"]["service.instance.id"], []).append(span)
    assert 2 == len(by_worker)
    for worker, spans in by_worker.items():
        assert [200] * (len(spans) // 2) == [
            span["attributes"]["http.status_code"] for span in spans if span["kind"] == "SERVER"
        ]
        # The call of a request is one of the same worker, in the metrics as well.
        servers = {span["span_id"] for span in spans if span["kind"] == "SERVER"}
        calls = [span for span in spans if span["kind"] == "CLIENT"]
        assert servers == {call["parent_span_id"] for call in calls}
        assert sum(call["attributes"]["gen_ai.usage.output_tokens"] for call in calls) == sum(
            point["sum"]
            for metric in receiver.metrics
            if metric["name"] == TOKENS and metric["resource"]["service.instance.id"] == worker
            for point in metric["points"]
            if point["attributes"]["gen_ai.token.type"] == "output"
        )
    assert {DURATION, TOKENS} == metric_names(receiver)
