"""Each example that needs frameworks of its own does what its README says, by the command that is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    metric_names,
    needs,
    services,
    shown,
    started,
    summed,
    tree,
    usage,
)
from loopback import ModelServer, OtlpReceiver, Sse, openai_bodies
from viewed import Browser, Page, no_browser

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]

if shutil.which("sh") is None:
    pytest.skip("the examples are started by `sh`, which is not there", allow_module_level=True)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def names(lines: list[str]) -> list[str]:
    """The lines of a tree without the kinds of spans."""
    return [line.rpartition(" ")[0] for line in lines]


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


MODEL_SERVER = """
import sys
import uvicorn
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry_instrumentation_genai.cli.demo.server.model_server import model_server
from opentelemetry_instrumentation_genai.cli.demo.server.tally import Tally

app = OpenTelemetryMiddleware(model_server(Tally(any_model=True)), exclude_spans=["receive", "send"])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
BOX = "[data-testid=stChatInputTextArea]"
IDLE = "document.querySelector('[data-test-script-state=notRunning]')"
MESSAGES = "[...document.querySelectorAll('[data-testid=stChatMessageContent]')].map((one) => one.innerText.trim())"


def wait_for_port(port: int) -> None:
    """Waits until something listens."""
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on port {port}"
            time.sleep(0.1)
        else:
            return


@contextmanager
def model_server(receiver: OtlpReceiver) -> Iterator[str]:
    """The URL of the embedded model server with the instrumentation of a server, which exports its spans as well."""
    port = free_port()
    instrument = Path(sys.executable).with_name("opentelemetry-instrument")
    variables = {**os.environ, **receiver.environment(), "OTEL_SERVICE_NAME": "model-server"}
    with subprocess.Popen([instrument, sys.executable, "-c", MODEL_SERVER, str(port)], env=variables) as running:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            running.terminate()


@contextmanager
def chatting(start: Callable[..., Running], **variables: str) -> Iterator[tuple[Running, Page]]:
    """The running chatbot, and its page in a browser, ready for a question."""
    port = free_port()
    running = start("chatbot", CHAT_PORT=str(port), OTEL_BSP_SCHEDULE_DELAY="200", **variables)
    wait_for_port(port)
    browser = Browser()
    try:
        page = browser.page()
        page.open(f"http://127.0.0.1:{port}/")
        page.wait_for(f"document.querySelector('{BOX}')", 60)
        yield running, page
    finally:
        browser.close()


def ask(page: Page, question: str) -> None:
    """Types a question and sends it."""
    page.click(BOX)
    page.type(question)
    page.key("Enter")


def wait_for_messages(page: Page, *messages: str) -> None:
    """Waits until the page shows these messages, and its program has come to its end."""
    text = json.dumps(messages, separators=(",", ":"), ensure_ascii=False)
    page.wait_for(f"{IDLE} && JSON.stringify({MESSAGES}) === {json.dumps(text)}", 60)


in_browser = [
    needs("streamlit", "opentelemetry.instrumentation.asgi", environment="examples"),
    pytest.mark.skipif(bool(no_browser()), reason=no_browser() or "there is a browser"),
]


