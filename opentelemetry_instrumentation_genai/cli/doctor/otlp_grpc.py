"""An empty export over gRPC, as the exporter sends it."""

from __future__ import annotations

import socket
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .headers import unsendable
from .outcome import Outcome, of_error

if TYPE_CHECKING:
    from .targets import Target

_SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}

_INVALID = ("Invalid metadata", "metadata was invalid")  # by the version


def export(target: Target, timeout: float) -> Outcome:
    """Send an empty export, which a server for OTLP accepts.

    Args:
        target: where.
        timeout: in seconds.
    """
    grpc: Any = import_module("grpc")
    try:  # what gRPC says of a connection that fails is for experts
        socket.create_connection((target.host, target.port), timeout).close()
    except OSError as error:
        return of_error(error)
    try:
        with _channel(grpc, target) as channel:
            call = channel.unary_unary(f"/{_SERVICES[target.signal]}/Export")
            call(b"", timeout=timeout, metadata=tuple(target.headers.items()))
    except grpc.RpcError as error:
        details = str(error.details())
        return _refused(target) if details.startswith(_INVALID) else _failed(error.code().name, details)
    except OSError as error:
        return of_error(error)
    except (ValueError, TypeError):
        return _refused(target)
    return Outcome("accepted", "OK")


def _refused(target: Target) -> Outcome:
    """Return the outcome for headers that gRPC does not send. Its text is not used: in some versions it quotes all of them."""
    return Outcome("headers", why=unsendable(target.headers) or "gRPC accepts none with such a name or value")


def _channel(grpc: Any, target: Target) -> Any:
    address = f"{target.host}:{target.port}" if ":" not in target.host else f"[{target.host}]:{target.port}"
    if not target.secure:
        return grpc.insecure_channel(address)
    roots = Path(target.certificate).read_bytes() if target.certificate else None
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(roots))


def _failed(status: str, details: str) -> Outcome:
    if status in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
        # The server is there, since it was connected to before.
        kind = "certificate" if "CERTIFICATE_VERIFY_FAILED" in details else "broken"
        return Outcome(kind, status, details)
    return Outcome("status", status, details)
