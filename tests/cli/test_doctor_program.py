"""`opentelemetry-genai doctor -- python app.py`: what became of the calls of a program; and the test span."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopback import Json, Sse, closed_port
from loopback.openai_bodies import MODEL, chunks, completion
from opentelemetry_instrumentation_genai.cli.doctor import program
from opentelemetry_instrumentation_genai.cli.doctor.finding import Finding

pytestmark = pytest.mark.process

CALL = f"""
from openai import OpenAI

client = OpenAI(max_retries=0)
print(client.chat.completions.create(model="{MODEL}", messages=[dict(role="user", content="Hi")]).choices[0].message.content)
"""
INSTRUMENT = str(Path(sys.executable).with_name("opentelemetry-instrument"))


@pytest.fixture
def replies(server, monkeypatch) -> None:
    """The model server answers calls; an application finds it by these variables, and its provider is declared."""
    server.reply_always(Json(completion()))
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_HOST_PROVIDERS", "127.0.0.1=vllm")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")


@pytest.fixture
def exporting(receiver, monkeypatch) -> None:
    """Everything is exported to the receiver."""
    for name, value in receiver.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def run(tmp_path, monkeypatch) -> Callable[..., dict[str, Finding]]:
    """Runs a program, and returns what is found of it by code."""

    def run(source: str, *before: str, python: tuple[str, ...] = (sys.executable,)) -> dict[str, Finding]:
        (tmp_path / "app.py").write_text(source, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        result = program.run([*before, *python, "app.py"], quiet=True)
        assert [] == [path for path in tmp_path.iterdir() if path.name not in ("app.py", "__pycache__")]
        return {finding.code: finding for finding in program.check(result)}

    return run


def sentences(findings: dict[str, Finding]) -> list[str]:
    """What they say."""
    return [finding.what for finding in findings.values()]


@pytest.mark.parametrize("before", [(), (INSTRUMENT,), (INSTRUMENT, "--service_name", "chat")], ids=len)
def test_a_call_that_is_exported(run, replies, exporting, receiver, before):
    """Started by `opentelemetry-instrument` or not: the call, its span, and that it was exported."""
    findings = run(CALL, *before)

    assert [
        "The program ended with status 0.",
        "openai was imported; its calls: 1.",
        "Spans that ended: 1 of this package, 0 of others; exported: 1.",
        "Metrics of this package, exported by OTLPMetricExporter: 2 (gen_ai.client.operation.duration, gen_ai.client.token.usage).",
        "No event and no log record was emitted; OTLPLogExporter would export them.",
    ] == sentences(findings)
    assert [f"chat {MODEL}"] == [span["name"] for span in receiver.spans]


def test_imported_and_not_called(run, replies, exporting):
    """It is a warning."""
    findings = run("import openai")

    assert "openai was imported, and 0 calls were made by it." == findings["program.no_calls"].what


def test_nothing_is_imported(run, exporting):
    """Neither an SDK nor another."""
    assert {"program.ended", "program.no_import"} == run("print(1)").keys()


def test_the_endpoint_refuses(run, replies, exporting, monkeypatch):
    """The spans that could not be exported are counted, and what OpenTelemetry logged is said."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    findings = run(CALL)

    assert "Spans that could not be exported: 1." == findings["program.failed"].what
    assert findings["program.logged"].what.startswith("In the program, opentelemetry.")


def test_the_sdk_does_not_start(run, replies, exporting, monkeypatch):
    """A protocol that is none: the reason in a sentence, where a traceback stands otherwise."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http")
    findings = run(CALL)

    assert (
        "OpenTelemetry did not start in the program: RuntimeError: Unsupported OTLP protocol 'http' is configured."
        == findings["program.start_failed"].what
    )
    assert "openai was imported, and is not patched: its calls are not recorded." == findings["program.unpatched"].what


def test_no_sdk_is_set_up(run, replies, exporting, monkeypatch):
    """`OTEL_PYTHON_CONFIGURATOR` names none: the provider is that of the API."""
    monkeypatch.setenv("OTEL_PYTHON_CONFIGURATOR", "none")
    findings = run(CALL)

    assert (
        "The program has set up no OpenTelemetry SDK (ProxyTracerProvider): nothing is exported."
        == findings["program.no_sdk"].what
    )
    assert "Calls were made (1), and no span of this package ended." == findings["program.no_spans"].what


def test_no_exporter(run, replies, exporting, monkeypatch):
    """The spans end, and nobody exports them."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")

    assert "Spans that ended and were given to no exporter: 1." == run(CALL)["program.lost"].what


