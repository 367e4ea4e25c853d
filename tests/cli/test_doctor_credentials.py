"""Credentials are planted wherever the environment may hold some; nothing that the commands print has one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from loopback import closed_port
from opentelemetry_instrumentation_genai.cli.doctor.credentials import of_environment
from opentelemetry_instrumentation_genai.cli.doctor.finding import found

PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
OTLP = "OTEL_EXPORTER_OTLP_"
PLANTED = "mango"
"""Each credential that is planted begins with it, in whichever case, and has no form of a key that the rules know."""
HTTP, GRPC = {OTLP + "PROTOCOL": "http/protobuf"}, {OTLP + "PROTOCOL": "grpc"}
DIRECT = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
HEADERS = {
    "well-formed": "authorization=Bearer%20MangoTree,x-team=Mango-tribe-sees,x-key=Mango7",
    "line break": "authorization=Bearer%20MangoTree%0Axyz,x-team=MangoTribe",
    "colon": "Authorization: Bearer MangoTree",
    "no name": "MangoTree",
    "quotes": 'x-team="MangoTribe Sees"',
    "key for a name": "MangoTreeSees==",
}
ENDPOINTS = {
    "everywhere": "http://MangoUser:MangoPass@{at}/MangoPath?api_key=MangoQuery",
    "token": "http://MangoToken@{at}",
    "no scheme": "MangoUser:MangoPass@{at}",
    "slash": "http://MangoUser:Mango/Pass@{at}",
    "port": "http://{at}MangoPort",
}
PROXIES = {
    "password": "http://MangoUser:MangoPass@127.0.0.1:{port}",
    "slash": "http://MangoUser:Mango/Pass@127.0.0.1:{port}",
    "one slash": "http:/MangoUser:MangoPass@127.0.0.1:{port}",
    "port": "http://127.0.0.1:MangoPort",
}
SETTINGS = {
    PREFIX + "USER_ID_KEY": "MangoKey" * 5,
    PREFIX + "UPLOAD_BASE_PATH": "s3://MangoUser:MangoPass@bucket?token=MangoQuery",
}
PROGRAM = """
import logging
from opentelemetry import trace

logging.getLogger("opentelemetry").warning("planted")
with trace.get_tracer("t").start_as_current_span("s"):
    pass
