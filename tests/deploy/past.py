"""Samples of the past: what an application sent, sent again as if it had been a week ago."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

_STEP = 5  # seconds between two samples


@contextmanager
def recorded() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """Take OTLP over HTTP, and keep the metrics: gives the address and the list of what has come."""
    found: list[ExportMetricsServiceRequest] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/metrics":
                found.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def send_as_past(
    prometheus: str, last: ExportMetricsServiceRequest, metrics: Sequence[str], begin: float, seconds: float
) -> None:
    """Send the histograms of an export to Prometheus as if their counts had been made again and again for a while.

    Args:
        prometheus: its URL.
        last: the export, with all counts since the start of the application.
        metrics: which of its metrics.
        begin: when it begins, in seconds since 1970.
        seconds: how long it lasts.
    """
    for step in range(1, int(seconds / _STEP) + 1):
        at = begin + step * _STEP
        body = _again(last, metrics, step, begin, at).SerializeToString()
        request = urllib.request.Request(
            f"{prometheus}/api/v1/otlp/v1/metrics", body, {"Content-Type": "application/x-protobuf"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.status < 300


def _again(
    last: ExportMetricsServiceRequest, metrics: Sequence[str], times: int, begin: float, at: float
) -> ExportMetricsServiceRequest:
    """The export with so many times its counts, at another time."""
    made = ExportMetricsServiceRequest()
    made.CopyFrom(last)
    for resource in made.resource_metrics:
        for scope in resource.scope_metrics:
            kept = [metric for metric in scope.metrics if metric.name in metrics]
            del scope.metrics[:]
            scope.metrics.extend(kept)
            for point in (point for metric in scope.metrics for point in metric.histogram.data_points):
                point.start_time_unix_nano, point.time_unix_nano = int(begin * 1e9), int(at * 1e9)
                point.count *= times
                point.sum *= times
                point.bucket_counts[:] = [count * times for count in point.bucket_counts]
                del point.exemplars[:]
    return made


def send_too_old(collector: str) -> None:
    """Send a sample of an hour that no Prometheus takes any more: the Collector has to give it up."""
    made = ExportMetricsServiceRequest()
    metric = made.resource_metrics.add().scope_metrics.add().metrics.add(name="too.old")
    metric.gauge.data_points.add(time_unix_nano=int((time.time() - 30 * 86400) * 1e9), as_double=1)
    request = urllib.request.Request(
        f"{collector}/v1/metrics",
        made.SerializeToString(),
        {"Content-Type": "application/x-protobuf"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30):
        pass
