"""The line at INFO that says, when an SDK is patched, where its spans go and whether content is recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import openai
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import NoOpTracer

from loopback.processes import run
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

OURS = "opentelemetry_instrumentation_genai"
START = f"openai {openai.__version__} is instrumented; "
NOWHERE = (
    "nothing is exported, since no tracer provider is set so far: start the application by opentelemetry-instrument, "
    "or set up OpenTelemetry's SDK in code"
)
OFF = "prompts are not recorded"
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"


@pytest.fixture
def line(caplog) -> Callable[..., str]:
    """Instruments, and returns the one line that is logged, without what names the SDK."""

    def line(**keywords: Any) -> str:
        with caplog.at_level(logging.INFO, logger=OURS):
            OpenAIInstrumentor().instrument(**keywords)
        OpenAIInstrumentor().uninstrument()
        (record,) = [record for record in caplog.records if record.name == OURS]
        assert logging.INFO == record.levelno
        message = record.getMessage()
        assert message.startswith(START)
        return message.removeprefix(START)

    return line


def provider(*processors: SpanProcessor) -> TracerProvider:
    """A provider with these processors, which nothing is flushed of at exit."""
    made = TracerProvider(shutdown_on_exit=False)
    for processor in processors:
        made.add_span_processor(processor)
    return made


class TestDestination:
    """Where spans go."""

    def test_no_provider(self, line):
        """Instrumented in code, and no SDK of OpenTelemetry set up: that is silent otherwise."""
        assert f"{NOWHERE}; {OFF}." == line()

    def test_an_exporter_with_an_endpoint(self, line):
        """Its name, and scheme, host and port of its endpoint: a user, a path and a query may be credentials."""
        exporter = OTLPSpanExporter(endpoint="http://user:hunter2@127.0.0.1:4318/hunter4/v1/traces?token=hunter3")
        batch = BatchSpanProcessor(exporter)

        found = line(tracer_provider=provider(batch))
        batch.shutdown()

        assert f"spans go to OTLPSpanExporter at http://127.0.0.1:4318; {OFF}." == found

    @pytest.mark.parametrize("exporter", [OTLPSpanExporter, OverGrpc], ids=["http", "grpc"])
    @pytest.mark.parametrize(
        ("endpoint", "shown"),
        [
            ("user:hunter2@127.0.0.1:4317", "127.0.0.1:4317"),
            ("hunter2@127.0.0.1:4317", "127.0.0.1:4317"),
            ("user:hunter2@127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:4317", "127.0.0.1:4317"),
        ],
    )
    def test_an_endpoint_without_scheme(self, line, exporter, endpoint, shown):
        """What is before the host is not shown there either."""
        batch = BatchSpanProcessor(exporter(endpoint=endpoint))

        found = line(tracer_provider=provider(batch))
        batch.shutdown()

        assert f"spans go to OTLPSpanExporter at {shown}; {OFF}." == found

    def test_an_exporter_of_grpc_with_a_user(self, line):
        """It keeps the address alone, with the user in it."""
        batch = BatchSpanProcessor(OverGrpc(endpoint="http://user:hunter2@127.0.0.1:4317"))

        found = line(tracer_provider=provider(batch))
        batch.shutdown()

        assert f"spans go to OTLPSpanExporter at 127.0.0.1:4317; {OFF}." == found

    def test_several_exporters(self, line):
        """All of them."""
        first, second = SimpleSpanProcessor(ConsoleSpanExporter()), SimpleSpanProcessor(ConsoleSpanExporter())

        assert f"spans go to ConsoleSpanExporter, ConsoleSpanExporter; {OFF}." == line(
            tracer_provider=provider(first, second)
        )

    def test_a_provider_without_exporter(self, line):
        """It may get one later."""
        assert f"the tracer provider has no exporter so far; {OFF}." == line(tracer_provider=provider())

    def test_a_processor_of_the_application(self, line):
        """What it does is not known."""
        assert f"spans go to processors of the application; {OFF}." == line(tracer_provider=provider(SpanProcessor()))

    def test_another_provider(self, line):
        """Its name is all that is known."""

        class Theirs:
            def get_tracer(self, *_arguments: Any, **_keywords: Any) -> Any:
                return NoOpTracer()

        assert f"spans go to Theirs; {OFF}." == line(tracer_provider=Theirs())

    def test_the_sdk_is_disabled(self, line, monkeypatch):
        """By its variable."""
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

        assert f"nothing is recorded, since OTEL_SDK_DISABLED is true; {OFF}." == line()


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"capture_message_content": "span_only"}, "prompts are recorded on spans, without redaction"),
        ({"capture_message_content": "event_only"}, "prompts are recorded in events, without redaction"),
        (
            {"capture_message_content": "true", "redact": "email"},
            "prompts are recorded on spans and in events, after redaction",
        ),
        (
            {"capture_message_content": "true", "redactor": lambda part: part},
            "prompts are recorded on spans and in events, after redaction",
        ),
    ],
    ids=["span_only", "event_only", "redact", "redactor"],
)
def test_content(line, keywords, expected):
    """In plain words."""
    assert f"{NOWHERE}; {expected}." == line(**keywords)


def test_content_that_is_refused(line, monkeypatch, caplog):
    """Redaction that is not understood: no content, which the line says as well."""
    monkeypatch.setattr(f"{OURS}._settings.config._warn_refused", lambda *_arguments: None)

    assert f"{NOWHERE}; {OFF}." == line(capture_message_content="true", redact="nonsense")


@pytest.mark.process
def test_under_opentelemetry_instrument(tmp_path, receiver):
    """An application that logs at INFO sees one line for the SDK that it uses, and none for others."""
    program = """
import logging

logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
import openai
"""
    _, logged = run(tmp_path, program, instrumented=True, **receiver.environment())

    where = f"spans go to OTLPSpanExporter at {receiver.http_url}"
    assert [f"{OURS} {START}{where}; {OFF}."] == [line for line in logged if line.startswith(OURS)]


@pytest.mark.process
def test_it_costs_nothing_where_it_is_not_logged(tmp_path):
    """The module that makes it is not imported then."""
    program = f"""
import sys
from {OURS} import OpenAIInstrumentor

OpenAIInstrumentor().instrument()
import openai
print("{OURS}._patching.start_line" in sys.modules)
"""
    assert (["False"], []) == run(tmp_path, program)
