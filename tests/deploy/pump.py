"""Many calls a second: the telemetry of real calls, sent again and again with ids of its own, as fast as a Collector is to get it."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

from measure import Recorded

from opentelemetry_instrumentation_genai.cli.demo.server.loopback import serve
from opentelemetry_instrumentation_genai.cli.demo.server.model_server import model_server
from opentelemetry_instrumentation_genai.cli.demo.server.tally import Tally


class Pump:
    """Sends batches of calls over OTLP/HTTP.

    Attributes:
        sent: how many spans, log records and data points were taken, by signal.
        refused: how many were not.

    Args:
        endpoint: where to.
        services: how many services the calls are of.
    """

    def __init__(self, endpoint: str, services: int = 20) -> None:
        self._endpoint, self._services = endpoint, services
        self.sent: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        with serve(model_server(Tally())) as url:
            self._recorded = Recorded(url)
        self._rounds = 0

    def run(self, rate: float, seconds: float) -> float:
        """Send so many calls a second for so long; return how many it came to, as fast as this machine is.

        Args:
            rate: calls a second.
            seconds: how long.
        """
        batch = self._count(self._recorded.spans.resource_spans, "spans")
        began, calls = time.monotonic(), 0
        while (now := time.monotonic() - began) < seconds:
            if calls > now * rate:
                time.sleep(min(calls / rate - now, seconds - now))
                continue
            self._batch()
            calls += batch
        return calls / (time.monotonic() - began)

    def _batch(self) -> None:
        """Send all three signals of one batch: spans and events with new ids, metrics of one service with the time of now."""
        self._rounds += 1
        service, now = f"service-{self._rounds % self._services}", time.time_ns()
        recorded = self._recorded
        for span in self._items(recorded.spans.resource_spans, "spans"):
            took = span.end_time_unix_nano - span.start_time_unix_nano
            span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
            span.start_time_unix_nano, span.end_time_unix_nano = now - took, now
        for record in self._items(recorded.logs.resource_logs, "log_records"):
            record.time_unix_nano = record.observed_time_unix_nano = now
        for metric in self._items(recorded.metrics.resource_metrics, "metrics"):
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                point.time_unix_nano = now
        self._send("traces", recorded.spans, recorded.spans.resource_spans, "spans", service)
        self._send("logs", recorded.logs, recorded.logs.resource_logs, "log_records", service)
        self._send("metrics", recorded.metrics, recorded.metrics.resource_metrics, "metrics", service)

    def _send(self, signal: str, message: Any, resources: Any, items: str, service: str) -> None:
        for resource in resources:
            for attribute in resource.resource.attributes:
                if attribute.key == "service.name":
                    attribute.value.string_value = service
        headers = {"content-type": "application/x-protobuf"}
        request = urllib.request.Request(f"{self._endpoint}/v1/{signal}", message.SerializeToString(), headers)
        count = self._count(resources, items)
        try:
            urllib.request.urlopen(request, timeout=30).close()
            self.sent[signal] += count
        except urllib.error.HTTPError:
            self.refused[signal] += count

    @staticmethod
    def _items(resources: Any, items: str) -> list[Any]:
        scopes = [
            scope
            for resource in resources
            for scope in getattr(
                resource, {"spans": "scope_spans", "log_records": "scope_logs", "metrics": "scope_metrics"}[items]
            )
        ]
        return [item for scope in scopes for item in getattr(scope, items)]

    def _count(self, resources: Any, items: str) -> int:
        found = self._items(resources, items)
        if items != "metrics":
            return len(found)
        return sum(len(getattr(metric, metric.WhichOneof("data")).data_points) for metric in found)