def test_a_provider_of_the_program(run, replies, exporting, receiver, monkeypatch):
    """One that it makes itself and gives to `instrument()` counts as well."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "genai_openai")
    source = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
"""
    findings = run(source + CALL)

    assert "Spans that ended: 1 of this package, 0 of others; exported: 1." == findings["program.spans"].what


class TestMetricsAndLogs:
    """What is said of the two other signals."""

    @pytest.mark.parametrize("before", [(), (INSTRUMENT,)], ids=len)
    @pytest.mark.usefixtures("replies", "exporting")
    def test_events(self, run, receiver, monkeypatch, before):
        """They are counted as those of this package, and so is what the exporter took; log records of others apart."""
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true")
        monkeypatch.setenv("OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED", "true")
        other = "import logging; logging.getLogger('mine').warning('x')"
        findings = run(f"{CALL}\n{other}", *before)

        assert (
            "Log records: 1 of this package, which are its events, 1 of others; exported by OTLPLogExporter: 2."
            == findings["program.logs"].what
        )
        assert len(receiver.logs) == 2

    def test_no_exporters(self, run, replies, exporting, monkeypatch):
        """The providers are there, and nobody reads them."""
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
        findings = run(CALL)

        assert (
            "No reader is set up for metrics in the program: they go nowhere."
            == findings["program.metrics_no_reader"].what
        )
        assert "export OTEL_METRICS_EXPORTER=otlp" in findings["program.metrics_no_reader"].todo
        assert (
            "No processor is set up for logs in the program: events go nowhere."
            == findings["program.logs_no_processor"].what
        )

    def test_the_endpoint_refuses(self, run, replies, exporting, monkeypatch):
        """Exports that failed are a problem each."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{closed_port()}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true")
        findings = run(CALL)

        assert findings["program.metrics_failed"].what == "Exports of metrics that failed: 1."
        assert findings["program.logs_failed"].what == "Log records that could not be exported: 1."
        assert {"program.metrics", "program.no_metrics"}.isdisjoint(findings)

    def test_only_traces_are_set_up(self, run, replies, exporting, monkeypatch):
        """A program that sets OpenTelemetry up itself, and forgets the two others."""
        monkeypatch.setenv("OTEL_PYTHON_CONFIGURATOR", "none")
        source = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
"""
        findings = run(source + CALL)

        assert (
            "The program has set up no OpenTelemetry SDK for metrics (_ProxyMeterProvider): there are none."
            == findings["program.metrics_no_sdk"].what
        )
        assert (
            "The program has set up no OpenTelemetry SDK for logs (ProxyLoggerProvider): there are no events."
            == findings["program.logs_no_sdk"].what
        )

    def test_a_reader_that_is_asked(self, run, replies, exporting, monkeypatch):
        """One that exports nothing by itself is named; another provider than the one of the calls has no metrics of ours."""
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        source = """
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

kept = MeterProvider([InMemoryMetricReader(), PeriodicExportingMetricReader(OTLPMetricExporter())])
"""
        findings = run(source + CALL)

        assert findings["program.metrics_read"].what.startswith("Metrics are read by InMemoryMetricReader: ")
        assert findings["program.no_metrics"].what == "Calls were made (1), and no metric of this package was exported."


def test_a_stream_that_is_left_open_is_ended_at_exit(run, replies, exporting):
    """A span that the application never ends is counted."""
    source = "from opentelemetry import trace; span = trace.get_tracer('mine').start_span('open')"

    assert "Spans that were started and not ended: 1." == run(source)["program.open"].what


