"""The series that the plugin can emit, as Prometheus names them, made from the package's own instruments and attributes.

Rules, boards and files of the Collector are checked against it: where a metric or an attribute of the package has another name, what
still uses the old one is found here. Nothing is spelled twice: the instruments are those that the package creates, for each generation of
the conventions, and the labels are the attributes with which it records them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from opentelemetry.metrics import Meter, MeterProvider, NoOpMeter

from opentelemetry_instrumentation_genai._adapter.client_servers import Server
from opentelemetry_instrumentation_genai._adapter.endpoint import Endpoint
from opentelemetry_instrumentation_genai._adapter.fields import Table
from opentelemetry_instrumentation_genai._adapter.openai_api.chat import CHAT
from opentelemetry_instrumentation_genai._adapter.openai_api.embeddings import EMBEDDINGS
from opentelemetry_instrumentation_genai._call.request import Request
from opentelemetry_instrumentation_genai._conventions import names
from opentelemetry_instrumentation_genai._conventions.generations import GENERATIONS
from opentelemetry_instrumentation_genai._operations.calls import NO_SERVER
from opentelemetry_instrumentation_genai._operations.endpoints import AGENT, TOOL, WORKFLOW
from opentelemetry_instrumentation_genai._settings.config import resolve
from opentelemetry_instrumentation_genai._signals.metrics import MCP_SECONDS
from opentelemetry_instrumentation_genai._signals.rate_limits import _ATTRIBUTES as LIMITED
from opentelemetry_instrumentation_genai._signals.signals import Signals
from opentelemetry_instrumentation_genai.frameworks.mcp._endpoints import REQUEST as MCP

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yaml"
DERIVED = DEPLOY / "collector" / "derived.yaml"
V1_41, LATEST, DUP = GENERATIONS
TAGS = ("team", "tenant")
"""The tags that rules and boards use, by `OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTES=team,tenant`."""

_SERVER = Server("localhost", 80, "openai", propagates=False)
_UNITS = {"s": "seconds", "By": "bytes", "ms": "milliseconds"}
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",), "updowncounter": ("",)}


class Series(NamedTuple):
    """A metric of the plugin.

    Attributes:
        metric: its name in OpenTelemetry.
        kind: its instrument: `histogram`, `counter`, `updowncounter` or `gauge`.
        unit: of the instrument.
        boundaries: of the buckets of a histogram.
        labels: those of its own, without `le` and those of the resource.
        generations: which of them have it, as `OTEL_SEMCONV_STABILITY_OPT_IN` names them.
    """

    metric: str
    kind: str
    unit: str
    boundaries: tuple[float, ...]
    labels: frozenset[str]
    generations: frozenset[str]

    @property
    def name(self) -> str:
        """Its name in Prometheus, before `_bucket` and its like."""
        return prometheus_name(self.metric, self.unit, counter=self.kind == "counter", gauge=self.kind == "gauge")

    def samples(self) -> Iterator[tuple[str, frozenset[str]]]:
        """The names that PromQL knows it by, each with its labels."""
        for part in _PARTS[self.kind]:
            yield self.name + part, self.labels | resource_labels() | ({"le"} if part == "_bucket" else set())


def label(attribute: str) -> str:
    """The label of an attribute."""
    return re.sub(r"_+", "_", re.sub(r"[^a-zA-Z0-9_]", "_", attribute))


def prometheus_name(metric: str, unit: str, *, counter: bool = False, gauge: bool = False) -> str:
    """The name of a metric in Prometheus, as its OTLP receiver makes it (`UnderscoreEscapingWithSuffixes`)."""
    words = [word for word in re.split(r"[^a-zA-Z0-9]+", metric) if word]
    of, _, per = unit.partition("/")
    if (suffix := _UNITS.get(of, "")) and suffix not in words:
        words.append(suffix)
    if per:
        words += ["per", {"s": "second", "min": "minute", "h": "hour"}[per]]
    if counter:
        words = [*(word for word in words if word != "total"), "total"]
    if gauge and unit == "1":
        words = [*(word for word in words if word != "ratio"), "ratio"]
    return "_".join(words)


@functools.cache
def resource_labels() -> frozenset[str]:
    """The labels of the resource that every series has: `job`, `instance`, and those that `prometheus.yaml` promotes."""
    promoted = yaml.safe_load(PROMETHEUS.read_text(encoding="utf-8"))["otlp"]["promote_resource_attributes"]
    return frozenset({"job", "instance", *map(label, promoted)})


@functools.cache
def series() -> Mapping[str, Series]:
    """All metrics of the plugin by their names in OpenTelemetry."""
    found: dict[str, Series] = {}
    for generation in (V1_41, LATEST):
        for name, (kind, unit, boundaries) in _instruments(generation).items():
            others = found[name].generations if name in found else frozenset()
            labels = frozenset(map(label, _attributes(name)))
            found[name] = Series(name, kind, unit, boundaries, labels, others | {generation})
    return dict(sorted(found.items()))


@functools.cache
def samples(generation: str = DUP) -> Mapping[str, frozenset[str]]:
    """The names that PromQL knows -> the labels that they may have, in a generation of the conventions.

    Args:
        generation: `default`, `gen_ai_latest_experimental`, or `gen_ai_latest_experimental/dup`, which has all.
    """
    wanted = frozenset({V1_41, LATEST} if generation == DUP else {generation})
    known = {name: labels for one in series().values() if one.generations & wanted for name, labels in one.samples()}
    return {**known, "target_info": resource_labels()}


@functools.cache
def derived() -> Mapping[str, frozenset[str]]:
    """The names that PromQL knows of what the Collector counts in spans (`derived.yaml`) -> the labels that they may have."""
    connectors = yaml.safe_load(DERIVED.read_text(encoding="utf-8"))["connectors"]
    return {
        prometheus_name(one["name"], one["unit"], counter=one["sum"]["monotonic"]): frozenset(
            label(attribute["key"]) for attribute in one["attributes"]
        )
        | resource_labels()
        for one in connectors["signal_to_metrics/derived"]["spans"]
    }


def complaints(name: str, labels: set[str] | frozenset[str] = frozenset(), generation: str = DUP) -> list[str]:
    """What is wrong with a name and its labels: that the plugin does not emit them, with the nearest that it does.

    Args:
        name: as in PromQL, with `_bucket` and its like.
        labels: those that a matcher or a grouping uses.
        generation: of the conventions.
    """
    there = {**samples(generation), **derived()}
    known = there.get(name)
    if known is None:
        return [f"the plugin emits no {name}{_nearest(name, there)}"]
    return [f"{name} has no label {one}{_nearest(one, known)}" for one in sorted(labels - known)]


def _nearest(word: str, known: Mapping[str, Any] | frozenset[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, sorted(known), 1)
    return f": is {near[0]} meant?" if near else ""


# The instruments that the package creates.


class _Meter(NoOpMeter):
    """Notes which instruments are created, and makes some that do nothing."""

    def __init__(self, made: dict[str, tuple[str, str, tuple[float, ...]]]) -> None:
        super().__init__("emitted")
        self.made = made

    def create_histogram(self, name: str, unit: str = "", *arguments: Any, **more: Any) -> Any:
        self.made[name] = "histogram", unit, tuple(more.get("explicit_bucket_boundaries_advisory") or ())
        return super().create_histogram(name, unit, *arguments, **more)

    def create_counter(self, name: str, unit: str = "", *arguments: Any, **more: Any) -> Any:
        self.made[name] = "counter", unit, ()
        return super().create_counter(name, unit, *arguments, **more)

    def create_up_down_counter(self, name: str, unit: str = "", *arguments: Any, **more: Any) -> Any:
        self.made[name] = "updowncounter", unit, ()
        return super().create_up_down_counter(name, unit, *arguments, **more)

    def create_gauge(self, name: str, unit: str = "", *arguments: Any, **more: Any) -> Any:
        self.made[name] = "gauge", unit, ()
        return super().create_gauge(name, unit, *arguments, **more)


class _MeterProvider(MeterProvider):
    """Makes that meter."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[str, str, tuple[float, ...]]] = {}

    def get_meter(self, *_arguments: Any, **_more: Any) -> Meter:
        return _Meter(self.made)


