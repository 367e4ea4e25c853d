"""Streams that are lost while OpenTelemetry is at work: the garbage collector may run anywhere, also where locks are held."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider, SimpleFixedSizeExemplarReservoir
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from endings import CHAT, LONGEST
from opentelemetry_instrumentation_genai import OpenAIInstrumentor


class Pitfall:
    """A lock that its own thread cannot take twice, and a collection while it is held.

    Attributes:
        lost: makes a lost stream, which the next collection finds.
        fell: how often it was walked into while there was a stream to find.
    """

    def __init__(self) -> None:
        """Without a stream, it is no pitfall."""
        self.lost: Callable[[], None] | None = None
        self.fell = 0
        self._lock = threading.Lock()

    def walk(self) -> None:
        """Walks into it; TimeoutError where that would be for ever."""
        if not self._lock.acquire(timeout=LONGEST):
            raise TimeoutError("a deadlock")
        try:
            lose, self.lost = self.lost, None
            if lose is not None:
                self.fell += 1
                lose()
                gc.collect()
        finally:
            self._lock.release()


class Processor(SpanProcessor):
    """Walks into it at the start or at the end of a span."""

    def __init__(self, pitfall: Pitfall, at: str) -> None:
        """At "start" or at "end"."""
        self._pitfall = pitfall
        self._at = at

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span starts."""
        if self._at == "start":
            self._pitfall.walk()

    def on_end(self, span: ReadableSpan) -> None:
        """A span ends."""
        if self._at == "end":
            self._pitfall.walk()


class Exporter(InMemorySpanExporter):
    """Walks into it with each export."""

    def __init__(self, pitfall: Pitfall) -> None:
        """Keeps the spans as well."""
        super().__init__()
        self._pitfall = pitfall

    def export(self, spans: Any) -> Any:
        """Spans are exported."""
        self._pitfall.walk()
        return super().export(spans)


class Deciding(Sampler):
    """Walks into it before each span."""

    def __init__(self, pitfall: Pitfall) -> None:
        """Samples everything."""
        self._pitfall = pitfall

    def should_sample(self, *args: Any, **kwargs: Any) -> Any:
        """A span is about to start."""
        self._pitfall.walk()
        return ALWAYS_ON.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        """Its name."""
        return "Deciding"


class Reader(InMemoryMetricReader):
    """Walks into it while metrics are read."""

    def __init__(self, pitfall: Pitfall) -> None:
        """Reads like the one that it is."""
        super().__init__()
        self._pitfall = pitfall

    def _receive_metrics(self, *args: Any, **kwargs: Any) -> None:
        """Metrics arrive."""
        self._pitfall.walk()
        super()._receive_metrics(*args, **kwargs)


class Providers:
    """Tracer and meter providers with a pitfall somewhere in them."""

    def __init__(self, place: str) -> None:
        """See `PLACES`."""
        self.pitfall = Pitfall()
        self.exporter = Exporter(self.pitfall) if "export" in place else InMemorySpanExporter()
        self.reader = Reader(self.pitfall) if place == "metrics are read" else InMemoryMetricReader()
        self.tracers = TracerProvider(
            sampler=Deciding(self.pitfall) if place == "a span is sampled" else ALWAYS_ON, shutdown_on_exit=False
        )
        if place in ("a span starts", "a span ends"):
            self.tracers.add_span_processor(Processor(self.pitfall, place.rpartition(" ")[2].removesuffix("s")))
        batches = place == "a batch is exported"
        self.tracers.add_span_processor((BatchSpanProcessor if batches else SimpleSpanProcessor)(self.exporter))
        self.meters = MeterProvider(
            [self.reader],
            shutdown_on_exit=False,
            exemplar_filter=AlwaysOnExemplarFilter(),
            views=[self._view()] if place == "a metric is recorded" else (),
        )

    def _view(self) -> View:
        """Collects within a measurement, where the SDK itself holds the lock of the aggregation."""
        pitfall = self.pitfall

        class Reservoir(SimpleFixedSizeExemplarReservoir):
            """Walks into it with each measurement."""

            def offer(self, *args: Any, **kwargs: Any) -> None:
                """A value is recorded."""
                pitfall.walk()
                super().offer(*args, **kwargs)

        return View(
            instrument_name="*", exemplar_reservoir_factory=lambda _aggregation: lambda **_settings: Reservoir(size=1)
        )

    def shutdown(self) -> None:
        """Ends their threads."""
        self.tracers.shutdown()
        self.meters.shutdown()


