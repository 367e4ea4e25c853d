"""Agent and gateway as the chart starts them, with the real Collector: what an application sends to the one arrives behind the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource as Service
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode
from process import HOST, Process, free_ports
from stack import Stack

from asking import ask, query, wait_until
from manifests import CHART, Resource, named, pods, template

PROVES = "an agent and a gateway with the chart's files, commands and variables: redacted by the one, sampled by the other, none lost"

PROMPT = "the patient is called Ada Lovelace"


class Tiers(NamedTuple):
    """What runs.

    Attributes:
        agent: where applications send over HTTP.
        stack: the backends.
    """

    agent: str
    stack: Stack


def started(pod: Resource, files: Path, otelcol: Path, **instead: str) -> Process:
    """The Collector of a pod, with its command and variables, on ports of loopback.

    Args:
        pod: the template.
        files: the folder of the Collector's files.
        otelcol: the program.
        instead: variables in place of the pod's.
    """
    (container,) = pod["spec"]["containers"]
    words = [word.replace("/etc/genai", str(files)) for word in container["args"]]
    health, metrics = free_ports(2)
    variables = {one["name"]: one["value"] for one in container["env"]}
    given = {"LISTEN": HOST, "HEALTH_PORT": str(health), "METRICS_PORT": str(metrics), **instead}
    log = files / f"{pod['metadata']['labels']['app.kubernetes.io/component']}.log"
    return Process(log.stem, [otelcol, *words], log, f"http://{HOST}:{health}/", environment={**variables, **given})


@pytest.fixture(scope="module")
def tiers(tools: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    """Prometheus, Jaeger, a gateway and an agent."""
    made = template(tools("helm"), f"--values={CHART}/values/all.yaml")
    folder = tmp_path_factory.mktemp("files")
    for name, text in named(made, "ConfigMap")["genai-collector"]["data"].items():
        (folder / name).write_text(text)
    agent_http, agent_grpc, gateway_http, gateway_grpc = map(str, free_ports(4))
    found = pods(made)
    with Stack(tmp_path_factory.mktemp("backends"), without=("collector", "alertmanager")) as stack:
        addresses = stack.addresses()
        backends = {name: addresses[name] for name in ("PROMETHEUS_URL", "TRACES_ENDPOINT")}
        gateway = started(
            found["Deployment/genai-gateway"], folder, tools("otelcol"),
            OTLP_GRPC_PORT=gateway_grpc, OTLP_HTTP_PORT=gateway_http, DECISION_WAIT="2s", **backends,
        )  # fmt: skip
        agent = started(
            found["DaemonSet/genai-agent"], folder, tools("otelcol"),
            OTLP_GRPC_PORT=agent_grpc, OTLP_HTTP_PORT=agent_http, GATEWAY_HOST=HOST, GATEWAY_PORT=gateway_grpc,
        )  # fmt: skip
        try:
            gateway.start()
            agent.start()
            yield Tiers(f"http://{HOST}:{agent_http}", stack)
        finally:
            agent.stop()
            gateway.stop()


def tags(span: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a span of Jaeger."""
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def test_a_trace_arrives_redacted(tiers: Tiers) -> None:
    """All spans of a trace with an error are kept, in one trace; the prompt is in none of them, the names of models are."""
    provider = TracerProvider(resource=Service.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{tiers.agent}/v1/traces")))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("order") as order:
        for number in range(3):
            with tracer.start_as_current_span(f"chat {number}") as span:
                span.set_attribute("gen_ai.request.model", "gpt-4o")
                span.set_attribute("gen_ai.input.messages", json.dumps([{"role": "user", "content": PROMPT}]))
        span.set_status(Status(StatusCode.OK))
        order.set_status(Status(StatusCode.ERROR))
    provider.shutdown()
    trace = f"{order.get_span_context().trace_id:032x}"

    def found() -> list[dict[str, Any]]:
        try:
            (one,) = ask(tiers.stack.jaeger, f"/api/traces/{trace}")["data"]
        except OSError:
            return []
        return one["spans"] if len(one["spans"]) == 4 else []

    spans = wait_until(found, 60, "the trace is not in Jaeger")
    assert {"order", "chat 0", "chat 1", "chat 2"} == {span["operationName"] for span in spans}
    assert PROMPT not in json.dumps(spans)
    assert ["gpt-4o"] * 3 == [tags(span)["gen_ai.request.model"] for span in spans if "chat" in span["operationName"]]


def test_metrics_arrive(tiers: Tiers) -> None:
    """What is counted is in Prometheus, under the name and the labels of the boards."""
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{tiers.agent}/v1/metrics"), float("inf"))
    provider = MeterProvider([reader], resource=Service.create({"service.name": "shop", "k8s.namespace.name": "shops"}))
    provider.get_meter("test").create_histogram("gen_ai.client.operation.duration", "s").record(
        1.5, {"gen_ai.request.model": "gpt-4o"}
    )
    provider.force_flush()
    provider.shutdown()

    name = "gen_ai_client_operation_duration_seconds_count"
    (found,) = wait_until(lambda: query(tiers.stack, name), 60, "the metric is not in Prometheus")
    assert {"service_name": "shop", "k8s_namespace_name": "shops", "gen_ai_request_model": "gpt-4o"}.items() <= found[
        "metric"
    ].items()
    assert "1" == found["value"][1]