@pytest.mark.usefixtures("receiver")
class TestChatbot:
    """The page of the chatbot in a real browser."""

    pytestmark = in_browser

    def test_chatbot(self, start: Callable[..., Running], receiver: OtlpReceiver) -> None:
        """Each question is one trace from the page to the server that answers it, with the conversation that is seen."""
        with model_server(receiver) as url, chatting(start, OPENAI_BASE_URL=url) as (running, page):
            ask(page, "Where is the best pastry?")
            first = ["Where is the best pastry?", *shown("chatbot")]
            wait_for_messages(page, *first)
            ask(page, "When is closing time?")
            wait_for_messages(page, *first, "When is closing time?", "The cellars close at seven.")
            spans = receiver.wait_for(lambda found: found.spans if len(found.spans) == 6 else None, 60)
            running.interrupt()
            running.ended()

        one = [
            "question SERVER chatbot",
            "  chat llama-3.3-70b CLIENT chatbot",
            "    POST /v1/chat/completions SERVER model-server",
        ]
        assert one * 2 == tree(spans, "service.name")
        assert drawn("chatbot") == names(names(one))[:2]
        calls = [span["attributes"] for span in started(spans) if span["name"].startswith("chat ")]
        assert [(28, 11), (78, 6)] == usage(receiver)
        assert 1 == len({call["gen_ai.conversation.id"] for call in calls})
        assert [1, 3] == [len(json.loads(call["gen_ai.input.messages"])) for call in calls]
        assert all(call["gen_ai.response.time_to_first_chunk"] > 0 for call in calls)
        assert [["stop"], ["stop"]] == [call["gen_ai.response.finish_reasons"] for call in calls]
        assert {DURATION, TOKENS, FIRST_CHUNK, PER_CHUNK} == metric_names(receiver)
        assert running.is_gone
        assert [] == [url for url in page.requests if not url.startswith(("http://127.0.0.1:", "about:", "data:"))]

    def test_impatience(self, start: Callable[..., Running], server: ModelServer, receiver: OtlpReceiver) -> None:
        """A user who asks again while an answer comes has what had come of it; its call ends there, without an error."""
        server.reply(Sse(openai_bodies.chunks(*["and on "] * 300), delay=0.1), Sse(openai_bodies.chunks("At last.")))
        with chatting(start, OPENAI_BASE_URL=f"{server.url}/v1") as (_, page):
            ask(page, "Tell me everything.")
            page.wait_for(f"{MESSAGES}[1]?.includes('and on and on')", 60)
            ask(page, "When is closing time?")
            page.wait_for(f"{IDLE} && {MESSAGES}[3] === 'At last.'", 60)
            _, kept, *_ = page.value(MESSAGES)
            spans = receiver.wait_for(lambda found: found.spans if len(found.spans) == 4 else None, 60)

        one = ["question SERVER chatbot", "  chat llama-3.3-70b CLIENT chatbot"]
        assert one * 2 == tree(spans, "service.name")
        left, answered = (span for span in started(spans) if span["name"].startswith("chat "))
        # Not seconds later, when all of it would have come: Streamlit starts anew while it stops.
        assert left["end_time_unix_nano"] < answered["start_time_unix_nano"] + 5_000_000_000
        assert ["UNSET"] * 4 == [span["status"]["code"] for span in spans]
        assert "error.type" not in left["attributes"]
        (output,) = json.loads(left["attributes"]["gen_ai.output.messages"])
        (part,) = output["parts"]
        assert kept.split() == part["content"].split()[: len(kept.split())]
        assert 4 <= len(part["content"].split()) < 600
        assert 3 == len(json.loads(answered["attributes"]["gen_ai.input.messages"]))

    def test_llama(self, start: Callable[..., Running], receiver: OtlpReceiver, tmp_path: Path) -> None:
        """llama.cpp's server in place of the embedded one: what the page shows and the tokens that the server counts are on the call."""
        servers: Any = pytest.importorskip("servers", reason="tests/integration is not there")
        missing = servers.SERVERS["llama"].missing()
        if missing:
            pytest.skip(missing)
        llama = servers.SERVERS["llama"].start(tmp_path / "log.txt")
        try:
            with chatting(start, OPENAI_BASE_URL=f"{llama.url}/v1", CHAT_MODEL="tiny") as (_, page):
                ask(page, "Where is the best pastry?")
                spans = receiver.wait_for(lambda found: found.spans if len(found.spans) == 2 else None, 60)
                call = attributes(spans)["chat tiny"]
                (output,) = json.loads(call["gen_ai.output.messages"])
                text = "".join(part["content"] for part in output["parts"]).strip()
                page.wait_for(f"({MESSAGES}).length === 2")
                assert text.split() == page.value(MESSAGES)[1].split()
            names_of_llama = ("llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total")
            counts = tuple(llama.counter(name) for name in names_of_llama)
        finally:
            llama.close()

        assert ["question SERVER chatbot", "  chat tiny CLIENT chatbot"] == tree(spans, "service.name")
        assert [counts] == usage(receiver)
        assert "llama_cpp" == call["gen_ai.provider.name"]
