"""The variables of each backend send what the page says, where it says: run as they stand, but for the name of the server."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, AGGREGATION_TEMPORALITY_DELTA
from starlette.requests import Request
from starlette.responses import Response

from loopback import Json, ModelServer
from loopback._serving import Serving
from loopback.openai_bodies import completion
from loopback.processes import run

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]
PAGE = Path(__file__).parents[2] / "docs" / "backends.md"
CALL = """
from openai import OpenAI

OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}])
"""
SERVER = re.compile(r"https?://[^/\s]+")
SIGNALS = ("traces", "metrics", "logs")


def backends() -> Iterator[Any]:
    """The variables of each section, by its heading."""
    for heading, section in re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        (block,) = re.findall(r"^```env\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        yield pytest.param(dict(line.split("=", 1) for line in block.splitlines()), id=heading)


class Backend:
    """Takes every export, whatever its path is."""

    def __init__(self) -> None:
        """It is served when the constructor returns."""
        self._lock = threading.Lock()
        self.exports: list[tuple[str, dict[str, str], bytes]] = []
        self._serving = Serving(self._answer)
        self.url = self._serving.url

    async def _answer(self, asgi: Any, receive: Any, send: Any) -> None:
        request = Request(asgi, receive)
        body = await request.body()
        with self._lock:
            self.exports.append((request.url.path, dict(request.headers), body))
        await Response(b"", media_type="application/x-protobuf")(asgi, receive, send)

    def close(self) -> None:
        """Stop serving."""
        self._serving.close()


@pytest.fixture
def backend() -> Iterator[Backend]:
    """One on loopback."""
    made = Backend()
    yield made
    made.close()


def expected(variables: dict[str, str]) -> set[str]:
    """The paths that the exporters send to."""
    base = urlsplit(variables.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")).path.rstrip("/")
    paths = set()
    for signal in SIGNALS:
        if variables.get(f"OTEL_{signal.upper()}_EXPORTER") != "none":
            whole = variables.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
            paths.add(f"{base}/v1/{signal}" if whole is None else urlsplit(whole).path)
    return paths


@pytest.mark.parametrize("variables", [*backends()])
def test_backend(tmp_path: Path, server: ModelServer, backend: Backend, variables: dict[str, str]) -> None:
    """Each signal that the backend takes comes at its address, with the headers, and metrics of the right temporality."""
    server.reply_always(Json(completion()))
    sent = {name: SERVER.sub(backend.url, value) for name, value in variables.items()}
    environment = {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "none",
        "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
        **sent,
    }

    _, logged = run(tmp_path, CALL, instrumented=True, **environment)

    assert logged == []
    assert {path for path, _, _ in backend.exports} == expected(variables)
    headers = dict(pair.split("=", 1) for pair in variables.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",") if pair)
    for _, received, _ in backend.exports:
        assert {name.lower(): unquote(value) for name, value in headers.items()}.items() <= received.items()
    preference = variables.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
    wanted = AGGREGATION_TEMPORALITY_DELTA if preference == "delta" else AGGREGATION_TEMPORALITY_CUMULATIVE
    bodies = [body for path, _, body in backend.exports if path.endswith("/v1/metrics")]
    assert {temporality for body in bodies for temporality in temporalities(body)} <= {wanted}
    assert bool(bodies) == (variables.get("OTEL_METRICS_EXPORTER") != "none")


def temporalities(body: bytes) -> Iterator[int]:
    """Those of the histograms of one export."""
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            yield from (
                metric.histogram.aggregation_temporality for metric in scope.metrics if metric.HasField("histogram")
            )