"""


@pytest.fixture
def printed(tmp_path, monkeypatch) -> Callable[..., str]:
    """Runs a command in an environment, in a process of its own, and returns what it wrote to stdout and stderr, in lower case."""

    def printed(*command: str, **variables: str) -> str:
        (tmp_path / "app.py").write_text(PROGRAM)
        quick = {
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            OTLP + "TIMEOUT": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", *command],
            env={**os.environ, **quick, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert done.stdout
        return (done.stdout + done.stderr).lower()

    return printed


@pytest.fixture
def refusing() -> Any:
    """A server that answers every request with 401; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response_only(401)
            self.send_header("content-length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


PROGRAM_RUN = ("--", sys.executable, "app.py")
WAYS = {"text": ("doctor", "--send"), "json": ("doctor", "--json", "--send", *PROGRAM_RUN)}


@pytest.mark.process
class TestDoctor:
    """Findings as text and as JSON, of a test span, and of a program."""

    @pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
    @pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
    def test_headers(self, printed, refusing, header, way):
        """Well-formed or not: the exporter's library, requests and the log of OpenTelemetry quote some of them."""
        output = printed(*way, **HTTP, **DIRECT, **{OTLP + "ENDPOINT": f"http://{refusing}", OTLP + "HEADERS": header})

        assert PLANTED not in output

    @pytest.mark.parametrize("header", [HEADERS["line break"], HEADERS["colon"]], ids=["line break", "colon"])
    def test_headers_over_grpc(self, printed, receiver, header):
        """The same."""
        output = printed(
            "doctor", *PROGRAM_RUN, **GRPC, **DIRECT, **{OTLP + "ENDPOINT": receiver.grpc_url, OTLP + "HEADERS": header}
        )

        assert PLANTED not in output

    @pytest.mark.parametrize("protocol", [HTTP, GRPC], ids=["http", "grpc"])
    @pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS)
    def test_endpoints(self, printed, endpoint, protocol):
        """Nothing listens there, which is when the exporter logs its URL."""
        address = f"127.0.0.1:{closed_port()}"
        variables = {**protocol, **DIRECT, OTLP + "ENDPOINT": endpoint.format(at=address)}
        output = printed("doctor", "--send", *PROGRAM_RUN, **variables)

        assert PLANTED not in output

    @pytest.mark.parametrize("proxy", PROXIES.values(), ids=PROXIES)
    def test_proxies(self, printed, proxy):
        """Which stand between the exporter and its server."""
        url = proxy.format(port=closed_port())
        proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), url)
        variables = {
            **HTTP,
            **proxies,
            "NO_PROXY": "",
            "no_proxy": "",
            OTLP + "ENDPOINT": "http://collector.invalid:4318",
        }
        output = printed("doctor", "--send", *PROGRAM_RUN, **variables)

        assert PLANTED not in output

    @pytest.mark.parametrize("command", [("doctor",), ("doctor", "--json"), ("config",), ("config", "--json")], ids=str)
    def test_settings(self, printed, command):
        """Those of this package that are secret."""
        endpoint = {OTLP + "ENDPOINT": f"http://127.0.0.1:{closed_port()}"}

        assert PLANTED not in printed(*command, **SETTINGS, **DIRECT, **HTTP, **endpoint)

    def test_something_was_logged(self, printed, receiver):
        """That a header could not be read is reported of the program, without the text."""
        output = printed(
            "doctor", *PROGRAM_RUN, **HTTP, **{OTLP + "ENDPOINT": receiver.http_url, OTLP + "HEADERS": HEADERS["colon"]}
        )

        assert "in the program, opentelemetry.util.re logged: a header of the exporter that it cannot read;" in output


@pytest.mark.parametrize("name", ["why", "error", "message"])
def test_the_text_of_an_exception(monkeypatch, name):
    """Whatever it quotes of the environment, in whichever spelling."""
    monkeypatch.setenv(OTLP + "HEADERS", "authorization=Bearer%20Mango%20Tree%0Axyz,x-team=Mang")
    monkeypatch.setenv(OTLP + "TRACES_ENDPOINT", "http://MangoUser:MangoPass@h/MangoPath?key=MangoQuery")
    monkeypatch.setenv("https_proxy", "http://Mangosteen@proxy:1")
    texts = (
        "Invalid header value b'Bearer Mango Tree\\nxyz'",
        repr({"x": "Bearer Mango Tree\nxyz"}),
        json.dumps("Mango Tree\nxyz"),
        "Mang and Mangosteen",
        "Max retries exceeded with url: /MangoPath?key=MangoQuery (MangoUser:MangoPass@h)",
    )
    code = {"why": "span.failed", "error": "program.start_failed", "message": "program.logged"}[name]
    findings = [found(code, **{"logger": "x", name: text}) for text in texts]

    assert [] == [finding.what for finding in findings if "Mang" in finding.what or "xyz" in finding.what]
    assert [] == [finding.what for finding in findings if "[secrets]" not in finding.what]


def test_the_declarative_file(monkeypatch, tmp_path):
    """Its headers and endpoints count as those of the variables."""
    path = tmp_path / "otel.json"
    exporter = {
        "endpoint": "http://MangoUser:MangoPass@h/MangoPath",
        "headers": [{"name": "x", "value": "MangoHeader"}],
        "headers_list": "y=MangoList",
    }
    tree = {"tracer_provider": {"processors": [{"batch": {"exporter": {"otlp_http": exporter}}}]}}
    path.write_text(json.dumps(tree))
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))

    assert {"MangoPass", "MangoPath", "MangoHeader", "MangoList"} <= set(of_environment())
