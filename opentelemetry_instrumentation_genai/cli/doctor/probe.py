"""What the doctor runs within the user's program: it counts calls, spans and their exports, and writes them to a file at exit.

It gets in by a folder on PYTHONPATH, which the doctor makes: a `sitecustomize` there starts it, or an entry point of
`opentelemetry_pre_instrument` there where the program is started by `opentelemetry-instrument`. Nothing of this package looks for it.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import _logs, metrics, trace

import opentelemetry_instrumentation_genai as package

from ..._conventions import names
from ..._conventions.scope import SCOPE_NAME
from ..._masking.masking import masked
from ..._patching.seam import Scope
from .headers import READER
from .probe_connections import connections
from .probe_signals import Metrics, Records, flush
from .program_folder import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..._patching.instrumentor import GenAIInstrumentor

_MOST = 50  # log lines, and servers
_UNKNOWN_SDKS = (
    "cohere",
    "mistralai",
    "huggingface_hub",
    "vertexai",
    "google.generativeai",
    "xai_sdk",
    "replicate",
    "ai21",
    "zhipuai",
    "dashscope",
)


class Probe(logging.Handler):
    """The counts of one process.

    Args:
        folder: where the report is written.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(logging.WARNING)
        self._folder = folder
        self._pid = os.getpid()
        self.started: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.calls: Counter[int] = Counter()
        self.exported = self.refused = 0
        self.streams: int = 0
        self.servers: set[tuple[str, str, int]] = set()
        self.trace: str = ""
        self.error = ""
        self.logs: list[list[str]] = []
        self.hosts: dict[str, str] = {}
        self.metrics: Metrics = Metrics()
        self.records: Records = Records()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning of OpenTelemetry."""
        if record.name == READER:
            line = [
                record.name,
                "a header of the exporter that it cannot read; its text is not shown, since the value is in it",
            ]
        else:
            line = [record.name, masked(record.getMessage())]
        if record.exc_info and record.exc_info[1] is not None:
            line[1] += f" ({type(record.exc_info[1]).__name__}: {masked(str(record.exc_info[1]))})"
        if line not in self.logs and len(self.logs) < _MOST:
            self.logs.append(line)

    # Of OpenTelemetry's `SpanProcessor`, a class that is not imported before the program does it.
    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Count a span that starts."""
        self.started[_scope(span)] += 1

    def _on_ending(self, span: Any) -> None:
        """Do nothing."""

    def on_end(self, span: Any) -> None:
        """Count a span that has ended."""
        self.ended[_scope(span)] += 1
        if _scope(span) == SCOPE_NAME:
            self._read(span.attributes or {})
        self.trace = f"{span.context.trace_id:032x}"

    def _read(self, attributes: Mapping[str, Any]) -> None:
        """Keep what surprises in a span of ours: a stream without tokens, and which servers have which provider."""
        answered = attributes.get(names.RESPONSE_MODEL) is not None
        if attributes.get(names.REQUEST_STREAM) and answered and names.USAGE_OUTPUT_TOKENS not in attributes:
            self.streams += 1
        provider, host = attributes.get(names.PROVIDER_NAME), attributes.get(names.SERVER_ADDRESS)
        if provider and host and len(self.servers) < _MOST:
            self.servers.add((str(provider), str(host), int(attributes.get(names.SERVER_PORT) or 443)))

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, _timeout_millis: int = 30000) -> bool:
        """Do nothing."""
        return True

    def watch(self, processor: Any) -> None:
        """Count what the exporter of a span processor exports."""
        exporter = getattr(processor, "span_exporter", None)
        if exporter is None or "export" in vars(exporter):
            return
        export: Callable[[Any], Any] = exporter.export

        def counting(spans: Any) -> Any:
            number = len(spans)
            try:
                result = export(spans)
            except BaseException:
                self.refused += number
                raise
            if getattr(result, "name", "") == "SUCCESS":
                self.exported += number
            else:
                self.refused += number
            return result

        exporter.export = counting

    def report(self) -> None:
        """Write what was counted. A child of a fork has the parent's counts, and writes nothing."""
        if os.getpid() != self._pid:
            return
        provider = trace.get_tracer_provider()
        counts = {
            "executable": sys.executable,
            "error": self.error,
            "provider": type(provider).__name__,
            "provider_module": type(provider).__module__,
            "instrumentors": [self._instrumentor(kind) for kind in _kinds()],
            "started": dict(self.started),
            "ended": dict(self.ended),
            "ours": self.ended[SCOPE_NAME],
            "exported": self.exported,
            "refused": self.refused,
            "streams": self.streams,
            "servers": sorted(self.servers),
            "trace": self.trace,
            "metrics": self.metrics.report(),
            "records": self.records.report(),
            "logged": self.logs,
            "hosts": self.hosts,
            "uninstrumented": [name for name in _UNKNOWN_SDKS if name in sys.modules],
        }
        Path(self._folder, f"{self._pid}.json").write_text(json.dumps(counts), encoding="utf-8")

    def _instrumentor(self, kind: type[GenAIInstrumentor]) -> dict[str, Any]:
        """Return what is true of one SDK; its instrumentor may not have been started."""
        instance = vars(kind).get("_instance")
        seam = getattr(instance, "_seam", None)
        return {
            "sdk": kind.sdk,
            "imported": kind.module in sys.modules,
            "patched": seam is not None,
            "calls": self.calls[id(seam)] if hasattr(seam, "begin") else None,
        }


