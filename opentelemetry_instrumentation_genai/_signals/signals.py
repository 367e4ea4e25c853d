"""The signals of one instrumentor: its tracer, meter and logger, and the list of the observers of a call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace

from .._adapter.counted_usage import Counted
from .._application.agents import agent_in
from .._application.attribution import Attribution
from .._application.metric_attributes import BoundedValues, MetricAttributes
from .._content.budget import Budget
from .._content.pipeline import Pipeline
from .._conventions.capture_modes import NO_CONTENT
from .._conventions.generations import GENERATIONS
from .._conventions.names import (
    AGENT_NAME,
    MCP_METHOD_NAME,
    PROMPT_NAME,
    PROVIDER_NAME,
    REQUEST_MODEL,
    TOOL_NAME,
    TOOL_TYPE,
    WORKFLOW_NAME,
)
from .._conventions.operation_kinds import AGENT_PROGRAM, INVOKE_AGENT
from .._conventions.scope import SCOPE_NAME, __version__
from .._runtime.guard import guarded, warn_once
from .._settings.config import variable, warn_of_missing
from .agents import AgentCalls, AgentInstruments, CallOfAgent
from .completions import HookedCompletion
from .content import CallContent
from .cost import Cost
from .destinations import logs_go_nowhere, only_metrics
from .evaluations import Evaluations
from .events import CallEvents, Details, Events
from .metrics import CallMetrics, ChunkTimes, Instruments
from .recording import Points
from .request_attributes import request_attributes
from .result_usage import ResultUsage
from .span import CallSpan
from .task_links import Creators, TaskLink
from .user_hooks import UserHooks
from .value_limit import value_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .._adapter.endpoint import Endpoint
    from .._application.enrichers import Enrichers
    from .._application.hooks import Hooks
    from .._call.observer import Observer
    from .._call.request import Request
    from .._call.state import CallState
    from .._content.completion_hook.delivery import Completions
    from .._conventions.capture_modes import Capture
    from .._conventions.operation_kinds import OperationKind
    from .._cost.costs import Costs
    from .._settings.config import Config

# What an application names may come from a model.
_NAMED = (
    AGENT_NAME, MCP_METHOD_NAME, PROMPT_NAME, PROVIDER_NAME, REQUEST_MODEL, TOOL_NAME, TOOL_TYPE, WORKFLOW_NAME,
)  # fmt: skip


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
    from .._content.completion_hook.delivery import completions

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

    return Enrichers(config.enrichers, config.purpose, config.user_id_key, warn_of_missing)


def _hooks(config: Config) -> Hooks | None:
    if config.request_hook is None and config.response_hook is None:
        return None
    from .._application.hooks import Hooks

    return Hooks(config.request_hook, config.response_hook, warn_of_missing)


def _extended(meter: metrics.Meter) -> Sequence[Callable[[CallState, Points], Observer]]:
    """Return functions that make the observers of `metrics="extended"`."""
    from .extended_metrics import ExtendedInstruments, ExtendedMetrics
    from .rate_limits import RateLimitGauges, RateLimits

    instruments, gauges = ExtendedInstruments(meter), RateLimitGauges(meter)
    return (
        lambda call, points: ExtendedMetrics(call, instruments, points),
        lambda call, _points: RateLimits(call, gauges),
    )


class Signals:
    """Makes the observers of calls.

    Args:
        config: the settings.
        tracer_provider: of the application, or None for the global one.
        meter_provider: of the application, or None for the global one.
        logger_provider: of the application, or None for the global one.

    Attributes:
        counted: the ids of responses with usage that was counted; several calls may receive one response, and only one counts it.
        attribution: reads the attribution of a call from its context.
        hooks: the application's hooks; None if there are none.
        meter: creates the instruments.
        evaluations: records results of evaluations.
        events: the writer of events.
        injects_usage: whether the usage of streams is requested on the caller's behalf.
    """

    def __init__(
        self,
        config: Config,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: Any = None,
    ) -> None:
        generation = GENERATIONS[config.semconv_stability_opt_in]
        self._generation = generation = generation.split() if config.metrics == "extended" else generation
        self._tracer = trace.get_tracer(SCOPE_NAME, __version__, tracer_provider, generation.schema_url)
        logger = _logs.get_logger(SCOPE_NAME, __version__, logger_provider, generation.schema_url)
        self.events = Events(logger, partial(logs_go_nowhere, logger_provider))
        self._only_metrics = partial(only_metrics, tracer_provider, meter_provider)
        self.meter = meter = metrics.get_meter(SCOPE_NAME, __version__, meter_provider, generation.schema_url)
        self._costs = _costs(config)
        self._instruments = {
            kind: Instruments(meter, measures, priced=self._costs is not None)
            for kind, measures in generation.measures.items()
        }
        limit = config.metric_attribute_values, variable("metric_attribute_values")
        names = config.metric_attributes
        self._metric_attributes = MetricAttributes(names, limit[0], config.baggage, limit[1]) if names else None
        self._named = {name: BoundedValues(name, *limit) for name in _NAMED}
        self._agent_instruments = AgentInstruments(meter)
        self._metrics_class = ChunkTimes if config.per_chunk_metric else CallMetrics
        self._extended = _extended(meter) if config.metrics == "extended" else ()
        self._completions = _completions(config, meter)
        # A completion hook gets content even if the mode is `no_content`, unless a block around the call sets that. Where there is no
        # hook, the constant itself is kept: `_recorders` compares by identity.
        capture = config.capture_message_content._replace(hook=self._completions is not None)
        self._capture = NO_CONTENT if capture == NO_CONTENT else capture
        self._emit_event = config.emit_event
        self._pipeline = _pipeline(config, partial(value_limit, self._tracer, logger))
        self.evaluations = Evaluations(self.events, meter, *limit, self._explained)
        self._enrichers = _enrichers(config)
        self.counted = Counted()
        self._creators = Creators()
        self.attribution = Attribution(raw=config.user_id == "raw", key=config.user_id_key, baggage=config.baggage)
        self.hooks = _hooks(config)
        self._reads_responses = self.hooks is not None and self.hooks.want_response
        self.injects_usage = config.stream_usage == "inject"

    def endpoints(self, endpoints: Mapping[tuple[str, str], Endpoint]) -> dict[tuple[str, str], Endpoint]:
        """Return the endpoints without attributes that the chosen generation does not have, and with those that prices and hooks need."""
        needed = frozenset[str]() if self._costs is None else self._costs.needed
        reads_all = self._reads_responses
        return {route: one.of(self._generation, needed, reads_all=reads_all) for route, one in endpoints.items()}

    def reads_input(self, capture: Capture | None, kind: OperationKind) -> bool:
        """Return whether anything reads the content of a request.

        Args:
            capture: the content capture that a block of code around the call sets; None if none does.
            kind: the kind of its operation.
        """
        if self.hooks is not None or self._enrichers is not None:
            return True
        return (
            kind.has_content
            and self._pipeline is not None
            and (self._capture if capture is None else capture) != NO_CONTENT
        )

    def close(self) -> None:
        """Empty the queue of the completion hook into the hook. Called when no call is followed any more."""
        if self._completions is not None:
            self._completions.close()

    def _explained(self, explanation: str) -> str | None:
        """Return the explanation of an evaluation as it is recorded; None if nothing of it is."""
        return None if self._pipeline is None else self._pipeline.words(self._pipeline.begin(), explanation)

    # For each call.

    def describe(self, call: CallState, request: Request) -> None:
        """Set the attributes of a call that are known at its start."""
        call.attributes = request_attributes(call, request, self._enrichers)
        # From here on not on the span, which has the values as they are.
        if not call.kind.of_provider:
            call.identity.update(
                {
                    name: bounded.of(str(call.identity[name]))
                    for name, bounded in self._named.items()
                    if name in call.identity
                }
            )
        if self._metric_attributes is not None:
            call.identity.update(self._metric_attributes.of(call.context, request.attribution) or {})

    @guarded
    def start_span(self, call: CallState) -> trace.Span:
        """Start the span of a call. Where a sampler or a span processor raises, the call is followed without a span."""
        kind, attributes = call.kind, call.attributes
        subject = attributes.get(kind.subject)
        first = kind.name if kind.method is None else attributes.get(kind.method, "")
        name = f"{first} {subject}" if subject else str(first)
        return self._tracer.start_span(name, call.context, kind.span_kind, attributes=attributes)

    def observers(self, call: CallState, request: Request, hook_span: trace.Span | None) -> list[Observer]:
        """Return the observers of a call. Those that add attributes to the outcome come before those that record them.

        Args:
            call: the call, with its span.
            request: its request.
            hook_span: the span that the application's hooks get; None if the SDK was to make the span and did not.
        """
        points = Points(call)
        found: list[Observer] = []
        if self._costs is not None:
            found.append(Cost(call, self._costs, injects=self.injects_usage))
        instruments = self._instruments[call.kind.metrics]
        found.append(self._metrics_class(call, instruments, points))
        if call.endpoint.results is not None:
            found.append(ResultUsage(call, instruments, call.endpoint.results))
        if self._extended and call.kind.of_provider:
            found += [make(call, points) for make in self._extended]
        if call.endpoint.task is not None and call.span.is_recording():
            found.append(TaskLink(call, self._creators))
        agent = agent_in(call.context)
        if agent is not None:
            found.append(CallOfAgent(call, agent))
        if call.kind is INVOKE_AGENT or call.kind is AGENT_PROGRAM:
            found.append(AgentCalls(call, self._agent_instruments))
        found += self._recorders(call, self._capture_of(call, request))
        if self.hooks is not None and hook_span is not None:
            found.append(UserHooks(call, self.hooks, hook_span))
        if request.attribution and not call.detailed:
            self._warn_of_lost_attribution()
        return found

    def _capture_of(self, call: CallState, request: Request) -> Capture:
        """Return where the content of this call goes; `NO_CONTENT` if it is not among the share."""
        capture = request.capture or self._capture
        if self._pipeline is None or (capture.share < 1 and not capture.chooses(call.span)):
            return NO_CONTENT
        return capture

    def _recorders(self, call: CallState, capture: Capture) -> list[Observer]:
        """Return the observers that record attributes and content, and set `call.detailed` and `call.needs_messages`."""
        recording, emit = call.span.is_recording(), self._emit_event
        emits_details = call.kind.has_details and (capture.event if emit is None else emit)
        call.detailed = recording or emits_details
        call.needs_messages = self._reads_responses
        found: list[Observer] = [] if capture is NO_CONTENT else self._content(call, capture, recording)
        content: Any = found[0] if found else None
        if recording:
            found.append(CallSpan(call, content))
        # `on_error` without `emit_event`: only failed calls have a details event.
        details: Details = "none" if not emits_details else "failed" if capture.failed and emit is None else "all"
        found.append(CallEvents(call, self.events, content, details, capture.event and emit is not False))
        return found

    def _content(self, call: CallState, capture: Capture, recording: bool) -> list[Observer]:
        """Return the observer of the content, and the completion hook's if it gets it, and update what `_recorders` has set."""
        assert self._pipeline is not None
        has_details, completions = call.kind.has_details, self._completions
        if completions is not None and not (capture.hook and has_details and completions.begin()):
            completions = None
        on_event = has_details and capture.event and self._emit_event is not False
        on_span = call.kind.has_content and capture.span and recording
        needed = completions is not None or on_event or on_span
        call.detailed = call.detailed or completions is not None
        call.needs_messages = call.needs_messages or needed
        only_on_events = not capture.span and completions is None
        content = CallContent(call, self._pipeline, capture, needed=needed, only_on_events=only_on_events)
        return [content] if completions is None else [content, HookedCompletion(call, completions, content)]

    @guarded
    def _warn_of_lost_attribution(self) -> None:
        if self._only_metrics():
            warn_once(
                "The attributes of genai_context and baggage are recorded on spans and details events only, and there are none. "
                "Set a tracer provider or OTEL_TRACES_EXPORTER."
            )