def _instruments(generation: str) -> dict[str, tuple[str, str, tuple[float, ...]]]:
    """What the package creates with everything on: name -> kind, unit, boundaries."""
    provider = _MeterProvider()
    settings = {
        "metrics": "extended",
        "prices": "billed",
        "completion_hook": print,
        "metric_attributes": ",".join(TAGS),
    }
    Signals(resolve({**settings, "semconv_stability_opt_in": generation}), meter_provider=provider)
    # A session of MCP makes its own when it ends.
    return provider.made | {names.METRIC_MCP_SESSION_DURATION: ("histogram", "s", MCP_SECONDS)}


# The attributes with which it records them.


def _identity(*endpoints: Endpoint) -> frozenset[str]:
    """What spans and metrics of an endpoint's calls share, with the tags."""
    found = {names.TAG + tag for tag in TAGS}
    for endpoint in endpoints:
        # Only an agent is given a provider, of what the application's own code does.
        provider = "openai" if endpoint.kind.of_provider or endpoint is AGENT else ""
        server = _SERVER if endpoint.kind.remote else NO_SERVER
        request = Request(endpoint, provider, server, {"model": "any"}, stream=False, capture=None, attribution={})
        found |= request.identity().keys() | _attributes_of(endpoint.identity)
    return frozenset(found)


