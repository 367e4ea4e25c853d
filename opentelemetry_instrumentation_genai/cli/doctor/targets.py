"""Where each signal is sent: by the variables OTEL_*, as OpenTelemetry's SDK for Python reads them, or by the declarative file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from .headers import parsed
from .installed import names_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SIGNALS = {"traces": "TRACES", "metrics": "METRICS", "logs": "LOGS"}
PROTOCOLS = {"grpc": "grpc", "http/protobuf": "http"}
"""What `OTEL_EXPORTER_OTLP_PROTOCOL` may be, and the end of the name of the package that speaks it."""
_FILE = "OTEL_CONFIG_FILE"
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_DEFAULTS = {"grpc": "http://localhost:4317", "http/protobuf": "http://localhost:4318"}
_FILE_PROVIDERS = {
    "traces": ("tracer_provider", "processors"),
    "metrics": ("meter_provider", "readers"),
    "logs": ("logger_provider", "processors"),
}
_FILE_EXPORTERS = {"otlp_http": "http/protobuf", "otlp_grpc": "grpc"}


class Target(NamedTuple):
    """Where one signal is sent by OTLP.

    Attributes:
        signal: `traces`, `metrics` or `logs`.
        protocol: `grpc` or `http/protobuf`.
        url: with the path, for HTTP.
        given_by: the variable or file that has the endpoint; empty for the default.
        given: the endpoint as it is given there.
        secure: whether TLS is spoken.
        headers: what is sent with each export.
        certificate: the path of the certificate of the server's authority; None for those of the system.
        headers_by: the variable or file that has the headers.
        mistakes: what is wrong with each header that is left out.
    """

    signal: str
    protocol: str
    url: str
    given_by: str
    given: str
    secure: bool
    headers: Mapping[str, str]
    certificate: str | None
    headers_by: str = ""
    mistakes: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Return the host; empty where it cannot be read."""
        return _split(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Return the port; 0 where it cannot be read."""
        try:
            return _split(self.url).port or (443 if self.secure else 80)
        except ValueError:
            return 0

    @property
    def is_valid(self) -> bool:
        """Return whether the URL has a host, and a port that can be read."""
        return bool(self.host and self.port)


def _split(url: str) -> SplitResult:
    """Return the parts of a URL; empty ones where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def setting(name: str, signal: str) -> tuple[str, str]:
    """Return the variable of the exporter that counts for a signal, and its value; the general one if none is set.

    Args:
        name: such as `PROTOCOL`.
        signal: such as `traces`.
    """
    own, general = f"OTEL_EXPORTER_OTLP_{SIGNALS[signal]}_{name}", f"OTEL_EXPORTER_OTLP_{name}"
    value = os.environ.get(own, "").strip()
    return (own, value) if value else (general, os.environ.get(general, "").strip())


def exporters(signal: str) -> list[str]:
    """Return the names of a signal's exporters by its variable; where that is not set, what the distribution sets."""
    default = "otlp" if names_of("opentelemetry_distro") else "none"
    text = os.environ.get(f"OTEL_{SIGNALS[signal]}_EXPORTER", "").strip() or default
    names = [name.strip() for name in text.split(",") if name.strip()]
    return [] if names == ["none"] else names


def protocol(signal: str, exporter: str) -> tuple[str, str]:
    """Return the variable that has the protocol of an exporter, and the protocol, which may be none that there is.

    Args:
        signal: such as `traces`.
        exporter: `otlp`, or the name of an exporter of one protocol.
    """
    own = {"otlp_proto_grpc": "grpc", "otlp_proto_http": "http/protobuf"}.get(exporter)
    name, value = setting("PROTOCOL", signal)
    return name, own or value or "grpc"


def target(signal: str, spoken: str) -> Target:
    """Return where a signal is sent by a protocol."""
    given_by, given = setting("ENDPOINT", signal)
    endpoint = given or _DEFAULTS[spoken]
    if spoken == "grpc":
        url, secure = _grpc(endpoint, signal)
    else:
        own = bool(given) and given_by != _ENDPOINT
        url = endpoint if own else f"{endpoint.removesuffix('/')}/v1/{signal}"
        secure = url.lower().startswith("https:")
    headers_by, text = setting("HEADERS", signal)
    headers, mistakes = parsed(text)
    certificate = setting("CERTIFICATE", signal)[1] or None
    return Target(
        signal, spoken, url, given_by if given else "", given, secure, headers, certificate, headers_by, mistakes
    )


def _grpc(endpoint: str, signal: str) -> tuple[str, bool]:
    """Return the URL of a gRPC endpoint, and whether TLS is spoken: so it is where there is no scheme."""
    parts = _split(endpoint)
    insecure = setting("INSECURE", signal)[1].lower()
    secure = parts.scheme == "https" or (insecure != "true" if insecure else parts.scheme != "http")
    host = parts.netloc or endpoint
    return f"{'https' if secure else 'http'}://{host}", secure


def in_file(tree: Any) -> Iterator[Target | tuple[str, str]]:
    """Yield where the declarative file sends the signals: by OTLP, or (signal, name of another exporter)."""
    for signal, (provider, members) in _FILE_PROVIDERS.items():
        for member in _of(_of(tree, provider), members) or ():
            for kind in member.values() if hasattr(member, "values") else ():
                exporter = _of(kind, "exporter")
                for name, options in exporter.items() if hasattr(exporter, "items") else ():
                    yield _in_file(signal, str(name), options or {})


def _in_file(signal: str, name: str, options: Any) -> Target | tuple[str, str]:
    spoken = _FILE_EXPORTERS.get(name)
    if spoken is None:
        return signal, name
    default = _DEFAULTS[spoken] if spoken == "grpc" else f"{_DEFAULTS[spoken]}/v1/{signal}"
    given = str(_of(options, "endpoint") or "")
    url = given or default
    headers, mistakes = parsed(str(_of(options, "headers_list") or ""))
    headers |= {str(_of(entry, "name")).lower(): str(_of(entry, "value")) for entry in _of(options, "headers") or ()}
    certificate = _of(_of(options, "tls"), "ca_file")
    given_by, secure = _FILE if given else "", url.startswith("https:")
    return Target(signal, spoken, url, given_by, given, secure, headers, certificate, _FILE, mistakes)


def _of(value: Any, name: str) -> Any:
    return value.get(name) if hasattr(value, "get") else None
