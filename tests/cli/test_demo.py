"""`opentelemetry-genai demo`: what it shows of real SDKs, and the model server alone."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anthropic
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len
from rich.console import Console

from opentelemetry_instrumentation_genai.cli.commands import program
from opentelemetry_instrumentation_genai.cli.demo import parts
from opentelemetry_instrumentation_genai.cli.demo.counts import Counts, counts_of, problems
from opentelemetry_instrumentation_genai.cli.demo.explanation import explanation, legend
from opentelemetry_instrumentation_genai.cli.demo.metrics import metric_table
from opentelemetry_instrumentation_genai.cli.demo.receiver import Point, Telemetry
from opentelemetry_instrumentation_genai.cli.demo.server.tally import Tally

COMMAND = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "demo"]
FOUND = parts.find_parts()
enough = pytest.mark.skipif(
    not {sdk.extra for sdk in FOUND.shown} & {*parts.NEEDED}, reason="no SDK is there in a version that is shown"
)
# What each part of the programs prints, and the name of a span that it gives.
SIGNS = {
    "plan_openai": ("Where", "chat gpt-4.1-mini"),
    "book_openai": ("Voice", "invoke_agent weather agent"),
    "plan_anthropic": ("If it rains", "chat claude-sonnet-5-5"),
    "book_anthropic": ("Train", "execute_tool trains"),
    "plan_ollama": ("Luggage", "text_completion llama3.2"),
    "book_mcp": ("Tram", "tools/call next_tram"),
    "ask_groq": ("Groq", "chat llama-3.3-70b"),
    "ask_cerebras": ("Cerebras", "chat llama-3.3-70b"),
    "ask_fireworks": ("Fireworks", "chat llama-3.3-70b"),
}


def invoked(*arguments: str) -> Result:
    """What the command does with arguments, in this process."""
    return CliRunner().invoke(program, ["demo", *arguments], prog_name="opentelemetry-genai")


@pytest.fixture(autouse=True)
def no_columns(monkeypatch) -> None:
    """Nobody says how wide a page is, but for a test."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@enough