def _kinds() -> list[type[GenAIInstrumentor]]:
    """Return the classes of all instrumentors. No SDK is imported for it."""
    return [getattr(package, name) for name in package.__all__ if name.endswith("Instrumentor")]


def _scope(span: Any) -> str:
    scope = getattr(span, "instrumentation_scope", None)
    return str(getattr(scope, "name", ""))


def start(folder: str) -> None:
    """Start the probe as `sitecustomize`, and then OpenTelemetry, as `opentelemetry-instrument` does."""
    probe = Probe(folder)
    atexit.register(_safely, probe.report)  # runs after what OpenTelemetry registers later: the last exports count
    _count(probe)
    from opentelemetry.instrumentation.auto_instrumentation import initialize

    try:
        initialize(swallow_exceptions=False)
    except Exception as error:  # noqa: BLE001 - as `opentelemetry-instrument`, which logs it and goes on
        probe.error = f"{type(error).__name__}: {masked(str(error))}"


def start_late() -> None:
    """Start the probe as an entry point, when OpenTelemetry has its providers. It flushes them, since its exit comes before theirs."""
    if any(isinstance(handler, Probe) for handler in logging.getLogger(SCOPE_NAME).handlers):  # as `sitecustomize`
        return
    folder = next(path for path in sys.path if Path(path, MARK).exists())
    probe = Probe(folder)
    provider: Any = trace.get_tracer_provider()

    def flush_and_report() -> None:
        if hasattr(provider, "force_flush"):
            with suppress(Exception):
                provider.force_flush()
        flush()
        probe.report()

    atexit.register(_safely, flush_and_report)
    _count(probe)
    _add(probe, provider)
    with suppress(Exception):
        probe.metrics.watch(metrics.get_meter_provider())
        probe.records.add(_logs.get_logger_provider())


def _safely(step: Callable[[], None]) -> None:
    with suppress(Exception):
        step()


def _count(probe: Probe) -> None:
    """Count what happens from now on: in providers, SDKs, logs and connections."""
    for name in ("opentelemetry", SCOPE_NAME):
        logging.getLogger(name).addHandler(probe)
    _count_calls(probe)
    _count_spans(probe)
    probe.metrics.count()
    probe.records.count()
    sys.addaudithook(connections(probe.hosts))


def _count_calls(probe: Probe) -> None:
    """Count the calls of each SDK: each begins with a `Scope` of its seam."""
    original = Scope.__init__

    def counting(self: Scope, seam: Any, *others: Any) -> None:
        probe.calls[id(seam)] += 1
        original(self, seam, *others)

    cast("Any", Scope).__init__ = counting


def _count_spans(probe: Probe) -> None:
    """Count the spans of each provider that is made from now on."""
    try:
        from opentelemetry.sdk.trace import TracerProvider
    except ImportError:
        return
    kind = cast("Any", TracerProvider)
    make, add = kind.__init__, kind.add_span_processor

    def making(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        with suppress(Exception):
            add(self, probe)

    def adding(self: Any, processor: Any) -> None:
        with suppress(Exception):
            probe.watch(processor)
        add(self, processor)

    kind.__init__, kind.add_span_processor = making, adding


def _add(probe: Probe, provider: Any) -> None:
    """Count the spans of a provider that is there already."""
    active = getattr(provider, "_active_span_processor", None)
    for processor in getattr(active, "_span_processors", ()):
        probe.watch(processor)
    if hasattr(provider, "add_span_processor"):
        provider.add_span_processor(probe)
