"""What a call costs of bytes and series, measured: real calls of the SDK, and what the exporters of OpenTelemetry make of them.

`python deploy/local/measure.py` writes `sizes.json`, which the calculator has, and its table in docs/scale.md.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai import AsyncOpenAI, NotFoundError
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import opentelemetry_instrumentation_genai
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai.cli.demo.server.loopback import serve
from opentelemetry_instrumentation_genai.cli.demo.server.model_server import model_server
from opentelemetry_instrumentation_genai.cli.demo.server.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = Path(__file__).with_name("sizes.json")
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
_PRICES = Path(opentelemetry_instrumentation_genai.__file__).parent / "cli" / "demo" / "prices.json"
_MODEL = "gpt-4.1-mini"
_CALLS = 40  # of which every fourth is a stream
_SHORT, _LONG = 100, 4100  # characters of the question


class Recorded:
    """The telemetry of some calls, as OTLP has it.

    Attributes:
        spans: the message of all spans.
        logs: the message of all events.
        metrics: the message of the metrics, once.
    """

    def __init__(self, url: str, *, length: int = _SHORT, failing: int = 0, **settings: Any) -> None:
        spans, logs, reader = InMemorySpanExporter(), InMemoryLogRecordExporter(), InMemoryMetricReader()
        tracing, logging, meters = TracerProvider(), LoggerProvider(), MeterProvider([reader])
        tracing.add_span_processor(SimpleSpanProcessor(spans))
        logging.add_log_record_processor(SimpleLogRecordProcessor(logs))
        instrumentor = OpenAIInstrumentor()
        providers = {"tracer_provider": tracing, "logger_provider": logging, "meter_provider": meters}
        instrumentor.instrument(**providers, emit_event=True, prices=f"file:{_PRICES}", **settings)
        try:
            asyncio.run(_call(url, length, failing))
        finally:
            instrumentor.uninstrument()
        read = reader.get_metrics_data()
        assert read is not None
        self.spans = encode_spans(spans.get_finished_spans())
        self.logs = encode_logs(logs.get_finished_logs())
        self.metrics = encode_metrics(read)

    def series(self) -> Counter[str]:
        """Return how many series Prometheus has of each metric: of a histogram, one for each bucket, its sum and its count."""
        counted: Counter[str] = Counter()
        for metric in self._metrics():
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                counted[metric.name] += len(point.bucket_counts) + 2 if hasattr(point, "bucket_counts") else 1
        return counted

    def _metrics(self) -> Iterator[Any]:
        for resource in self.metrics.resource_metrics:
            for scope in resource.scope_metrics:
                yield from scope.metrics


async def _call(url: str, length: int, failing: int) -> None:
    """Make the calls, one after the other; the last ones are to a model that there is not."""
    question = ("What should we pack for a weekend by train in May, if it may rain? " * (length // 60 + 1))[:length]
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="not-a-key", max_retries=0) as client:
        messages: Any = [{"role": "user", "content": question}]
        for number in range(_CALLS):
            if number % 4:
                await client.chat.completions.create(model=_MODEL, messages=messages)
                continue
            options: Any = {"stream": True, "stream_options": {"include_usage": True}}
            async for _ in await client.chat.completions.create(model=_MODEL, messages=messages, **options):
                pass
        for _ in range(failing):
            try:
                await client.chat.completions.create(model="missing", messages=messages)
            except NotFoundError:
                continue


def measure() -> dict[str, Any]:
    """Return what was measured: bytes of a call in each signal, and series of a model in each setting."""
    with serve(model_server(Tally())) as url:
        plain = Recorded(url)
        short = Recorded(url, capture_message_content="span_and_event")
        long = Recorded(url, length=_LONG, capture_message_content="span_and_event")
        failed = Recorded(url, failing=4)
        extended = Recorded(url, metrics="extended")
        latest = Recorded(url, semconv_stability_opt_in="gen_ai_latest_experimental")

    def each(message: Any) -> int:
        return round(message.ByteSize() / _CALLS)

    def growth(signal: str) -> int:
        return round(
            (getattr(long, signal).ByteSize() - getattr(short, signal).ByteSize()) / _CALLS / (_LONG - _SHORT) * 1000
        )

    def error(signal: str) -> int:
        return round((getattr(failed, signal).ByteSize() - getattr(plain, signal).ByteSize()) / 4)

    series, points = plain.series(), plain.metrics.ByteSize()
    one = sum((failed.series() - series).values())
    return {
        "span": {
            "without": each(plain.spans),
            "with": each(short.spans),
            "thousand": growth("spans"),
            "failed": error("spans"),
        },
        "event": {
            "without": each(plain.logs),
            "with": each(short.logs),
            "thousand": growth("logs"),
            "failed": error("logs"),
        },
        "gzip": {
            "spans": _compressed(plain.spans),
            "logs": _compressed(plain.logs),
            "metrics": _compressed(plain.metrics),
        },
        "export": {"bytes": points, "series": sum(series.values())},
        "series": {"model": sum(series.values()), "error": one, "by metric": dict(sorted(series.items()))},
        "more": {
            "extended": sum(extended.series().values()) - sum(series.values()),
            "latest": sum(latest.series().values()),
        },
    }


def _compressed(message: Any) -> float:
    """Return what is left of a batch by gzip, as a share."""
    plain = message.SerializeToString()
    return round(len(gzip.compress(plain)) / len(plain), 2)


def table(sizes: dict[str, Any]) -> str:
    """Return the table of docs/scale.md."""
    rows = [
        (
            "signal",
            "a call, without content",
            "with short content",
            "each 1,000 characters more",
            "a call that fails",
            "gzip leaves",
        ),
        *(
            (
                f"{name} of the plugin",
                *(f"{sizes[name][column]:,} B" for column in ("without", "with", "thousand", "failed")),
                f"{sizes['gzip'][signal]:.0%}",
            )
            for name, signal in (("span", "spans"), ("event", "logs"))
        ),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, and write the file and the table; return the exit status."""
    from calculator import series_table, table as examples, write

    sizes = measure()
    SIZES.write_text(json.dumps(sizes, indent=2) + "\n", encoding="utf-8")
    write(PAGE, {"bytes": table(sizes), "examples": examples(sizes), "series": series_table(sizes)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
