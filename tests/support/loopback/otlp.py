"""A receiver of OTLP over HTTP/protobuf and gRPC that keeps every byte and everything the bytes say."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message as Protobuf
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb2
from starlette.requests import Request
from starlette.responses import Response

from loopback._serving import HOST, Message, Receive, Send, Serving
from loopback.otlp_records import Record, logs, metrics, spans

T = TypeVar("T")
Found = Callable[["OtlpReceiver"], T]

_PROTOBUF = "application/x-protobuf"
# signal -> (HTTP path, gRPC service, request, response)
_SIGNALS: Mapping[str, tuple[str, str, type[Protobuf], type[Protobuf]]] = {
    "spans": (
        "/v1/traces",
        "opentelemetry.proto.collector.trace.v1.TraceService",
        trace_pb2.ExportTraceServiceRequest,
        trace_pb2.ExportTraceServiceResponse,
    ),
    "metrics": (
        "/v1/metrics",
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
        metrics_pb2.ExportMetricsServiceRequest,
        metrics_pb2.ExportMetricsServiceResponse,
    ),
    "logs": (
        "/v1/logs",
        "opentelemetry.proto.collector.logs.v1.LogsService",
        logs_pb2.ExportLogsServiceRequest,
        logs_pb2.ExportLogsServiceResponse,
    ),
}
_BY_PATH = {path: signal for signal, (path, *_) in _SIGNALS.items()}
_DECODED: Mapping[str, Callable[[Any], list[Record]]] = {"spans": spans, "metrics": metrics, "logs": logs}


class OtlpReceiver:
    """Accepts exports from construction until ``close()``, each protocol on a port of its own."""

    def __init__(self) -> None:
        """Both protocols are served when the constructor returns."""
        self._changed = threading.Condition()
        self._raw: list[bytes] = []
        self._records: dict[str, list[Record]] = {signal: [] for signal in _SIGNALS}
        self._http = Serving(self._answer)
        self._grpc = grpc.server(ThreadPoolExecutor(max_workers=4), handlers=[*map(self._service, _SIGNALS)])
        self._grpc_port = self._grpc.add_insecure_port(f"{HOST}:0")
        self._grpc.start()

    @property
    def http_url(self) -> str:
        """The endpoint of OTLP over HTTP/protobuf, without ``/v1/traces`` and the like."""
        return self._http.url

    @property
    def grpc_url(self) -> str:
        """The endpoint of OTLP over gRPC, without TLS."""
        return f"http://{HOST}:{self._grpc_port}"

    @property
    def raw(self) -> bytes:
        """Every message received, uncompressed: what is not in here was not exported."""
        with self._changed:
            return b"\n".join(self._raw)

    @property
    def spans(self) -> list[Record]:
        """The spans received, in order of arrival."""
        return self._received("spans")

    @property
    def metrics(self) -> list[Record]:
        """The metrics received, one record per metric and export."""
        return self._received("metrics")

    @property
    def logs(self) -> list[Record]:
        """The log records received, events included."""
        return self._received("logs")

    def environment(self, protocol: str = "http/protobuf") -> dict[str, str]:
        """The variables that make ``opentelemetry-instrument`` export everything to this receiver, without delay."""
        return {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.grpc_url if protocol == "grpc" else self.http_url,
            "OTEL_EXPORTER_OTLP_INSECURE": "true",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
        }

    def wait_for(self, found: Found[T], timeout: float = 10) -> T:
        """What ``found(receiver)`` returns as soon as that is true; AssertionError with what is there if it is not."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (value := found(self)):
                if not self._changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"not received within {timeout} s; received: {self._summary()}")
            return value

    def reset(self) -> None:
        """Forgets everything received."""
        with self._changed:
            self._raw.clear()
            for records in self._records.values():
                records.clear()

    def raise_failure(self) -> None:
        """Raises what went wrong in the receiver itself, a body that cannot be decoded among it."""
        self._http.raise_failure()

    def close(self) -> None:
        """Stops serving both protocols."""
        self._grpc.stop(grace=None).wait(timeout=10)
        self._http.close()

    def _received(self, signal: str) -> list[Record]:
        """A copy, so that a test can walk it while more arrives."""
        with self._changed:
            return list(self._records[signal])

    def _summary(self) -> dict[str, list[str]]:
        """The names of what was received."""
        names = {"spans": "name", "metrics": "name", "logs": "event_name"}
        return {signal: [record[names[signal]] for record in self._records[signal]] for signal in _SIGNALS}

    def _take(self, signal: str, body: bytes) -> bytes:
        """Keeps one export and returns the response to it."""
        _, _, request, response = _SIGNALS[signal]
        records = _DECODED[signal](request.FromString(body))
        with self._changed:
            self._raw.append(body)
            self._records[signal].extend(records)
            self._changed.notify_all()
        answer: bytes = response().SerializeToString()
        return answer

    def _service(self, signal: str) -> grpc.GenericRpcHandler:
        """The gRPC service of one signal, without generated stubs, which would hide the bytes."""
        method = grpc.unary_unary_rpc_method_handler(lambda body, _: self._take(signal, body))
        service: grpc.GenericRpcHandler = grpc.method_handlers_generic_handler(_SIGNALS[signal][1], {"Export": method})
        return service

    async def _answer(self, asgi: Message, receive: Receive, send: Send) -> None:
        """One export over HTTP."""
        response = await self._export(Request(asgi, receive))
        await response(asgi, receive, send)

    async def _export(self, request: Request) -> Response:
        """404 for what is no path of OTLP, and 415 for another encoding than protobuf."""
        signal = _BY_PATH.get(request.url.path)
        if request.method != "POST" or signal is None:
            return Response(status_code=404)
        if request.headers.get("content-type") != _PROTOBUF:
            return Response(status_code=415)
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return Response(self._take(signal, body), media_type=_PROTOBUF)