@pytest.mark.process
def test_the_demonstration(tmp_path):
    """With the SDKs that are here: all their calls are seen, shown at 80 columns, and counted; nothing of ours fails."""
    done = subprocess.run(
        COMMAND,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert [] == [line for line in done.stderr.splitlines() if "report" in line or "Traceback" in line]
    assert "\x1b" not in done.stdout
    programs, _, page = done.stdout.partition("Conversations\n")
    for part in (part for modules in FOUND.programs() for part in modules):
        printed, span = SIGNS[part]
        assert f"\n  {printed}" in programs
        assert re.search(rf"^\W*{re.escape(span)} ", page, re.MULTILINE)
    assert [] == [line for line in page.splitlines() if cell_len(line) > 80]
    assert ("Left out" in done.stdout) is bool(FOUND.left_out)
    assert "".join(FOUND.remark().split()) in "".join(done.stdout.split())
    calls = int(re.search(r"✓ (\d+) calls were made, and all of them were seen\.", page)[1])  # type: ignore[index]
    assert f"{calls:>5} durations: one for each call" in page
    assert f"one for each of {calls} calls of a model's server" in " ".join(page.split())
    row = re.search(r"^all calls of(?: models)? +(\d+) ", page, re.MULTILINE)
    assert row
    assert calls == int(row[1])


def no_version(name: str) -> str:
    """Stand in for an environment without packages."""
    raise PackageNotFoundError(name)


def test_no_sdk(monkeypatch):
    """One sentence says what to install."""
    monkeypatch.setattr(parts, "version", no_version)

    done = invoked()

    sentence = "✗ The demonstration needs one of the SDKs openai, anthropic, ollama: "
    line = "pip install 'opentelemetry-instrumentation-genai[cli,openai]'\n"
    assert (1, sentence + line) == (done.exit_code, done.output)


def test_which_parts_there_are(monkeypatch):
    """What is not installed is left out, and what is too old with the versions."""
    there = {"openai": "1.50.0", "anthropic": "2.0", "groq": "1.0", "mcp": "odd"}
    monkeypatch.setattr(parts, "version", lambda name: there[name] if name in there else no_version(name))

    found = parts.find_parts()

    assert ["anthropic", "groq"] == [sdk.extra for sdk in found.shown]
    extras = "openai (found 1.50.0, shown from 2.0 on), ollama, mcp, cerebras, fireworks"
    install = "pip install 'opentelemetry-instrumentation-genai[openai,ollama,mcp,cerebras,fireworks]'"
    assert f"Left out, because it is not installed: {extras}. {install}" == found.remark()
    assert [["plan_anthropic"], ["book_anthropic"], ["ask_groq"]] == found.programs()


def test_every_part_has_a_program():
    """The table names modules that there are."""
    folder = Path(parts.__file__).parent / "programs"
    named = {module for sdk in parts.SDKS for module in (sdk.plan, sdk.book, sdk.ask) if module}

    assert named == {path.stem for path in folder.glob("*_*.py")} - {"__init__", "__main__"}
    assert SIGNS.keys() == named


COUNTS = Counts(calls=3, inferences=2, requests=4, spans=5, asked=3, durations=3, events=2, http_spans=0)


def test_what_the_counts_mean():
    """A line for each count, with its reason, at any width."""
    kinds = "agents, tools, retrieval, steps, requests to an MCP server"
    assert [
        "    5 spans: one for each of 3 calls of a model's server, and one for each of 2 operations beside them: "
        + kinds,
        "    3 durations: one for each call of a model's server, whether its span is sampled or not",
        "    2 events: one for each of 2 calls with messages; embeddings and batches have none",
        "    4 HTTP requests: one for each try of a call: an SDK tries again after a rate limit; a realtime connection has none",
        "    0 HTTP spans: they are of another package, opentelemetry-instrumentation-httpx, which is not installed here",
    ] == [line.plain for line in explanation(COUNTS, None)]
    for width in (40, 80, 120):
        lines = [line.plain for part in (explanation(COUNTS, width), legend(width)) for line in part]
        assert [] == [line for line in lines if cell_len(line) > width]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({}, None),
        ({"asked": 0}, "no GenAI span arrived"),
        ({"asked": 2}, "the programs made 3 calls, but 2 GenAI spans arrived"),
        ({"durations": 2}, "the programs made 3 calls, but 2 durations were recorded"),
        ({"events": 0}, "the programs made 2 calls with messages, but 0 events arrived"),
    ],
)
def test_what_is_missing(more, sentence):
    """The demonstration fails if not every call was seen, and says what was not."""
    found = [*problems(COUNTS._replace(**more))]

    assert [sentence] == [one.partition(":")[0] for one in found] if sentence else [] == found


def test_nothing_was_received():
    """All counts are zero, and that is a problem."""
    assert [*problems(counts_of(Tally(calls=1), Telemetry()))]


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "\u202ecod", "a\r\nb", "[red]x[/]"])
def test_metrics_that_a_terminal_would_obey(text):
    """Names of metrics and models are shown as what they are."""
    telemetry = Telemetry()
    attributes = {"gen_ai.request.model": text, "error.type": text}
    telemetry.points["x", "y", 1] = Point(f"gen_ai.{text}", "s", attributes, 1, 1.0, {text})
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(metric_table(telemetry))

    written = captured.get().replace("\n", "")
    assert [] == [character for character in written if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}]