@pytest.mark.parametrize(
    "ending", ["import os; os._exit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_a_program_that_ends_at_once(run, replies, exporting, ending):
    """What runs at exit does not run: spans are lost."""
    finding = run(f"{CALL}\n{ending}")["program.killed"]

    assert finding.what.startswith("The program ended without what runs at exit (status ")
    assert "force_flush()" in finding.todo


def test_calls_that_go_by_an_http_client(run, exporting):
    """A host of a provider that is looked up, and no call of an SDK."""
    source = '''
import socket, urllib.request

def numeric(*arguments, look_up=socket.getaddrinfo):
    """Only the names of addresses are known here: nothing leaves this machine."""
    return look_up(*arguments[:2], 0, 0, 0, socket.AI_NUMERICHOST)

socket.getaddrinfo = numeric
try:
    urllib.request.urlopen("http://api.mistral.ai/v1/chat/completions", timeout=1)
except OSError:
    pass
'''
    finding = run(source)["program.direct"]

    assert (
        "The program connected to api.mistral.ai, and no call of an SDK was recorded: it seems to make its calls with urllib.request itself."
        == finding.what
    )


def test_an_sdk_that_is_not_instrumented(run, exporting, tmp_path):
    """It is named."""
    source = "import sys, types; sys.modules['cohere'] = types.ModuleType('cohere')"

    assert "cohere is imported, which this package does not instrument." == run(source)["program.uninstrumented"].what


def test_a_program_that_fails(run, exporting):
    """Its own error comes first."""
    findings = run("import sys; sys.exit(2)")

    assert "The program ended with status 2, which stands for an error." == findings["program.status"].what


def test_a_stream_without_tokens(run, replies, exporting, server):
    """The server was not asked for them; with the setting that asks, nothing is said."""
    server.reply_always(Sse(chunks("Hel", "lo")))
    source = CALL.replace("print(", "for _ in ").replace("])" + ".choices[0].message.content)", "], stream=True): pass")
    findings = run(source)

    assert findings["program.streams"].what.startswith("Streams that ended without token counts: 1.")
    assert "OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE=inject" in findings["program.streams"].todo


def test_a_server_of_ones_own(run, replies, exporting, server, monkeypatch):
    """It is recorded as openai until its provider is declared."""
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_HOST_PROVIDERS")
    port = server.url.rpartition(":")[2]

    finding = run(CALL)["program.provider"]

    assert (
        f"The server 127.0.0.1:{port} is no known one, and is recorded as the provider openai, by its SDK."
        == finding.what
    )
    assert f"export OTEL_INSTRUMENTATION_GENAI_HOST_PROVIDERS=127.0.0.1:{port}=vllm" in finding.todo


def test_no_python(run, exporting, monkeypatch, tmp_path):
    """A program in another language, and a Python that ignores the environment."""
    monkeypatch.chdir(tmp_path)

    assert ["program.no_python"] == [each.code for each in program.check(program.run(["true"]))]
    assert {"program.no_python"} == run("print(1)", python=(sys.executable, "-I")).keys()


def test_a_python_without_this_package(run, exporting, tmp_path, monkeypatch):
    """It is named, with what is missing there."""
    monkeypatch.chdir(tmp_path)
    hidden = tmp_path / "opentelemetry_instrumentation_genai.py"
    hidden.write_text("raise ImportError('not here')")
    result = program.run([sys.executable, "-c", ""], quiet=True)

    (finding,) = program.check(result)

    assert f"The program runs {sys.executable}, for which this package is not installed: not here." == finding.what


def test_a_command_that_does_not_exist():
    """It is said, and nothing raises."""
    (finding,) = program.check(program.run(["no-such-command"]))

    assert "The program was not started: no-such-command: No such file or directory." == finding.what


def test_processes_of_the_program_are_counted(run, replies, exporting):
    """A child that is started anew is looked into, too."""
    source = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {CALL!r}], check=True)
{CALL}
"""
    findings = run(source)

    assert "openai was imported; its calls: 2." == findings["program.calls"].what


class TestSpan:
    """The test span."""

    def test_it_arrives(self, exporting, receiver):
        """With the id that is said."""
        (finding,) = program.check_span()

        assert f"A test span was exported: its trace is {receiver.spans[0]['trace_id']}." == finding.what
        assert ["opentelemetry-genai doctor"] == [span["name"] for span in receiver.spans]

    def test_it_does_not_arrive(self, exporting, monkeypatch):
        """It is said why."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{closed_port()}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")

        (finding,) = program.check_span()

        assert finding.what.startswith("The test span was not exported: ")
        # What OpenTelemetry logs of it; a connection is refused at once, or tried again until there is no time left.
        assert any(words in finding.what for words in ("Failed to export", "Exception while exporting"))

    def test_it_is_not_sampled(self, exporting, monkeypatch):
        """By the sampler of the environment."""
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

        (finding,) = program.check_span()

        assert "The test span was not exported: it was not sampled, or there is no exporter." == finding.what


def test_the_whole_command(replies, exporting, receiver, tmp_path, monkeypatch):
    """As typed: what the program prints stays on stdout, the findings follow; as JSON it goes to stderr."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "genai_anthropic,genai_bedrock")
    (tmp_path / "app.py").write_text(CALL, encoding="utf-8")
    command = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "doctor"]
    program_command = ["--", sys.executable, "app.py"]

    text, as_json = (
        subprocess.run(
            [*command, *options, *program_command],
            cwd=tmp_path,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for options in ([], ["--send", "--json"])
    )

    assert (0, 0) == (text.returncode, as_json.returncode), text.stdout + text.stderr + as_json.stdout
    lines = text.stdout.splitlines()
    assert lines.index("Hello") < lines.index("  ok       openai was imported; its calls: 1.")
    findings: list[dict[str, Any]] = json.loads(as_json.stdout)["findings"]
    assert "Hello" in as_json.stderr
    assert {"span.sent", "program.calls", "program.spans"} <= {finding["code"] for finding in findings}
