"""Which traces the Collector keeps, asked from the real Jaeger, against every span that was sent."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import openai
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from stack import DEPLOY, Stack

from asking import ask, query, value, wait_until
from loopback import Json
from loopback.openai_bodies import completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from traffic import QUICK, load

PROVES = "tail sampling kept every trace that it must and a share of the rest, counted in Jaeger; an exemplar's id finds its trace there"

Span = dict[str, Any]


def sent_traces(stack: Stack) -> dict[str, list[Span]]:
    """Return the spans of each trace that came to the Collector, before the sampling."""
    traces: dict[str, list[Span]] = defaultdict(list)
    for line in (stack.folder / "spans.jsonl").read_text(encoding="utf-8").splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    attributes = {
                        item["key"]: next(iter(item["value"].values()), None) for item in span.get("attributes", ())
                    }
                    took = (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e6
                    traces[span["traceId"]].append({**span, "attributes": attributes, "ms": took})
    return traces


def kept_traces(stack: Stack, service: str) -> dict[str, list[Span]]:
    """Return the traces of a service that Jaeger has."""
    found = ask(stack.jaeger, "/api/traces", service=service, limit="20000", lookback="1h")["data"] or []
    return {trace["traceID"]: trace["spans"] for trace in found}


def reasons(text: Any) -> list[str]:
    """Return the reasons why the choices of an answer ended."""
    return [item["stringValue"] for item in (text or {}).get("values", ())]


MUST: dict[str, Callable[[Span], bool]] = {
    "errors": lambda span: span.get("status", {}).get("code") == 2,
    "expensive": lambda span: float(span["attributes"].get("gen_ai.usage.cost") or 0) > float(QUICK["EXPENSIVE_USD"]),
    "truncated": lambda span: "length" in reasons(span["attributes"].get("gen_ai.response.finish_reasons")),
}


@pytest.fixture(scope="module")
def sampled(loaded) -> tuple[dict[str, list[Span]], set[str]]:
    """Traces that were sent, and the ids of those that Jaeger has, when the last one was decided on."""
    # The last trace came before the end, and is decided on after that.
    decided = loaded.ended + float(QUICK["DECISION_WAIT"].rstrip("s")) + 3
    time.sleep(max(decided - time.time(), 0))
    traces = sent_traces(loaded.stack)
    received = "sum(genai_collector_spans_received_total{service_name='weekend-planner'})"
    count = sum(map(len, traces.values()))
    wait_until(
        lambda: value(loaded.stack, received) == count, 30, f"{count} spans in genai_collector_spans_received_total"
    )
    kept = "sum(genai_collector_spans_kept_total{service_name='weekend-planner'})"
    wait_until(
        lambda: value(loaded.stack, kept) == sum(map(len, kept_traces(loaded.stack, "weekend-planner").values())),
        30,
        "what was kept in Jaeger",
    )
    return traces, {*kept_traces(loaded.stack, "weekend-planner")}


@pytest.mark.parametrize("policy", MUST)
def test_what_must_be_kept_is_kept(sampled, policy):
    """Of errors, expensive calls and cut answers, every trace is in Jaeger."""
    traces, kept = sampled
    must = {trace for trace, spans in traces.items() if any(map(MUST[policy], spans))}
    assert must
    assert must - kept == set()


def test_slow_ones_are_kept(sampled):
    """A trace that took longer than SLOW_MS, from the first span's start to the last one's end, is in Jaeger."""
    traces, kept = sampled

    def milliseconds(spans: list[Span]) -> float:
        return (
            max(int(span["endTimeUnixNano"]) for span in spans) - min(int(span["startTimeUnixNano"]) for span in spans)
        ) / 1e6

    slow = {trace for trace, spans in traces.items() if milliseconds(spans) > float(QUICK["SLOW_MS"]) + 1}
    assert slow
    assert slow - kept == set()


def test_a_trace_is_kept_whole(sampled, loaded):
    """Of a trace that is kept, each span is."""
    traces, _ = sampled
    for trace, spans in kept_traces(loaded.stack, "weekend-planner").items():
        assert {span["spanID"] for span in spans} == {span["spanId"] for span in traces[trace]}


def test_the_rest_is_a_share(sampled):
    """Of the others, about SAMPLED_PERCENT: within four standard deviations."""
    traces, kept = sampled
    slow = float(QUICK["SLOW_MS"])
    rest = [
        trace
        for trace, spans in traces.items()
        if not any(must(span) for must in MUST.values() for span in spans)
        and max(span["ms"] for span in spans) < slow - 1
    ]
    share = float(QUICK["SAMPLED_PERCENT"]) / 100
    expected, deviation = len(rest) * share, (len(rest) * share * (1 - share)) ** 0.5
    assert abs(len(kept.intersection(rest)) - expected) <= 4 * deviation


def test_what_was_sent_is_what_the_load_counted(sampled, loaded):
    """The traces are those of the requests, and errors and cut answers as many as the load has counted."""
    traces, kept = sampled
    calls = {
        trace: span
        for trace, spans in traces.items()
        for span in spans
        if span["attributes"].get("gen_ai.operation.name") in ("chat", "embeddings")
    }
    assert len(calls) == loaded.report["requests"]
    failed = {trace for trace, span in calls.items() if "error.type" in span["attributes"]}
    assert len(failed) == len(failed & kept) == sum(loaded.report["errors"].values())
    cut = {trace for trace, span in calls.items() if MUST["truncated"](span)}
    assert len(cut) == len(cut & kept) == loaded.report["truncated"]


def test_what_is_sampled_away_is_counted(sampled, loaded):
    """`genai.collector.spans.received` less `.kept` is what is not in Jaeger."""
    traces, kept = sampled
    gone = value(loaded.stack, "sum(genai_collector_spans_received_total{service_name='weekend-planner'})") - value(
        loaded.stack, "sum(genai_collector_spans_kept_total{service_name='weekend-planner'})"
    )
    assert gone == sum(len(spans) for trace, spans in traces.items() if trace not in kept)


def test_an_exemplar_finds_its_trace(sampled, loaded):
    """The id that a bucket of a failed call's duration has in Prometheus is that of a trace in Jaeger, with that call in it."""
    found = ask(
        loaded.stack.prometheus,
        "/api/v1/query_exemplars",
        query='gen_ai_client_operation_duration_seconds_bucket{error_type!=""}',
        start=str(loaded.began),
        end=str(loaded.ended + 60),
    )["data"]
    _, kept = sampled
    exemplars = [(series["seriesLabels"], exemplar) for series in found for exemplar in series["exemplars"]]
    assert exemplars
    for labels, exemplar in exemplars:
        assert exemplar["labels"]["trace_id"] in kept
        (trace,) = ask(loaded.stack.jaeger, f"/api/traces/{exemplar['labels']['trace_id']}")["data"]
        (span,) = [span for span in trace["spans"] if span["spanID"] == exemplar["labels"]["span_id"]]
        tags = {tag["key"]: tag["value"] for tag in span["tags"]}
        assert tags["gen_ai.request.model"] == labels["gen_ai_request_model"]
        assert tags["error.type"] == labels["error_type"]
        assert float(exemplar["value"]) == pytest.approx(span["duration"] / 1e6, abs=0.05)


