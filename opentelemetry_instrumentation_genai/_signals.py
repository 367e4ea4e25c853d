"""Where the telemetry of one instrumentor goes: its tracer, its metrics, its events, and the settings that decide."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace

from ._budget import Budget
from ._events import Events
from ._generations import GENERATIONS, INFERENCE
from ._metrics import Metrics
from ._pipeline import Pipeline
from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._config import Config
    from ._operation import Operation
    from ._propagation import Propagation


def _pipeline(config: Config) -> Pipeline | None:
    """The way of content into telemetry; None where none may go."""
    if config.refused:
        return None
    redaction = config.redact
    if redaction is not None or config.redactor is not None:
        from ._redaction import Redaction

        given = redaction or Redaction()
        redactors = given.redactors if config.redactor is None else (*given.redactors, config.redactor)
        redaction = Redaction(given.rules, given.patterns, redactors, config.redact_timeout)
    part = config.content_part_budget
    budget = Budget(config.content_budget, config.content_budget if part is None else part)
    return Pipeline(redaction, budget, binary=config.capture_binary)


class Signals:
    """The writers of all signals.

    Args:
        config: the settings.
        tracer_provider: of the application, or None for the global one.
        meter_provider: likewise.
        logger_provider: likewise.

    Attributes:
        metrics: operation name -> its metrics.
    """

    def __init__(
        self,
        config: Config,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: Any = None,
    ) -> None:
        name = "opentelemetry_instrumentation_genai"
        self._generation = generation = GENERATIONS[config.semconv_stability_opt_in]
        self.tracer = trace.get_tracer(name, __version__, tracer_provider, generation.schema_url)
        self.events = Events(_logs.get_logger(name, __version__, logger_provider, generation.schema_url))
        meter = metrics.get_meter(name, __version__, meter_provider, generation.schema_url)
        others = Metrics(meter, generation.others)
        self.metrics: defaultdict[str, Metrics] = defaultdict(
            lambda: others, dict.fromkeys(INFERENCE, Metrics(meter, generation.inference))
        )
        self.capture = config.capture_message_content
        self.emit_event = config.emit_event
        self.pipeline = _pipeline(config)
        self.per_chunk = config.per_chunk_metric
        self.propagation: Propagation | None = None
        if config.propagate:
            from ._propagation import Propagation

            self.propagation = Propagation(
                config.propagate, config.host_providers, with_baggage=config.propagate_baggage
            )
        self.asks_for_usage = config.stream_usage == "inject"

    def operations(self, routes: Mapping[tuple[str, str], Operation]) -> dict[tuple[str, str], Operation]:
        """The routes of an SDK with each operation as it is in the chosen generation of the conventions."""
        return {route: operation.of(self._generation) for route, operation in routes.items()}
