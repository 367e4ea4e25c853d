"""The findings of a test span and of a program that was run; `catalogue` has the others."""

from __future__ import annotations

from .row import Row

PROGRAM: dict[str, Row] = {
    # Test span
    "span.not_sent": Row(
        "info", "No test span was sent.", "opentelemetry-genai doctor --send exports one over your configuration."
    ),
    "span.sent": Row("ok", "A test span was exported: its trace is {trace}.", "Look for it in your backend."),
    "span.failed": Row("problem", "The test span was not exported: {why}.", "What is reported above says why."),
    # The program
    "program.not_found": Row("problem", "The program was not started: {error}.", "Look at the command after --."),
    "program.no_python": Row(
        "problem",
        "No Python process was seen in the program.",
        "The command has to start Python, and not with -I, -E or -S, by which PYTHONPATH is ignored.",
    ),
    "program.other_python": Row(
        "problem",
        "The program runs {executable}, for which this package is not installed: {error}.",
        "Install opentelemetry-instrumentation-genai there, and run the doctor from there.",
    ),
    "program.ended": Row("info", "The program ended with status {status}."),
    "program.status": Row(
        "warning",
        "The program ended with status {status}, which stands for an error.",
        "What it wrote says why. What follows is about as far as it came.",
    ),
    "program.killed": Row(
        "problem",
        "The program ended without what runs at exit (status {status}): spans that waited for export are lost.",
        "Let it end by returning from its main module, not by os._exit or a signal, or call force_flush() of the provider before.",
    ),
    "program.start_failed": Row(
        "problem", "OpenTelemetry did not start in the program: {error}.", "What is reported above says why."
    ),
    "program.no_sdk": Row(
        "problem",
        "The program has set up no OpenTelemetry SDK ({provider}): nothing is exported.",
        "Start it as opentelemetry-instrument python app.py, with opentelemetry-distro installed.",
    ),
    "program.calls": Row("ok", "{sdk} was imported; its calls: {calls}."),
    "program.operations": Row("ok", "{sdk} was imported and is patched."),
    "program.no_calls": Row(
        "warning",
        "{sdk} was imported, and 0 calls were made by it.",
        "If it is used, the calls go another way: a framework with its own HTTP client, or another process.",
    ),
    "program.unpatched": Row(
        "problem",
        "{sdk} was imported, and is not patched: its calls are not recorded.",
        "What is reported above of {sdk} says why.",
    ),
    "program.no_import": Row(
        "warning",
        "The program imported no SDK that is instrumented.",
        "Run it so that it makes a call, with one of the SDKs that are named above.",
    ),
    "program.direct": Row(
        "warning",
        "The program connected to {hosts}, and no call of an SDK was recorded: it seems to make its calls with {clients} itself.",
        "Use an SDK that is instrumented, or record the operation in code: invoke_agent, step and others of this package.",
    ),
    "program.uninstrumented": Row(
        "info",
        "{names} is imported, which this package does not instrument.",
        "Calls that it makes by an instrumented SDK are recorded; others are not.",
    ),
    "program.spans": Row("ok", "Spans that ended: {ours} of this package, {others} of others; exported: {exported}."),
    "program.no_spans": Row(
        "problem",
        "Calls were made ({calls}), and no span of this package ended.",
        "Look at the sampler, at other instrumentations, and at OTEL_SDK_DISABLED.",
    ),
    "program.failed": Row(
        "problem", "Spans that could not be exported: {failed}.", "What is reported above of the endpoint says why."
    ),
    "program.lost": Row(
        "problem",
        "Spans that ended and were given to no exporter: {lost}.",
        "The provider has no exporter, or the program ended too early: call force_flush() of the provider.",
    ),
    "program.open": Row(
        "warning",
        "Spans that were started and not ended: {open}.",
        "A stream that is never read or closed leaves its span open.",
    ),
    # Metrics and log records
    "program.metrics": Row("ok", "Metrics of this package, exported by {exporters}: {number} ({names})."),
    "program.no_metrics": Row(
        "problem",
        "Calls were made ({calls}), and no metric of this package was exported.",
        "The provider of the exporter is another than that of instrument(), or the program ended before it was flushed: call its force_flush().",
    ),
    "program.metrics_read": Row(
        "info", "Metrics are read by {readers}: they are sent nowhere, and are there for what asks for them."
    ),
    "program.metrics_failed": Row(
        "problem", "Exports of metrics that failed: {failed}.", "What is reported above of the endpoint says why."
    ),
    "program.metrics_no_sdk": Row(
        "warning",
        "The program has set up no OpenTelemetry SDK for metrics ({provider}): there are none.",
        "Start it as opentelemetry-instrument python app.py, or set a MeterProvider before the first call.",
    ),
    "program.metrics_no_reader": Row(
        "warning",
        "No reader is set up for metrics in the program: they go nowhere.",
        "export OTEL_METRICS_EXPORTER=otlp, or give your MeterProvider a metric reader.",
    ),
    "program.logs": Row(
        "ok",
        "Log records: {ours} of this package, which are its events, {others} of others; exported by {exporters}: {exported}.",
    ),
    "program.no_events": Row(
        "info",
        "No event and no log record was emitted; {exporters} would export them.",
        "Events are emitted where messages go to them, or with OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT=true.",
    ),
    "program.logs_failed": Row(
        "problem",
        "Log records that could not be exported: {failed}.",
        "What is reported above of the endpoint says why.",
    ),
    "program.logs_no_sdk": Row(
        "info",
        "The program has set up no OpenTelemetry SDK for logs ({provider}): there are no events.",
        "If you want events, start it as opentelemetry-instrument python app.py, or set a LoggerProvider.",
    ),
    "program.logs_no_processor": Row(
        "info",
        "No processor is set up for logs in the program: events go nowhere.",
        "If you want events: export OTEL_LOGS_EXPORTER=otlp, or give your LoggerProvider a processor.",
    ),
    "program.streams": Row(
        "warning",
        "Streams that ended without token counts: {streams}. The server sends them only if the request asks for them.",
        "export OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE=inject, or pass stream_options={{'include_usage': True}}.",
    ),
    "program.provider": Row(
        "info",
        "The server {host}:{port} is no known one, and is recorded as the provider openai, by its SDK.",
        "If it is another: export OTEL_INSTRUMENTATION_GENAI_HOST_PROVIDERS={host}:{port}=vllm, or as it is called.",
    ),
    "program.logged": Row("warning", "In the program, {logger} logged: {message}"),
}