def test_no_span_of_ours_becomes_a_span_metric(loaded):
    """What the plugin counts is not counted again: its spans make no `traces.span.metrics`."""
    assert query(loaded.stack, "{__name__=~'traces_span_metrics_.*',service_name='weekend-planner'}") == []


@pytest.fixture
def tracers(stack) -> Any:
    """Makes a provider that sends to the stack at once, for a service of a name."""
    providers = []

    def make(service: str) -> TracerProvider:
        provider = TracerProvider(resource=Resource.create({"service.name": service}))
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(f"{stack.otlp_http}/v1/traces"), schedule_delay_millis=100)
        )
        providers.append(provider)
        return provider

    yield make
    for provider in providers:
        provider.shutdown()


def test_first_and_stopped_calls_are_kept(stack, server, tracers):
    """The first request of a conversation, and an answer that the provider's policy stopped; of other calls, a share."""
    provider = tracers("conversations")
    OpenAIInstrumentor().instrument(tracer_provider=provider, enrichers="gen_ai.conversation.first")
    hello = [{"role": "user", "content": "Hi"}]
    more = [*hello, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "More"}]
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="not-a-key", max_retries=0) as client:

        def chat(messages, reason="stop") -> None:
            choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": "Hello"}}
            server.reply(Json(completion(choices=[choice])))
            client.chat.completions.create(model="gpt-4.1-mini", messages=messages)

        for _ in range(10):
            chat(hello)
            chat(more, "content_filter")
        for _ in range(40):
            chat(more)
    OpenAIInstrumentor().uninstrument()
    provider.force_flush()

    def counted() -> tuple[int, int]:
        tags = [
            {tag["key"]: tag["value"] for tag in spans[0]["tags"]}
            for spans in kept_traces(stack, "conversations").values()
        ]
        first = sum("gen_ai.conversation.first" in each for each in tags)
        return first, sum("content_filter" in str(each.get("gen_ai.response.finish_reasons")) for each in tags)

    wait_until(lambda: counted() == (10, 10), 30, "the first and the stopped calls in Jaeger")
    others = len(kept_traces(stack, "conversations")) - 20
    assert 0 <= others < 25


