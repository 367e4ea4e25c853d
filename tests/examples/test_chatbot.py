"""The chatbot does what its README says, in a real browser, with the embedded model server and with llama.cpp's."""

from __future__ import annotations

import json
import os
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
    DURATION,
    FIRST_CHUNK,
    PER_CHUNK,
    TOKENS,
    Running,
    attributes,
    drawn,
    free_port,
    metric_names,
    names,
    needs,
    shown,
    started,
    tree,
    usage,
)
from loopback import ModelServer, OtlpReceiver, Sse, openai_bodies
from viewed import Browser, Page, no_browser

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.process,
    needs("streamlit", "opentelemetry.instrumentation.asgi", environment="examples"),
    pytest.mark.skipif(bool(no_browser()), reason=no_browser() or "there is a browser"),
]

if shutil.which("sh") is None:
    pytest.skip("the examples are started by `sh`, which is not there", allow_module_level=True)

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
    deadline = time.monotonic() + 120
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
        page.wait_for(f"document.querySelector('{BOX}')", 120)
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
    page.wait_for(f"{IDLE} && JSON.stringify({MESSAGES}) === {json.dumps(text)}", 120)


class TestChatbot:
    """What the user sees, and what is exported of it."""

    def test_chatbot(self, start: Callable[..., Running], receiver: OtlpReceiver) -> None:
        """Each question is one trace from the page to the server that answers it, with the conversation that is seen."""
        with model_server(receiver) as url, chatting(start, OPENAI_BASE_URL=url) as (running, page):
            ask(page, "Where is the best pastry?")
            first = ["Where is the best pastry?", *shown("chatbot")]
            wait_for_messages(page, *first)
            ask(page, "When is closing time?")
            wait_for_messages(page, *first, "When is closing time?", "The cellars close at seven.")
            spans = receiver.wait_for(lambda found: found.spans if len(found.spans) == 6 else None, 120)
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
            page.wait_for(f"{MESSAGES}[1]?.includes('and on and on')", 120)
            ask(page, "When is closing time?")
            page.wait_for(f"{IDLE} && {MESSAGES}[3] === 'At last.'", 120)
            _, kept, *_ = page.value(MESSAGES)
            spans = receiver.wait_for(lambda found: found.spans if len(found.spans) == 4 else None, 120)

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
                spans = receiver.wait_for(lambda found: found.spans if len(found.spans) == 2 else None, 120)
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