PLACES = [
    "a span is sampled",
    "a span starts",
    "a span ends",
    "a span is exported",
    "a batch is exported",
    "a metric is recorded",
    "metrics are read",
]


@pytest.fixture(params=PLACES)
def providers(request):
    """Providers with a pitfall in one of the places."""
    made = Providers(request.param)
    OpenAIInstrumentor().instrument(tracer_provider=made.tracers, meter_provider=made.meters)
    yield made
    OpenAIInstrumentor().uninstrument()
    made.shutdown()


@pytest.mark.parametrize("how", ["half read", "unread"])
def test_a_collection_inside(server, openai_client, providers: Providers, how, caplog):
    """Whatever OpenTelemetry was doing when the stream was found goes on, and both calls are recorded."""
    server.reply(CHAT.stalled(), CHAT.reply())
    client = openai_client()
    lost = CHAT.create(client)
    if how == "half read":
        next(lost)
    # In a cycle: what drops it is the collection.
    holder: dict[str, Any] = {"stream": lost}
    holder["itself"] = holder
    kept = [holder]
    del lost, holder

    def work() -> None:
        providers.pitfall.lost = kept.clear
        list(CHAT.create(client))
        providers.tracers.force_flush()
        providers.reader.collect()

    working = threading.Thread(target=work, daemon=True)
    working.start()
    working.join(LONGEST + 2)

    assert not working.is_alive()
    assert 1 == providers.pitfall.fell
    assert ["chat gpt-4o-mini"] * 2 == _spans(providers)
    assert 2 == _durations(providers)
    assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_collection_of_what_is_over(server, openai_client, providers: Providers, monkeypatch):
    """Streams that were read to their end or closed are only memory: finding them inside starts no thread."""
    import _thread

    started = []
    start = _thread.start_new_thread
    monkeypatch.setattr(_thread, "start_new_thread", lambda *args: started.append(args[0]) or start(*args))
    server.reply_always(CHAT.reply())
    client = openai_client()
    over = [CHAT.create(client) for _ in range(4)]
    for stream in over[:2]:
        list(stream)
    for stream in over[2:]:
        stream.close()
    before = len(started)
    # The loop's own name for the last of them.
    del stream
    providers.pitfall.lost = over.clear

    list(CHAT.create(client))
    providers.tracers.force_flush()
    providers.reader.collect()

    assert 1 == providers.pitfall.fell
    assert [] == started[before:]


def _spans(providers: Providers) -> list[str]:
    """The finished spans; the one that another thread ends may take a moment."""
    arrived = threading.Event()
    for _ in range(200):
        providers.tracers.force_flush()
        if len(providers.exporter.get_finished_spans()) >= 2:
            break
        arrived.wait(0.01)
    return [span.name for span in providers.exporter.get_finished_spans()]


def _durations(providers: Providers) -> int:
    """How many durations were recorded; the same."""
    waiting = threading.Event()
    counted = 0
    for _ in range(200):
        data = providers.reader.get_metrics_data()
        for group in data.resource_metrics if data else ():
            for metric in (metric for part in group.scope_metrics for metric in part.metrics):
                if metric.name == "gen_ai.client.operation.duration":
                    counted = sum(point.count for point in metric.data.data_points)
        if counted >= 2:
            break
        waiting.wait(0.01)
    return counted
