"""Where OpenTelemetry's SDK keeps so many characters of an attribute's value, content is cut to that by us: its JSON stays valid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from loopback import Json, Telemetry, uninstrument_all
from loopback.openai_bodies import MODEL, completion
from loopback.schemas import CONTENT, complaints
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._signals.value_limit import value_limit

INPUT, OUTPUT, *_ = CONTENT
LIMIT = 512
SPAN, RECORD, BOTH = (
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)


@pytest.fixture
def ask(server: Any, openai_client: Callable[..., Any]) -> Callable[..., None]:
    """Instruments, and makes a call with a long history and a long answer."""

    def call(**settings: Any) -> None:
        OpenAIInstrumentor().instrument(capture_message_content=True, **settings)
        server.reply(Json(completion('"é" ' * 300)))
        openai_client().chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": f"question {n} " * 20} for n in range(9)]
        )

    return call


@pytest.fixture
def limited() -> Iterator[Callable[[], Telemetry]]:
    """Providers that are made after a test has set its variables."""
    made: list[Telemetry] = []

    def make() -> Telemetry:
        made.append(Telemetry())
        return made[-1]

    yield make
    uninstrument_all()
    for telemetry in made:
        telemetry.shutdown()


def hold(attributes: Any, limit: int) -> None:
    """Both attributes are JSON by their schemas, within the limit, and say that they were cut."""
    for name in (INPUT, OUTPUT):
        assert limit // 2 < len(attributes[name]) <= limit
        messages = json.loads(attributes[name])
        assert [] == complaints(name, messages)
        assert "original_bytes" in repr(messages)
    assert 3000 < attributes["gen_ai.content.original_bytes"]


@pytest.mark.parametrize("variable", [SPAN, BOTH])
def test_the_limit_of_a_variable_is_a_budget_for_each_attribute(ask, limited, monkeypatch, caplog, variable):
    """Each of them has as many characters as the SDK keeps, so it cuts none in the middle, nor says that it did."""
    monkeypatch.setenv(variable, str(LIMIT))
    telemetry = limited()
    ask(**telemetry.providers)

    hold(telemetry.span.attributes, LIMIT)
    assert [] == [record for record in caplog.records if "truncating" in record.getMessage()]


def test_the_limit_of_a_tracer_provider_counts_before_the_variable(ask, limited, monkeypatch):
    """As it does for the SDK."""
    monkeypatch.setenv(SPAN, "300")
    exporter = InMemorySpanExporter()
    provider = TracerProvider(span_limits=SpanLimits(max_span_attribute_length=LIMIT), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    ask(**{**limited().providers, "tracer_provider": provider})

    (span,) = exporter.get_finished_spans()
    hold(span.attributes, LIMIT)
    provider.shutdown()


def test_an_event_is_cut_in_the_same_way(ask, limited, monkeypatch):
    """Its texts are not cut by the SDK without a mark."""
    monkeypatch.setenv(BOTH, str(LIMIT))
    telemetry = limited()
    ask(**telemetry.providers)

    (event,) = telemetry.events
    for name in (INPUT, OUTPUT):
        assert json.loads(telemetry.span.attributes[name]) == json.loads(json.dumps(event.attributes[name]))


def test_a_smaller_budget_of_ours_holds(ask, limited, monkeypatch):
    """The smaller of the two counts."""
    monkeypatch.setenv(BOTH, str(1 << 20))
    telemetry = limited()
    ask(content_budget=1000, **telemetry.providers)

    assert 200 < sum(len(telemetry.span.attributes.get(name, "")) for name in (INPUT, OUTPUT)) <= 1000


def test_no_limit_cuts_nothing(ask, limited):
    """The SDK has none by default."""
    telemetry = limited()
    ask(**telemetry.providers)

    assert "gen_ai.content.original_bytes" not in telemetry.span.attributes


def test_a_limit_without_room_for_a_mark_leaves_content_out(ask, limited, monkeypatch):
    """Below 194 characters the size of all alone says that there was content."""
    monkeypatch.setenv(BOTH, "193")
    telemetry = limited()
    ask(**telemetry.providers)

    assert {INPUT, OUTPUT}.isdisjoint(telemetry.span.attributes)
    assert 3000 < telemetry.span.attributes["gen_ai.content.original_bytes"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({SPAN: "9"}, 9),
        ({RECORD: "9"}, 9),
        ({BOTH: "9"}, 9),
        ({BOTH: "9", SPAN: "20", RECORD: "30"}, 20),
        ({BOTH: "unset"}, None),
        ({BOTH: ""}, None),
        ({BOTH: "many"}, None),
    ],
)
def test_where_providers_do_not_say_their_limits_the_variables_count(monkeypatch, variables, expected):
    """As with tracers that others wrap, or that wait for a provider."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert expected == value_limit(trace.NoOpTracer(), None)
