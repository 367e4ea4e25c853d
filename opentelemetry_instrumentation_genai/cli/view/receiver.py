"""OTLP over HTTP and gRPC: spans and log records go to the store, metrics are accepted and dropped."""

from __future__ import annotations

import sqlite3
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb2
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..._runtime.guard import warn_once
from .local import HOST, routed
from .records import from_json, logs, spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from .store import Store

_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_MOST: Final = 64 * 1024 * 1024  # bytes of an export
_NO_OTLP: Final = "The body is no export of OTLP."
_NOT_KEPT = "What is received cannot be kept: %s."


class _Signal(NamedTuple):
    path: str
    service: str
    request: type[Message]
    response: type[Message]
    keep: Callable[[Store, Any], None]


def _keep_spans(store: Store, request: trace_pb2.ExportTraceServiceRequest) -> None:
    store.add_spans(spans(request))


def _keep_logs(store: Store, request: logs_pb2.ExportLogsServiceRequest) -> None:
    store.add_logs(logs(request))


def _keep_nothing(store: Store, request: Message) -> None:
    """Drop metrics: an exporter of all three signals is not to fail."""


_COLLECTOR: Final = "opentelemetry.proto.collector"
_SIGNALS: Final = (
    _Signal(
        "/v1/traces",
        f"{_COLLECTOR}.trace.v1.TraceService",
        trace_pb2.ExportTraceServiceRequest,
        trace_pb2.ExportTraceServiceResponse,
        _keep_spans,
    ),
    _Signal(
        "/v1/logs",
        f"{_COLLECTOR}.logs.v1.LogsService",
        logs_pb2.ExportLogsServiceRequest,
        logs_pb2.ExportLogsServiceResponse,
        _keep_logs,
    ),
    _Signal(
        "/v1/metrics",
        f"{_COLLECTOR}.metrics.v1.MetricsService",
        metrics_pb2.ExportMetricsServiceRequest,
        metrics_pb2.ExportMetricsServiceResponse,
        _keep_nothing,
    ),
)


class _TooLargeError(Exception):
    """An export has more bytes than are read."""


def over_http(store: Store) -> ASGIApp:
    """Return the application that takes exports over HTTP, as protobuf or JSON, compressed by gzip or deflate or not."""
    routes = [Route(signal.path, _endpoint(store, signal), methods=["POST"]) for signal in _SIGNALS]
    return routed(*routes, Route("/{path:path}", _explained, methods=["GET", "POST"]))


def over_grpc(store: Store, port: int) -> tuple[grpc.Server, int]:
    """Return a server that takes exports over gRPC, not started yet, and its port.

    Args:
        store: where they go.
        port: to listen on; 0 for a free one.

    Raises:
        OSError: the port is in use.
    """
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _MOST)]
    server = grpc.server(
        ThreadPoolExecutor(max_workers=2, thread_name_prefix="otlp-grpc"),
        handlers=[_service(store, signal) for signal in _SIGNALS],
        options=options,
        compression=grpc.Compression.NoCompression,
    )
    try:
        found = server.add_insecure_port(f"{HOST}:{port}")
    except RuntimeError as error:
        raise OSError(f"port {port} is in use") from error
    return server, found


def _service(store: Store, signal: _Signal) -> grpc.GenericRpcHandler:
    def export(body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            return _keep(store, signal, body, _PROTOBUF)
        except DecodeError:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, _NO_OTLP)
        except sqlite3.Error as error:
            warn_once(_NOT_KEPT, error)
            context.abort(grpc.StatusCode.UNAVAILABLE, _NOT_KEPT % error)

    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(export)
    return grpc.method_handlers_generic_handler(signal.service, {"Export": method})


def _endpoint(store: Store, signal: _Signal) -> Callable[[Request], Any]:
    async def export(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (_PROTOBUF, _JSON):
            return PlainTextResponse(f"The content type is to be {_PROTOBUF} or {_JSON}.", 415)
        try:
            body = await _body(request)
            answer = await run_in_threadpool(_keep, store, signal, body, kind)
        except _TooLargeError:
            return PlainTextResponse(f"An export has at most {_MOST} bytes.", 413)
        except (DecodeError, ValueError, RecursionError, zlib.error):
            return PlainTextResponse(_NO_OTLP, 400)
        except sqlite3.Error as error:
            warn_once(_NOT_KEPT, error)
            return PlainTextResponse(_NOT_KEPT % error, 503)
        return Response(answer, media_type=kind)

    return export


def _keep(store: Store, signal: _Signal, body: bytes, kind: str) -> bytes:
    """Put an export into the store, and return the answer to it."""
    message = signal.request()
    if kind == _JSON:
        from_json(body, message)
    else:
        message.ParseFromString(body)
    signal.keep(store, message)
    return b"{}" if kind == _JSON else signal.response().SerializeToString()


async def _explained(request: Request) -> Response:
    paths = ", ".join(signal.path for signal in _SIGNALS)
    return PlainTextResponse(
        f"This is a receiver of OTLP over HTTP, with the paths {paths}. OTEL_EXPORTER_OTLP_ENDPOINT has no path.", 404
    )


async def _body(request: Request) -> bytes:
    """Return the body, decompressed; never more than an export may have, whatever it says of itself."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "deflate"):
        raise ValueError(encoding)
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > _MOST:
            raise _TooLargeError
    if encoding == "identity":
        return bytes(pieces)
    inflating = zlib.decompressobj(wbits=47)  # either header
    body = inflating.decompress(bytes(pieces), _MOST + 1)
    if len(body) > _MOST:
        raise _TooLargeError
    if not inflating.eof:
        raise ValueError("the compressed body is cut")
    return body
