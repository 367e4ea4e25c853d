"""The wrong turns of deploy/README.md: each is taken with the real programs, and what they say then stands there."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from process import HOST, NotRunningError, free_ports
from stack import DEPLOY, PORTS, Stack

from asking import wait_until

PROVES = "each wrong turn of deploy/README.md, taken with the real programs: what they say stands there"

PAGE = (DEPLOY / "README.md").read_text()
WRONG = PAGE.partition("## When something goes wrong\n")[2]
BACKENDS = ("prometheus", "jaeger", "alertmanager")
LOCAL = ("prometheus", "traces", "logs")


def files(*names: str) -> list[Path]:
    """Files of the Collector."""
    return [DEPLOY / "collector" / f"{name}.yaml" for name in names]


def seen(message: str) -> str:
    """The row of the table that a message is looked up in: it has the message in code.

    Raises:
        AssertionError: there is none.
    """
    rows = [row for row in WRONG.splitlines() if row.startswith("| ") and f"`{message}`" in row.split(" | ")[0]]
    assert rows, f"deploy/README.md has no line for `{message}`"
    return rows[0]


def test_a_port_in_use(tmp_path: Path) -> None:
    """The Collector ends, and says so."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    with socket.socket() as taken:
        taken.bind((HOST, ports["otlp_http"]))
        taken.listen()
        with pytest.raises(NotRunningError) as caught:
            Stack(
                tmp_path, collector=files("receive", "redact", "keep", *LOCAL), ports=ports, without=BACKENDS
            ).__enter__()
    assert "bind: address already in use" in str(caught.value)
    assert "OTLP_HTTP_PORT" in seen("bind: address already in use")


@pytest.mark.parametrize(
    ("names", "change", "message"),
    [
        (["receive", "redact", "kept"], None, "unable to read the file"),
        (["receive", "redact", "keep", *LOCAL], ("memory_limiter:", "memory_limits:"), 'unknown type: "…"'),
        (["receive", "redact", "keep", *LOCAL], ("limit_mib:", "limit_mb:"), "has invalid keys"),
        (["receive", "redact", "keep", "traces"], None, "used as exporter in"),
        (["receive", "traces"], None, "which is not configured"),
    ],
)
def test_a_collector_that_does_not_start(
    names: list[str], change: tuple[str, str] | None, message: str, tools: Callable[[str], Path], tmp_path: Path
) -> None:
    """Its words are in the line that says what to do; the command there names a file and a line of it."""
    copies = []
    for file in files(*names):
        copies.append(tmp_path / file.name)
        if file.exists():
            text = file.read_text()
            copies[-1].write_text(text.replace(*change) if change and file.stem == "receive" else text)
    words = [word for file in copies for word in ("--config", file)]
    done = subprocess.run(
        [tools("otelcol"), "validate", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert re.search(re.escape(message).replace("…", ".+"), done.stderr), done.stderr
    row = seen(message)
    (command,) = re.findall(r"`python (\S+) FILE…`", row)
    words = [sys.executable, DEPLOY.parent / command, *copies]
    checked = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode != 0
    if all(file.exists() for file in copies):
        assert re.search(r"[\w-]+\.yaml:\d+: ", checked.stdout + checked.stderr), checked.stdout + checked.stderr


class Refusing(BaseHTTPRequestHandler):
    """A backend that takes no token."""

    def do_POST(self) -> None:
        """Answer that the sender is not known."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Write nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    """The URL of one."""
    server = ThreadingHTTPServer((HOST, 0), Refusing)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def send_span(url: str) -> None:
    """Send one span to a Collector."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    with provider.get_tracer("test").start_as_current_span("one"):
        pass
    provider.shutdown()


def test_a_wrong_token(refusing: str, tmp_path: Path) -> None:
    """The Collector logs that the backend refuses, and counts what it drops."""
    token = {"OPENOBSERVE_URL": refusing, "OPENOBSERVE_TOKEN": "d3Jvbmc6dG9rZW4="}
    with Stack(
        tmp_path, collector=files("receive", "redact", "keep", "openobserve"), environment=token, without=BACKENDS
    ) as stack:
        send_span(stack.otlp_http)
        log = stack.process("collector").text
        wait_until(lambda: "Dropping data" in log(), 30, "the Collector does not drop what is refused")
    assert "HTTP Status Code 401" in log()
    assert "Unauthenticated" in log()
    # Not with the token in it.
    assert token["OPENOBSERVE_TOKEN"] not in log()
    assert seen("HTTP Status Code 401") == seen("Unauthenticated") == seen("Dropping data")


def test_a_wrong_temporality(tmp_path: Path) -> None:
    """Prometheus takes no deltas; the row names what both programs log, and the variable that helps."""
    with Stack(
        tmp_path, collector=files("receive", "redact", "keep", *LOCAL), without=("jaeger", "alertmanager")
    ) as stack:
        exporter = OTLPMetricExporter(
            f"{stack.otlp_http}/v1/metrics", preferred_temporality={Counter: AggregationTemporality.DELTA}
        )
        provider = MeterProvider([PeriodicExportingMetricReader(exporter, float("inf"))])
        provider.get_meter("test").create_counter("calls").add(1)
        provider.force_flush()
        provider.shutdown()
        log = stack.process("collector").text
        wait_until(lambda: "HTTP Status Code 500" in log(), 30, "the Collector does not log what Prometheus answers")
        assert "otlp_http/prometheus" in log()
        assert "invalid temporality and type combination" in stack.process("prometheus").text()
    row = seen("invalid temporality and type combination")
    assert row == seen("HTTP Status Code 500")
    assert "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative" in row


def test_a_backend_that_is_not_there(tmp_path: Path) -> None:
    """The Collector logs that nobody listens, and keeps what it has."""
    with Stack(tmp_path, collector=files("receive", "redact", "keep", *LOCAL), without=BACKENDS) as stack:
        send_span(stack.otlp_http)
        log = stack.process("collector").text
        wait_until(lambda: "connection refused" in log(), 30, "the Collector does not log that nobody listens")
        assert "Dropping data" not in log()
    assert "five minutes" in seen("connection refused")
    assert {"300s"} == set(re.findall(r"max_elapsed_time: (\w+)", "".join(file.read_text() for file in files(*LOCAL))))


def test_a_line_that_is_missing_is_found() -> None:
    """A message that the page does not have fails."""
    with pytest.raises(AssertionError, match="has no line for `panic`"):
        seen("panic")
