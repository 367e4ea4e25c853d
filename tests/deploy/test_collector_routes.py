"""What each backend gets: addresses, credentials, deltas where it wants them; and the same series in Prometheus by every way."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from process import free_ports
from stack import DEPLOY, PORTS, Stack

from asking import query, wait_until
from pump import Pump
from sink import Sink
from traffic import QUICK

PROVES = "each backend gets its address, credentials and temporality; OTLP, remote write and the exposition make the same series in Prometheus"
NOT_RUN = (
    "OpenObserve, Dynatrace, Datadog, Langfuse, ClickHouse and Loki themselves: what is sent to them is compared with their documentation",
)

FOLDER = DEPLOY / "collector"
TOKEN = base64.b64encode(b"user:not-a-password").decode()
CREDENTIALS = {
    "OPENOBSERVE_TOKEN": TOKEN,
    "OPENOBSERVE_ORG": "planners",
    "DT_TOKEN": "dt0c01.NOTATOKEN",
    "DD_API_KEY": "0123456789",
    "LANGFUSE_TOKEN": TOKEN,
    "LOKI_TENANT": "planners",
}
ALL = ("traces", "metrics", "logs")
# Where each arrives, and with which headers.
ROUTES: dict[str, dict[str, dict[str, str]]] = {
    "logs": {"/otlp/v1/logs": {"x-scope-orgid": "planners"}},
    "openobserve": {
        f"/api/planners/v1/{signal}": {"authorization": f"Basic {TOKEN}", "stream-name": "default"} for signal in ALL
    },
    "dynatrace": {f"/api/v2/otlp/v1/{signal}": {"authorization": "Api-Token dt0c01.NOTATOKEN"} for signal in ALL},
    "datadog": {f"/v1/{signal}": {"dd-api-key": "0123456789", "dd-otlp-source": "llmobs"} for signal in ALL},
    "langfuse": {"/api/public/otel/v1/traces": {"authorization": f"Basic {TOKEN}"}},
}
DELTAS = {"dynatrace": "/api/v2/otlp/v1/metrics", "datadog": "/v1/metrics"}
CUMULATIVE = "/api/planners/v1/metrics"


@pytest.fixture(scope="module")
def sink(tmp_path_factory) -> Any:
    """What came of the telemetry of 80 calls, and of a span that is about no model."""
    files = [FOLDER / f"{name}.yaml" for name in ("receive", "redact", "keep", *ROUTES)]
    with Sink() as taking:
        urls = dict.fromkeys(("LOKI_URL", "OPENOBSERVE_URL", "DT_URL", "DD_OTLP", "LANGFUSE_URL"), taking.url)
        environment = {**QUICK, **urls, **CREDENTIALS}
        folder = tmp_path_factory.mktemp("routes")
        with Stack(
            folder, collector=files, environment=environment, without=("prometheus", "jaeger", "alertmanager")
        ) as stack:
            provider = TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{stack.otlp_http}/v1/traces")))
            with provider.get_tracer("app").start_as_current_span("SELECT"):
                pass
            provider.shutdown()
            Pump(stack.otlp_http, services=1).run(80, 1)
        # It sent what it had when it ended.
        yield taking


def test_openobserve_starts_with_its_env_file():
    """The example names each variable that the file of the Collector reads, and has no token."""
    example = (FOLDER / "openobserve.env.example").read_text(encoding="utf-8")
    named = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE))
    read = re.findall(r"\$\{env:(\w+)", (FOLDER / "openobserve.yaml").read_text(encoding="utf-8"))
    assert named.keys() == {*read}
    assert named["OPENOBSERVE_TOKEN"] == ""


def decoded(sink: Sink, path: str, request: type[Any]) -> list[Any]:
    """Return the messages that came at a path."""
    found = [request() for at, _ in sink.bodies if at == path]
    for message, body in zip(found, (body for at, body in sink.bodies if at == path), strict=True):
        message.ParseFromString(body)
    return found


@pytest.mark.parametrize("route", ROUTES)
def test_address_and_credentials(sink, route):
    """Each signal comes where the backend's documentation has it, with the credentials of the environment."""
    for path, headers in ROUTES[route].items():
        assert path in sink.paths
        assert headers.items() <= sink.headers(path).items()


def temporalities(sink: Sink, path: str) -> set[int]:
    """Return those of the sums and histograms of the plugin that came at a path."""
    return {
        getattr(metric, metric.WhichOneof("data")).aggregation_temporality
        for message in decoded(sink, path, ExportMetricsServiceRequest)
        for resource in message.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.WhichOneof("data") in ("sum", "histogram")
    }


@pytest.mark.parametrize("route", DELTAS)
def test_deltas_where_they_are_wanted(sink, route):
    """Dynatrace and Datadog get deltas, and nothing else; the others what the application sent."""
    assert temporalities(sink, DELTAS[route]) == {1}
    assert temporalities(sink, CUMULATIVE) == {2}


def test_langfuse_gets_spans_about_models_alone(sink):
    """The span of a database is in OpenObserve and not in Langfuse."""

    def names(path: str) -> set[str]:
        return {
            span.name
            for message in decoded(sink, path, ExportTraceServiceRequest)
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }

    assert names("/api/planners/v1/traces") == {"SELECT", "chat gpt-4.1-mini"}
    assert names("/api/public/otel/v1/traces") == {"chat gpt-4.1-mini"}


# What Prometheus has to do to get the exposition; the rest is the file of deploy/prometheus.
SCRAPING = """scrape_configs:
  - job_name: collector
    honor_labels: true
    static_configs:
      - targets: [127.0.0.1:8889]
"""
WAYS = ("prometheus", "prometheus-remote-write", "prometheus-exposition")


def series(folder: Any, way: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Return the series that Prometheus has of the plugin's metrics, with their values, by one way."""
    files = [FOLDER / f"{name}.yaml" for name in ("receive", "pass", "keep", "nowhere", way)]
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    replace = {"scrape_interval: 15s": "scrape_interval: 1s"}
    if way == "prometheus-exposition":
        replace["scrape_configs:\n"] = SCRAPING.replace("8889", str(ports["exposition"]))
    environment = {**QUICK, "REMOTE_WRITE_URL": f"http://127.0.0.1:{ports['prometheus']}/api/v1/write"}
    with Stack(
        folder,
        collector=files,
        environment=environment,
        ports=ports,
        replace=replace,
        without=("jaeger", "alertmanager"),
    ) as stack:
        Pump(stack.otlp_http, services=1).run(40, 0.5)
        every = '{__name__=~"gen_ai_.*"}'
        wait_until(lambda: len(query(stack, every)) > 80, 30, "series of the plugin")
        found = query(stack, every)
    # Each run of the application is another process and another port of its model server.
    own = ("instance", "server_port")
    return {
        tuple(sorted((name, text) for name, text in each["metric"].items() if name not in own)): float(each["value"][1])
        for each in found
        if not each["metric"]["__name__"].endswith(("_sum", "_bucket"))
    }


def test_every_way_makes_the_same_series(tmp_path):
    """Names, labels and counts are the same by OTLP, by remote write and by scraping: one set of rules and boards is for all."""
    by_otlp, by_writing, by_scraping = (series(tmp_path / way, way) for way in WAYS)
    assert len(by_otlp) > 5
    assert by_writing == by_otlp
    assert by_scraping == by_otlp
