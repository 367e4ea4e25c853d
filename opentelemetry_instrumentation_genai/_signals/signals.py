"""Where the telemetry of one instrumentor goes: its tracer, its metrics, its events, and the settings that decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace

from .._adapter.counted_usage import Counted
from .._application.attribution import Attribution
from .._content.budget import Budget
from .._content.pipeline import Pipeline
from .._conventions.generations import FETCHED, GENERATIONS, INFERENCE
from .._settings.config import say_of_missing
from .._version import __version__
from .destinations import logs_go_nowhere, only_metrics
from .events import Events
from .metrics import Metrics
from .value_limit import value_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._adapter.operation import Operation
    from .._application.enrichers import Enrichers
    from .._application.hooks import Hooks
    from .._completion_hook.delivery import Completions
    from .._cost.costs import Costs
    from .._settings.config import Config
    from .extended_metrics import Traffic
    from .rate_limits import Limits


def _pipeline(config: Config, limit: Callable[[], int | None]) -> Pipeline | None:
    """Return the pipeline of content; None if a setting was refused, so that no content may be recorded."""
    if config.refused:
        return None
    redaction = config.redact
    if redaction is not None or config.redactor is not None:
        from .._content.redaction import Redaction

        given = redaction or Redaction()
        redactors = given.redactors if config.redactor is None else (*given.redactors, config.redactor)
        redaction = Redaction(given.rules, given.patterns, redactors, config.redact_timeout)
    part = config.content_part_budget
    budget = Budget(config.content_budget, config.content_budget if part is None else part)
    return Pipeline(redaction, budget, binary=config.capture_binary, limit=limit)


def _costs(config: Config) -> Costs | None:
    if not config.prices:
        return None
    from .._cost.costs import costs

    return costs(config.prices)


def _completions(config: Config, meter: metrics.Meter) -> Completions | None:
    if config.completion_hook is None or config.refused:
        return None
    from .._completion_hook.delivery import completions

    return completions(
        config.completion_hook,
        meter,
        entries=config.completion_hook_queue_size,
        seconds=config.completion_hook_flush_timeout,
        base_path=config.upload_base_path,
        upload_format=config.upload_format,
    )


def _enrichers(config: Config) -> Enrichers | None:
    if not config.enrichers:
        return None
    from .._application.enrichers import Enrichers

    return Enrichers(config.enrichers, config.purpose, config.user_id_key, say_of_missing)


def _hooks(config: Config) -> Hooks | None:
    if config.request_hook is None and config.response_hook is None:
        return None
    from .._application.hooks import Hooks

    return Hooks(config.request_hook, config.response_hook, say_of_missing)


class Signals:
    """The writers of all signals.

    Args:
        config: the settings.
        tracer_provider: of the application, or None for the global one.
        meter_provider: likewise.
        logger_provider: likewise.

    Attributes:
        costs: what computes the cost of calls, if that is enabled.
        traffic: the extended metrics of calls, if they are enabled.
        limits: those of rate limits, likewise.
        completions: the completion hook with its queue; None if there is none.
        only_metrics: whether there are metrics and no spans.
        counted: the responses with usage that has been counted, of those that several calls receive.
    """

    def __init__(
        self,
        config: Config,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: Any = None,
    ) -> None:
        name = "opentelemetry_instrumentation_genai"
        generation = GENERATIONS[config.semconv_stability_opt_in]
        self._generation = generation = generation.split() if config.metrics == "extended" else generation
        self.tracer = trace.get_tracer(name, __version__, tracer_provider, generation.schema_url)
        logger = _logs.get_logger(name, __version__, logger_provider, generation.schema_url)
        self.events = Events(logger, partial(logs_go_nowhere, logger_provider))
        self.only_metrics = partial(only_metrics, tracer_provider, meter_provider)
        meter = metrics.get_meter(name, __version__, meter_provider, generation.schema_url)
        self.costs = _costs(config)
        priced = self.costs is not None
        self._inference = Metrics(meter, generation.inference, priced=priced)
        self._others = Metrics(meter, generation.others, priced=priced)
        self._fetched = Metrics(meter, generation.fetched, priced=priced)
        self.counted = Counted()
        self.traffic: Traffic | None = None
        self.limits: Limits | None = None
        if config.metrics == "extended":
            from .extended_metrics import Traffic
            from .rate_limits import Limits

            self.traffic, self.limits = Traffic(meter), Limits(meter)
        self.completions = _completions(config, meter)
        # A completion hook gets the content in any case; with `no_content` nothing else does.
        self.capture = config.capture_message_content._replace(hook=self.completions is not None)
        self.emit_event = config.emit_event
        self.pipeline = _pipeline(config, partial(value_limit, self.tracer, logger))
        self.per_chunk = config.per_chunk_metric
        self.asks_for_usage = config.stream_usage == "inject"
        self.attribution = Attribution(raw=config.user_id == "raw", key=config.user_id_key, baggage=config.baggage)
        self.enrichers = _enrichers(config)
        self.hooks = _hooks(config)

    def metrics_of(self, operation: str) -> Metrics:
        """Return the metrics of an operation, by its name."""
        if operation == FETCHED:
            return self._fetched
        return self._inference if operation in INFERENCE else self._others

    def close(self) -> None:
        """Pass what waits for the completion hook to it: no call is followed any more."""
        if self.completions is not None:
            self.completions.close()

    def operations(self, routes: Mapping[tuple[str, str], Operation]) -> dict[tuple[str, str], Operation]:
        """Return the routes of an SDK with each operation as it is in the chosen generation of the conventions."""
        needed = frozenset[str]() if self.costs is None else self.costs.needed
        return {route: operation.of(self._generation, needed) for route, operation in routes.items()}