def test_other_instrumentations_become_span_metrics(stack, tracers):
    """Spans about models that are not the plugin's are counted, by model and error; spans about anything else are not."""
    provider = tracers("another")
    tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
    for number in range(5):
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}
        with tracer.start_as_current_span("chat gpt-4o", attributes=attributes) as span:
            if number == 0:
                span.set_attribute("error.type", "timeout")
        with tracer.start_as_current_span("SELECT"):
            pass
    provider.force_flush()
    calls = "sum by (gen_ai_request_model, error_type) (traces_span_metrics_calls_total{service_name='another'})"

    def by_error() -> dict[str, float]:
        return {each["metric"].get("error_type", ""): float(each["value"][1]) for each in query(stack, calls)}

    wait_until(lambda: by_error() == {"": 4, "timeout": 1}, 20, "calls of another instrumentation in Prometheus")


def test_two_tiers_decide_on_whole_traces(tmp_path):
    """Agents spread traces over two gateways by their ids: each gateway has some, and every trace is whole at one of them."""
    folder = DEPLOY / "collector"
    gateway = [folder / f"{name}.yaml" for name in ("receive", "pass", "keep", "nowhere")]
    agent = [folder / f"{name}.yaml" for name in ("receive", "redact", "keep", "agent", "gateways-list")]
    spans = folder.parents[1] / "tests" / "deploy" / "spans.yaml"
    without = ("prometheus", "jaeger", "alertmanager")
    with (
        Stack(tmp_path / "one", collector=[*gateway, spans], without=without) as one,
        Stack(tmp_path / "two", collector=[*gateway, spans], without=without) as two,
    ):
        gateways = ", ".join(stack.otlp_grpc.removeprefix("http://") for stack in (one, two))
        with Stack(
            tmp_path / "agent", collector=agent, environment={"GATEWAYS": f"[{gateways}]"}, without=without
        ) as first:
            report = load(first.otlp_http, tmp_path / "report.json", rate=20, seconds=3)
        # The agent has sent what it had.
        wait_until(
            lambda: all((stack.folder / "spans.jsonl").stat().st_size for stack in (one, two)),
            10,
            "spans at both gateways",
        )
    at_one, at_two = sent_traces(one), sent_traces(two)
    assert at_one
    assert at_two
    assert at_one.keys().isdisjoint(at_two)
    assert len(at_one) + len(at_two) == report["requests"]