# The model server alone.


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[dict[str, str], Any]]:
    """The command that serves, and the variables that it prints."""
    running = subprocess.Popen(
        [*COMMAND, "--serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    lines = [running.stdout.readline() for _ in range(13)]
    variables = dict(re.findall(r"  export (\w+)=(\S+)\n", "".join(lines)))
    yield variables, running
    running.kill()
    running.communicate()


def test_the_variables(serving):
    """One line of the shell for each SDK's address and key."""
    variables, _ = serving

    sdks = ("ANTHROPIC", "CEREBRAS", "FIREWORKS", "GROQ", "OPENAI")
    assert {"OLLAMA_HOST", *(f"{sdk}_{name}" for sdk in sdks for name in ("BASE_URL", "API_KEY"))} == variables.keys()
    assert variables["OPENAI_BASE_URL"] == variables["OLLAMA_HOST"] + "/v1"


@pytest.fixture
def configured(serving, monkeypatch) -> dict[str, str]:
    """The environment of an application that calls it."""
    variables: dict[str, str] = serving[0]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def closed() -> Iterator[Any]:
    """Closes a client of Ollama, which has no method for that, after the test."""
    clients: list[Any] = []
    yield lambda client: clients.append(client) or client
    for client in clients:
        client._client.close()


def test_openai(configured):
    """Any model, parts of content, tools, streams and errors, as the SDK reads them."""
    import openai

    with openai.OpenAI(max_retries=1) as client:
        parts_of_content: Any = [{"type": "text", "text": "Where is the best pastry?"}]
        messages: Any = [{"role": "user", "content": parts_of_content}]
        answer = client.chat.completions.create(model="anything", messages=messages)
        tool: Any = {
            "type": "function",
            "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
        }
        called = client.chat.completions.create(model="anything", messages=messages, tools=[tool])
        stream = client.chat.completions.create(model="gpt-5-mini", messages=messages, stream=True)
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="missing", messages=messages)

    assert ("anything", "At the bakery near the river. Go before nine.") == (
        answer.model,
        answer.choices[0].message.content,
    )
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert ["now"] == [call.function.name for call in called.choices[0].message.tool_calls or ()]  # type: ignore[union-attr]
    assert "At the bakery near the river. Go before nine." == "".join(pieces)


def test_anthropic(configured):
    """Messages, whole and streamed, of any model."""
    import anthropic

    with anthropic.Anthropic(max_retries=0) as client:
        messages: Any = [{"role": "user", "content": [{"type": "text", "text": "Where is the best pastry?"}]}]
        answer = client.messages.create(model="anything", max_tokens=100, messages=messages)
        with client.messages.stream(model="anything", max_tokens=100, messages=messages) as stream:
            streamed = "".join(stream.text_stream)
        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(model="missing", max_tokens=100, messages=messages)

    assert "At the bakery near the river. Go before nine." == answer.content[0].text == streamed  # type: ignore[union-attr]
    assert 5 < answer.usage.output_tokens


@pytest.mark.parametrize(
    ("question", "called"),
    [
        ("The weather in Porto, and trains there?", [("find_trains", "Porto"), ("get_weather", "Porto")]),
        ("Which weather, in Lisbon or Porto?", [("get_weather", "Lisbon"), ("get_weather", "Porto")]),
        ("Anything?", [("find_trains", "Lisbon")]),
    ],
)
def test_which_tools_are_called(configured, question, called):
    """Those that the question names, for each of its cities; the first if it names none. Both APIs agree."""
    import anthropic
    import openai

    schema: Any = {"type": "object", "properties": {"city": {"type": "string"}}}
    names = ["find_trains", "get_weather"]
    messages: Any = [{"role": "user", "content": question}]
    with openai.OpenAI(max_retries=0) as client:
        functions: Any = [{"type": "function", "function": {"name": name, "parameters": schema}} for name in names]
        answer = client.chat.completions.create(model="anything", messages=messages, tools=functions)
    with anthropic.Anthropic(max_retries=0) as other:
        tools: Any = [{"name": name, "input_schema": schema} for name in names]
        message = other.messages.create(model="anything", max_tokens=100, messages=messages, tools=tools)

    calls: Any = answer.choices[0].message.tool_calls
    blocks: Any = [block for block in message.content if block.type == "tool_use"]
    assert called == [(call.function.name, json.loads(call.function.arguments)["city"]) for call in calls]
    assert called == [(block.name, block.input["city"]) for block in blocks]
    assert len(calls) == len({call.id for call in calls}) == len({block.id for block in blocks})


@pytest.mark.skipif(not hasattr(anthropic.resources.messages, "Batches"), reason="anthropic below 0.42")
def test_batches_of_anthropic(configured):
    """A batch ends when it is asked for again, and has an answer for each request; of another there is nothing."""
    params: Any = {"model": "anything", "max_tokens": 9, "messages": [{"role": "user", "content": "A tip?"}]}
    with anthropic.Anthropic(max_retries=0) as client:
        batches = client.messages.batches
        created = batches.create(requests=[{"custom_id": name, "params": params} for name in ("a", "b")])
        first, second = batches.retrieve(created.id), batches.retrieve(created.id)
        results = {entry.custom_id: entry.result for entry in batches.results(created.id)}
        with pytest.raises(anthropic.NotFoundError):
            batches.retrieve("msgbatch_0")

    assert ("in_progress", "in_progress", "ended") == (
        created.processing_status,
        first.processing_status,
        second.processing_status,
    )
    assert (2, 0, 0, 2) == (
        created.request_counts.processing,
        created.request_counts.succeeded,
        second.request_counts.processing,
        second.request_counts.succeeded,
    )
    assert {"a": "A tenth is plenty.", "b": "A tenth is plenty."} == {
        name: result.message.content[0].text  # type: ignore[union-attr]
        for name, result in results.items()
    }


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"requests": 1}', '{"requests": [1]}', '{"requests": [{"params": 1}]}']
)
def test_a_batch_that_is_not_understood(configured, body):
    """The request is refused, and the server goes on."""
    address = urlsplit(configured["ANTHROPIC_BASE_URL"])
    with closing(HTTPConnection(address.netloc, timeout=10)) as connection:
        connection.request("POST", "/v1/messages/batches", body)
        response = connection.getresponse()
        answer = json.loads(response.read())

    assert (400, "invalid_request_error") == (response.status, answer["error"]["type"])


