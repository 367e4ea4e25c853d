"""What of recorded telemetry is not as the registry of a generation says, in words; nothing where all is well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loopback import Telemetry
from loopback.schemas import CONTENT, complaints, deprecated
from opentelemetry_instrumentation_genai._conventions.names import OWN
from semconv import UNNAMED, Levels, Metric, Registry, registry, typed

# Newer than v1.41, and emitted with it all the same.
NEWER = frozenset(
    {
        "gen_ai.usage.cache_write.input_tokens",
        *(
            f"gen_ai.usage.{modality}.{counted}"
            for modality in ("text", "image", "audio")
            for counted in ("input_tokens", "output_tokens", "cache_read.input_tokens")
        ),
    }
)
# Of the conventions, on spans for which they do not name it.
BESIDES = frozenset(
    {
        "http.response.status_code",  # on every call, as the tracing of Anthropic's SDK has both
        "http.request.resend_count",
        "gen_ai.response.status",  # of every call of the Responses API, not only of a response that is fetched
        "gen_ai.response.time_to_first_chunk",  # of a response that is fetched as a stream
    }
)
# Enums are open; what they do not have a word for is spelled like this.
VALUES = {
    "error.type": re.compile(r"[a-z]+(_[a-z]+)*|([A-Za-z0-9_]+\.)+[A-Z][A-Za-z]+"),  # a code, or an exception's name
    "gen_ai.operation.name": re.compile("|".join(UNNAMED)),
    "gen_ai.provider.name": re.compile("ollama"),
    "openai.request.service_tier": re.compile("flex"),
}
INFERENCE = ("chat", "text_completion", "generate_content")
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
SERVER = ("gen_ai.server.request.duration", "gen_ai.server.time_per_output_token", "gen_ai.server.time_to_first_token")
COUNTERS = (
    "input_tokens",
    "output_tokens",
    "cache_read.input_tokens",
    "cache_write.input_tokens",
    "reasoning.output_tokens",
)
SUBJECTS = {"retrieval": "gen_ai.data_source.id"}  # what follows another operation in the name of a span: the model
DETAILS, EXCEPTION = "gen_ai.client.inference.operation.details", "gen_ai.client.operation.exception"
DEBUG, WARN = 5, 13


@dataclass(frozen=True)
class Exchange:
    """What went over the wire of one call.

    Attributes:
        asked: the body of the request, or its query.
        answered: the JSON objects of the response that the application saw.
        failed: whether the call ended with an exception.
        path: of the request.
    """

    asked: Mapping[str, Any]
    answered: Sequence[Mapping[str, Any]] = ()
    failed: bool = False
    path: str = ""


def _asks(*names: str) -> Callable[[Exchange], bool]:
    """Whether a request has any of these members, of which a path has dots."""
    return lambda exchange: any(_at(exchange.asked, name) is not None for name in names)


def _at(source: Any, path: str) -> Any:
    for name in path.split("."):
        source = source.get(name) if isinstance(source, Mapping) else None
    return source


def _answers(name: str) -> Callable[[Exchange], bool]:
    """Whether a response, or an event of one, has such a member."""
    return lambda exchange: any(
        _at(answer, path) is not None for answer in exchange.answered for path in (name, f"response.{name}")
    )


# What these make is of one kind, whatever they are asked for.
_MEDIA = re.compile("/images/|/audio/")
_ASKS_FORMAT = _asks(
    "response_format", "text.format", "format", "output_config.format", "output_format", "width", "height", "steps"
)
# The conditions of what is conditionally required: it is there if, and only if, they hold.
CONDITIONS: Mapping[str, Callable[[Exchange], bool]] = {
    "error.type": lambda exchange: exchange.failed,
    "exception.type": lambda _exchange: True,
    "exception.message": lambda _exchange: True,
    "gen_ai.provider.name": lambda _exchange: True,
    "server.port": lambda _exchange: True,
    "gen_ai.data_source.id": lambda _exchange: True,
    "gen_ai.request.model": _asks("model"),
    "gen_ai.request.choice.count": lambda exchange: exchange.asked.get("n") not in (None, 1, "1"),
    "gen_ai.request.seed": _asks("seed", "options.seed"),
    "gen_ai.request.stream": lambda exchange: exchange.asked.get("stream") in (True, "true"),
    "gen_ai.request.stream_cursor": _asks("starting_after"),
    "gen_ai.request.top_k": _asks("top_k", "options.top_k"),
    "gen_ai.output.type": lambda exchange: _MEDIA.search(exchange.path) is not None or _ASKS_FORMAT(exchange),
    "gen_ai.prompt.name": _asks("prompt.id"),
    "gen_ai.prompt.version": _asks("prompt.version"),
    "gen_ai.conversation.id": _asks("conversation"),
    "openai.request.service_tier": lambda exchange: exchange.asked.get("service_tier") not in (None, "auto"),
    "openai.response.service_tier": _answers("service_tier"),
}


def nonconformities(telemetry: Telemetry, generation: str, exchange: Exchange) -> list[str]:
    """What of the telemetry of one call is not as a generation has it.

    Args:
        telemetry: what was recorded, of one call.
        generation: `v1.41` or `latest`.
        exchange: what went over the wire.
    """
    check = _Check(registry(generation), generation, exchange)
    (span,) = telemetry.spans
    attributes = dict(span.attributes or {})
    found = [*check.span(span.name, span.kind.name, attributes)]
    for name, series in telemetry.series.items():
        found += check.metric(name, series, attributes)
    measured = {
        name: (sum(point.count or 0 for point in series.points.values()), _total(series))
        for name, series in telemetry.series.items()
    }
    expected = {**dict(_expected(generation, attributes, measured)), **_of_results(generation, attributes, exchange)}
    if measured != expected:
        found.append(f"metrics {measured}, not {expected}")
    for event in telemetry.events:
        found += check.event(event, attributes)
    return found


def _total(series: Any) -> Any:
    """What all points of a metric come to."""
    return sum(point.value if point.count is None else point.sum for point in series.points.values())


def _expected(generation: str, span: Mapping[str, Any], measured: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The metrics of a call, by its span: how often something is recorded, 0 for counters, and what that comes to.

    In the latest conventions only an inference has more than its duration. How long things took is not ours to say.
    """
    yield from ((name, measured[name]) for name in SERVER if name in measured)
    latest, inference = generation == "latest", span["gen_ai.operation.name"] in INFERENCE
    prefix = "gen_ai.client.inference." if latest and inference else "gen_ai.client.operation."
    yield f"{prefix}duration", (1, measured.get(f"{prefix}duration", (0, None))[1])
    if latest and not inference:
        return
    if FIRST_CHUNK in span:
        yield f"{prefix}time_to_first_chunk", (1, span[FIRST_CHUNK])
        yield from ((name, measured[name]) for name in (f"{prefix}time_per_output_chunk",) if name in measured)
    used = {kind: span[f"gen_ai.usage.{kind}"] for kind in COUNTERS if f"gen_ai.usage.{kind}" in span}
    counts = [(kind, used[kind]) for kind in ("input_tokens", "output_tokens") if kind in used]
    if not latest and counts:
        yield "gen_ai.client.token.usage", (len(counts), sum(tokens for _, tokens in counts))
    elif latest:
        yield from ((f"{prefix}operation.{kind}", (1, tokens)) for kind, tokens in counts)
        yield from ((f"{prefix}usage.{kind}", (0, tokens)) for kind, tokens in used.items() if tokens)