def _attributes_of(table: Table | None) -> set[str]:
    """The attributes that a table reads."""
    if table is None:
        return set()
    return {leaf[1] for leaf in table.leaves}.union(*(_attributes_of(below) for _, below in table.branches))


def _attributes(metric: str) -> frozenset[str]:
    """The attributes with which a metric is recorded, if its call has them."""
    return _RECORDED[metric]() if metric in _RECORDED else _of_call(metric)


def _of_call(metric: str) -> frozenset[str]:
    """Those of a metric of calls of models."""
    found = _identity(CHAT, EMBEDDINGS) | {names.RESPONSE_MODEL}
    durations = {name for one in GENERATIONS.values() for group in one.measures.values() for name in group.duration}
    tokens = {row.metric: row for one in GENERATIONS.values() for row in one.inference.tokens}
    usage = {row.metric for one in (*GENERATIONS.values(), GENERATIONS[V1_41].split()) for row in one.inference.usage}
    refined: set[str] = set(CHAT.measured_values)
    if metric in durations:
        return found | refined | {names.ERROR_TYPE}
    if metric in tokens:
        row = tokens[metric]
        return found | (refined if row.refined else set()) | ({names.TOKEN_TYPE} if row.token_type else set())
    if metric in usage:
        return found | {names.TOKEN_MODALITY}
    return found


def _with(*more: str) -> Callable[[], frozenset[str]]:
    return lambda: _identity(CHAT) | {*more}


def _only(*attributes: str) -> Callable[[], frozenset[str]]:
    return lambda: frozenset(attributes)


# Those of metrics that are not of all calls, or that have attributes of their own.
_RECORDED: Mapping[str, Callable[[], frozenset[str]]] = {
    names.METRIC_AGENT_DURATION: lambda: _identity(AGENT) | {names.ERROR_TYPE},
    names.METRIC_AGENT_INFERENCE_CALLS: _only(names.AGENT_NAME),
    names.METRIC_AGENT_TOOL_CALLS: _only(names.AGENT_NAME),
    names.METRIC_TOOL_DURATION: lambda: _identity(TOOL) | {names.ERROR_TYPE},
    names.METRIC_WORKFLOW_DURATION: lambda: _identity(WORKFLOW) | {names.ERROR_TYPE},
    names.METRIC_INVOKE_WORKFLOW_DURATION: lambda: _identity(WORKFLOW) | {names.ERROR_TYPE},
    names.METRIC_MCP_OPERATION_DURATION: lambda: _identity(MCP) | MCP.measured_values.keys() | {names.ERROR_TYPE},
    names.METRIC_MCP_SESSION_DURATION: _only(
        names.MCP_PROTOCOL_VERSION,
        names.NETWORK_TRANSPORT,
        names.NETWORK_PROTOCOL_NAME,
        names.SERVER_ADDRESS,
        names.SERVER_PORT,
        names.ERROR_TYPE,
    ),
    names.METRIC_SERVER_DURATION: _with(names.ERROR_TYPE, names.RESPONSE_MODEL),
    names.METRIC_EVALUATION_SCORE: _only(names.EVALUATION_NAME, names.EVALUATION_SCORE_LABEL),
    names.METRIC_HOOK_DROPPED: _only(names.ERROR_TYPE),
    names.METRIC_REQUESTS: _with(names.KIT_MODEL, names.KIT_STREAM),
    names.METRIC_REQUESTS_ACTIVE: _with(names.KIT_MODEL),
    names.METRIC_REQUEST_MESSAGES: _with(names.KIT_MODEL),
    names.METRIC_REQUEST_ERRORS: _with(names.KIT_MODEL, names.ERROR_TYPE, names.RESPONSE_MODEL),
    names.METRIC_STREAM_CHUNKS: _with(names.KIT_MODEL, names.RESPONSE_MODEL),
    names.METRIC_TOKEN_THROUGHPUT: _with(names.KIT_MODEL, names.RESPONSE_MODEL),
    **dict.fromkeys(
        (
            names.METRIC_LIMIT_INPUT_TOKENS,
            names.METRIC_LIMIT_OUTPUT_TOKENS,
            names.METRIC_LIMIT_REQUESTS,
            names.METRIC_LIMIT_TOKENS,
        ),
        _only(*LIMITED),
    ),
}
