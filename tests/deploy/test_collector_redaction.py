"""What the Collector sends on has neither content nor secrets, in no signal and on no route."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from stack import DEPLOY, Stack

import planted
import planting
from asking import wait_until
from loopback import Json, ModelServer
from loopback.openai_bodies import completion, error
from loopback.otlp_records import logs, metrics, spans
from sink import Sink, texts
from traffic import EVERYTHING, QUICK

PROVES = "planted prompts and secrets pass the redacting Collector in no byte of any exporter; without the redaction, all of them do"
NOT_RUN = (
    "what the Collector sends to ClickHouse: its protocol needs the server; its exporter gets the same redacted telemetry",
)

ROUTES = (
    *("prometheus", "prometheus-remote-write", "prometheus-exposition", "traces", "logs"),
    *("openobserve", "dynatrace", "datadog", "langfuse"),
)
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# Where each route arrives.
ARRIVING = {
    TRACES,
    "/api/v1/otlp/v1/metrics",
    "/api/v1/write",
    "/otlp/v1/logs",
    *(f"/api/default/v1/{signal}" for signal in ("traces", "metrics", "logs")),
    *(f"/api/v2/otlp/v1/{signal}" for signal in ("traces", "metrics", "logs")),
    *(f"/v1/{signal}" for signal in ("traces", "metrics", "logs")),
    "/api/public/otel/v1/traces",
}
GRAMMARS = (planted.email, planted.credit_card, planted.jwt, planted.private_key, planted.aws_key, planted.secrets)


class Sent(NamedTuple):
    """What left a Collector.

    Attributes:
        raw: every byte.
        bodies: path and body of each request.
    """

    raw: bytes
    bodies: list[tuple[str, bytes]]

    def decoded(self, path: str) -> list[dict[str, Any]]:
        """Return spans, metrics or log records that arrived at a path."""
        request, read = {
            "traces": (ExportTraceServiceRequest, spans),
            "Export": (ExportTraceServiceRequest, spans),
            "metrics": (ExportMetricsServiceRequest, metrics),
            "logs": (ExportLogsServiceRequest, logs),
        }[path.rpartition("/")[2]]
        found = []
        for at, body in self.bodies:
            if at == path:
                message = request()
                message.ParseFromString(body)
                found += read(message)
        return found


def words_of(place: str) -> str:
    """Words of content for a place, which are nowhere else and look like no secret."""
    return f"the walrus of {place.replace(' ', '')} wants oysters"


def secrets(random: Random, found: list[planted.Secret]) -> str:
    """A sentence with a secret of each grammar, which are also kept."""
    drawn = []
    for grammar in GRAMMARS:
        made = grammar(random)
        drawn.append(
            planted.Secret(grammar.__name__, *made)
            if isinstance(made, tuple)
            else planted.Secret(grammar.__name__, made, made)
        )
    found += drawn
    return " and ".join(f"<{secret.text}>" for secret in drawn)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> tuple[Path, dict[str, str], dict[str, list[planted.Secret]]]:
    """The file of what is planted, the words of each place, and the secrets of each."""
    random = Random(11)
    kept: dict[str, list[planted.Secret]] = {place: [] for place in planting.PLACES_OF_SECRETS}
    in_places = {place: secrets(random, kept[place]) for place in kept}
    # Nothing but its name says that it is a secret.
    named = {name: random.randbytes(12).hex() for name in planting.NAMES_OF_SECRETS}
    kept["names"] = [planted.Secret("name", text, text) for text in named.values()]
    kept["span name"] = [planted.Secret("email", *[planted.email(random)] * 2)]
    kept["resource"] = [planted.Secret("email", *[planted.email(random)] * 2)]
    content = {place: words_of(place) for place in planting.PLACES_OF_WORDS}
    file = tmp_path_factory.mktemp("planted") / "plan.json"
    file.write_text(
        json.dumps({"words": content, "secrets": in_places, "named": named, "email": kept["span name"][0].text}),
        encoding="utf-8",
    )
    return file, content, kept


def send(collector: str, folder: Path, server: ModelServer, plan: tuple[Path, Any, Any]) -> Sent:
    """Run the planting application through a Collector with all routes, and return what left it.

    Args:
        collector: the file between receiving and the routes, `redact` or `pass`.
        folder: for what it writes.
        server: the model server.
        plan: what is planted.
    """
    files = [
        DEPLOY / "collector" / f"{name}.yaml"
        for name in ("receive", collector, "keep", "span-metrics", "derived", "dropped", *ROUTES)
    ]
    words = plan[1]
    server.reset()
    server.reply(
        Json(completion(words["answer"])),
        Json(error(f"Invalid input: {words['error']}", "invalid_prompt"), status=400),
    )
    with Sink() as sink:
        elsewhere = {
            **QUICK,
            "PROMETHEUS_URL": sink.url,
            "REMOTE_WRITE_URL": f"{sink.url}/api/v1/write",
            "TRACES_ENDPOINT": sink.address,
            "LOKI_URL": sink.url,
            "OPENOBSERVE_URL": sink.url,
            "DT_URL": sink.url,
            "DD_OTLP": sink.url,
            "LANGFUSE_URL": sink.url,
            **dict.fromkeys(("OPENOBSERVE_TOKEN", "DT_TOKEN", "DD_API_KEY", "LANGFUSE_TOKEN"), "bm90OmE="),
        }
        with Stack(
            folder, collector=files, environment=elsewhere, without=("prometheus", "jaeger", "alertmanager")
        ) as stack:
            _run(server.url, stack.otlp_http, plan[0], plan[2]["resource"][0].text)
            wait_until(lambda: ARRIVING <= set(sink.paths), 30, "a route without telemetry")
            exposed = b""

            def is_exposed() -> bool:
                nonlocal exposed
                with urllib.request.urlopen(stack.exposition, timeout=10) as response:
                    exposed = response.read()
                return b"app_orders" in exposed

            wait_until(is_exposed, 15, "the exposition without the metric of the application")
        # The Collector has sent what it had.
        return Sent(sink.raw() + exposed, sink.bodies)


def _run(model: str, endpoint: str, plan: Path, owner: str) -> None:
    environment = {
        **EVERYTHING,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SERVICE_NAME": "planting",
        "OTEL_RESOURCE_ATTRIBUTES": f"owner={quote(owner)}",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_and_event",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    instrument = Path(sys.executable).with_name("opentelemetry-instrument")
    subprocess.run(
        [instrument, sys.executable, Path(planting.__file__), model, plan], env=environment, check=True, timeout=60
    )


@pytest.fixture(scope="module")
def redacted(tmp_path_factory, model_server, plan) -> Sent:
    """What left the Collector that redacts."""
    return send("redact", tmp_path_factory.mktemp("redact"), model_server, plan)


@pytest.fixture(scope="module")
def passed(tmp_path_factory, model_server, plan) -> Sent:
    """What left the Collector that does not."""
    return send("pass", tmp_path_factory.mktemp("pass"), model_server, plan)


def test_no_content_passes(redacted, plan):
    """Messages, instructions, tools, their arguments and results, documents, errors that quote them, bodies of events and debug lines."""
    _, content, _ = plan
    assert [*texts(redacted.raw, [*content.values()])] == []


@pytest.mark.parametrize("place", [*planting.PLACES_OF_SECRETS, "names", "span name", "resource"])
def test_no_secret_passes(redacted, plan, place):
    """E-mail addresses, cards, keys, tokens and passwords, by the grammars of those who issue them, wherever telemetry has texts."""
    _, _, kept = plan
    assert planted.leaks(redacted.raw, kept[place]) == []


def test_without_the_redaction_all_of_it_passes(passed, plan):
    """The search finds what is there: every word and every secret."""
    _, content, kept = plan
    every = [secret for secrets in kept.values() for secret in secrets]
    assert [*texts(passed.raw, [*content.values()])] == [*content.values()]
    assert set(planted.leaks(passed.raw, every)) == set(every)


def test_what_is_neither_stays(redacted, passed):
    """Everything else of the call is as it was: models, tokens, ids of responses, lists of reasons, names of prompts."""

    def calls(sent: Sent) -> list[dict[str, Any]]:
        found = [span["attributes"] for span in sent.decoded(TRACES) if span["name"] == "chat gpt-4.1-mini"]
        changing = ("gen_ai.response.id", "openai.request.id", "server.port", "thread.id")
        return [{key: value for key, value in each.items() if key not in changing} for each in found]

    (before,), (after,) = calls(passed), calls(redacted)
    masked = {key for key, value in after.items() if value != before[key]}
    assert masked == {
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.tool.definitions",
    }
    assert before.keys() == after.keys()
    assert {after[key] for key in masked} == {"****"}


def test_numbers_stay(redacted):
    """Numbers that are no whole ones stay as they are, whatever their digits look like."""
    (found,) = (span["attributes"] for span in redacted.decoded(TRACES) if "app.seconds" in span["attributes"])
    assert {name: found[name] for name in planting.NUMBERS} == planting.NUMBERS


def test_errors_keep_their_type(redacted):
    """Of an error, the type stays as status and attribute; what it says does not."""
    failed = {span["name"]: span for span in redacted.decoded(TRACES) if span["status"]["code"] == "ERROR"}
    assert {name: span["status"]["description"] for name, span in failed.items()} == {
        "chat gpt-5-mini": "invalid_prompt",
        # The HTTP span below it.
        "POST": "",
        "failing": "",
        "status": "",
    }
    (event,) = failed["failing"]["events"]
    assert event["attributes"]["exception.type"] == "ValueError"


def test_metrics_keep_their_labels(redacted):
    """Of metrics, only values that look like secrets are masked."""
    (orders,) = {
        point["attributes"]["customer"]
        for metric in redacted.decoded("/api/v1/otlp/v1/metrics")
        if metric["name"] == "app.orders"
        for point in metric["points"]
    }
    assert orders.count("****") == len(GRAMMARS)
    durations = [
        metric
        for metric in redacted.decoded("/api/v1/otlp/v1/metrics")
        if metric["name"] == "gen_ai.client.operation.duration"
    ]
    assert {point["attributes"].get("gen_ai.request.model") for metric in durations for point in metric["points"]} >= {
        "gpt-4.1-mini"
    }
