"""Where the telemetry of one instrumentor goes: its tracer, its metrics, its events, and the settings that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace

from ._attributes import SCHEMA_URL
from ._events import Events
from ._metrics import Metrics
from ._version import __version__

if TYPE_CHECKING:
    from ._config import Config
    from ._propagation import Propagation


class Signals:
    """The writers of all signals.

    Args:
        config: the settings.
        tracer_provider: of the application, or None for the global one.
        meter_provider: likewise.
        logger_provider: likewise.
    """

    def __init__(
        self,
        config: Config,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: Any = None,
    ) -> None:
        name = "opentelemetry_instrumentation_genai"
        self.tracer = trace.get_tracer(name, __version__, tracer_provider, SCHEMA_URL)
        self.metrics = Metrics(metrics.get_meter(name, __version__, meter_provider, SCHEMA_URL))
        self.events = Events(_logs.get_logger(name, __version__, logger_provider, SCHEMA_URL))
        self.details = config.details
        self.span_content = config.capture_message_content.span
        self.event_content = config.capture_message_content.event and config.details
        self.per_chunk = config.per_chunk_metric
        self.propagation: Propagation | None = None
        if config.propagate:
            from ._propagation import Propagation

            self.propagation = Propagation(
                config.propagate, config.host_providers, with_baggage=config.propagate_baggage
            )
        self.asks_for_usage = config.stream_usage == "inject"