def _of_results(generation: str, span: Mapping[str, Any], exchange: Exchange) -> dict[str, Any]:
    """The metrics of the results of a batch: the tokens of each that the span counts. An SDK may keep some back of a body that is cut."""
    usages = [usage for answer in exchange.answered if (usage := _at(answer, "result.message.usage"))]
    del usages[span.get("anthropic.message.batch.request_counts.succeeded", 0) :]
    if span["gen_ai.operation.name"] != "batch_results" or not usages:
        return {}
    tokens = {kind: [usage[kind] for usage in usages] for kind in ("input_tokens", "output_tokens")}
    if generation == "v1.41":
        return {"gen_ai.client.token.usage": (2 * len(usages), sum(map(sum, tokens.values())))}
    prefix = "gen_ai.client.inference."
    histograms = {f"{prefix}operation.{kind}": (len(usages), sum(counts)) for kind, counts in tokens.items()}
    return {**histograms, **{f"{prefix}usage.{kind}": (0, sum(counts)) for kind, counts in tokens.items()}}


@dataclass(frozen=True)
class _Check:
    """One call held against one registry."""

    registry: Registry
    generation: str
    exchange: Exchange

    def span(self, name: str, kind: str, attributes: Mapping[str, Any]) -> Iterator[str]:
        """A span: its kind, its name and its attributes."""
        operation = attributes.get("gen_ai.operation.name")
        subject = attributes.get(SUBJECTS.get(operation, "gen_ai.request.model"))
        if kind != "CLIENT":
            yield f"span: kind {kind}"
        if name != (f"{operation} {subject}" if subject else operation):
            yield f"span: name {name!r}"
        yield from (f"span: {text}" for text in self._span_attributes(attributes))

    def _span_attributes(self, attributes: Mapping[str, Any]) -> Iterator[str]:
        provider, operation = attributes["gen_ai.provider.name"], attributes["gen_ai.operation.name"]
        levels = self.registry.span(operation, provider)
        others = {*BESIDES, *OWN, *(NEWER if self.generation == "v1.41" else ())}
        yield from self._attributes(attributes, levels, others)

    def metric(self, name: str, series: Any, span: Mapping[str, Any]) -> Iterator[str]:
        """A metric: what it is, where its buckets end, and the attributes of its points."""
        known = self.registry.metric(name, span["gen_ai.provider.name"])
        if known is None:
            yield f"metric {name} is not in the registry"
            return
        yield from (f"metric {name}: {text}" for text in _instrument(known, series))
        for point in series.points.values():
            others = {name: value for name, value in point.attributes.items() if name in span and span[name] != value}
            if others:
                yield f"metric {name}: the span has other values for {others}"
            yield from (f"metric {name}: {text}" for text in self._attributes(point.attributes, known.levels, ()))

    def event(self, event: Any, span: Mapping[str, Any]) -> Iterator[str]:
        """An event: its severity, its time, its span, and its attributes."""
        name = event.event_name
        attributes = {key: _plain(value) for key, value in event.attributes.items()}
        if name == DETAILS:
            found = self._details(attributes, span)
        else:
            found = self._attributes(attributes, self.registry.events[name], ())
        if {DETAILS: DEBUG, EXCEPTION: WARN}[name] != event.severity_number.value:
            yield f"event {name}: severity {event.severity_number}"
        if not event.timestamp or not event.span_id:
            yield f"event {name}: no time, or no span"
        yield from (f"event {name}: {text}" for text in found)

    def _details(self, attributes: Mapping[str, Any], span: Mapping[str, Any]) -> Iterator[str]:
        """The attributes of the span, with content as values in the place of JSON."""
        yield from self._span_attributes(attributes)
        onto = {name: json.loads(value) if name in CONTENT else _plain(value) for name, value in span.items()}
        if onto != attributes:
            yield f"the span has {onto}"

    def _attributes(self, given: Mapping[str, Any], levels: Levels, others: Any) -> Iterator[str]:
        for name, value in given.items():
            if name not in levels and name not in others:
                yield f"{name} is not among what it has"
            yield from self._value(name, value)
        for name, level in levels.items():
            if level == "required" and name not in given:
                yield f"{name} is missing"
            if level == "conditionally_required" and CONDITIONS[name](self.exchange) != (name in given):
                yield f"{name} is {'not asked for' if name in given else 'missing'}"

    def _value(self, name: str, value: Any) -> Iterator[str]:
        if name in OWN:
            kind, *_ = OWN[name]
            if not typed(kind, value):
                yield f"{name} is no {kind}: {value!r}"
        elif self.generation == "v1.41" and name in NEWER:
            yield from registry("latest").complaints(name, value, VALUES)
        else:
            yield from self.registry.complaints(name, value, VALUES)
        if name in CONTENT:
            content = json.loads(value) if isinstance(value, str) else _plain(value)
            yield from (f"{name}: {text}" for text in complaints(name, content, generation=self.generation))
            old = deprecated(name, content, generation=self.generation)
            yield from (f"{name}: {member} is deprecated" for member in old)


def _instrument(known: Metric, series: Any) -> Iterator[str]:
    if (known.instrument, known.unit) != (series.instrument, series.unit):
        yield f"{series.instrument} in {series.unit}"
    if not series.description:
        yield "no description"
    for point in series.points.values():
        if tuple(known.bounds) != point.bounds:
            yield f"buckets {point.bounds}"
        kinds = {type(value) for value in (point.sum, point.value) if value is not None}
        if kinds != {float if known.unit == "s" else int}:
            yield f"values of type {kinds}"


def _plain(value: Any) -> Any:
    """Dicts and lists, whatever the SDK made of them."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