def test_ollama(configured, closed):
    """Chats, whole and streamed, of any model."""
    import ollama

    client = closed(ollama.Client(host=configured["OLLAMA_HOST"]))
    messages = [{"role": "user", "content": "Where is the best pastry?"}]
    answer = client.chat(model="anything", messages=messages)
    streamed = "".join(
        part["message"]["content"] for part in client.chat(model="anything", messages=messages, stream=True)
    )

    assert "At the bakery near the river. Go before nine." == answer["message"]["content"] == streamed
    with pytest.raises(ollama.ResponseError):
        client.chat(model="missing", messages=messages)


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"model": 1}', '{"model": "x"}', '{"model": "x", "messages": [1]}']
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat"])
def test_bodies_that_are_not_understood(serving, path, body):
    """They get an answer, not a failure of the server."""
    host = serving[0]["OLLAMA_HOST"].removeprefix("http://")
    with closing(HTTPConnection(host, timeout=10)) as connection:
        connection.request("POST", path, body, {"content-type": "application/json"})
        status = connection.getresponse().status

    assert status in {200, 400, 404}


def test_a_port_that_is_in_use():
    """One sentence, and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = invoked("--serve", "--port", str(port))

    assert (1, f"Error: Port {port} is in use: choose another with --port, or --port 0 for any.\n") == (
        done.exit_code,
        done.output,
    )


def test_a_port_that_is_none():
    """Numbers that are too large."""
    done = invoked("--serve", "--port", "99999")

    assert 2 == done.exit_code
    assert "Invalid value for '--port': 99999 is not in the range" in done.output


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
def test_ctrl_c_ends_it():
    """Without a traceback."""
    running = subprocess.Popen(
        [*COMMAND, "--serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        assert "A model server" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, shown = running.communicate(timeout=20)
    finally:
        running.kill()

    assert "" == shown
    assert running.returncode in {0, 130}
