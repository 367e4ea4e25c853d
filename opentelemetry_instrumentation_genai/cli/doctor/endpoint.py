"""Whether what telemetry is sent to answers as OTLP does, and if not, which of the usual mistakes it is."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from . import otlp_grpc, otlp_http
from .finding import found, shown_url
from .headers import names as names_of_headers
from .targets import SIGNALS
from .wire import speaks_tls, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .finding import Finding
    from .outcome import Outcome
    from .targets import Target

_SECONDS = 5.0
_SKEW = 5  # seconds; a Date header has whole ones
_CREDENTIALS = ("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED")
_NO_SUCH_PATH = ("404", "405", "UNIMPLEMENTED")
_NO_GRPC = ("UNKNOWN", "INTERNAL", "UNIMPLEMENTED", "CANCELLED")


def check(targets: Sequence[Target], timeout: float = _SECONDS) -> Iterator[Finding]:
    """Yield whether each endpoint accepts what is sent there.

    Args:
        targets: where the signals are sent.
        timeout: in seconds, for each step.
    """
    if not targets:
        yield found("endpoint.none")
    for variable, why in dict.fromkeys((target.headers_by, why) for target in targets for why in target.mistakes):
        yield found("endpoint.headers", variable=variable, why=why)
    groups: dict[tuple[str, str, int, bool], list[Target]] = {}
    for target in targets:
        groups.setdefault((target.protocol, target.host, target.port, target.secure), []).append(target)
    for group in groups.values():
        yield from _check(group, timeout)


def _check(group: list[Target], timeout: float) -> Iterator[Finding]:
    """Yield what is true of one server. What is wrong with the connection is found once, not for each signal."""
    first = group[0]
    # gRPC without TLS needs no scheme, where a variable says so.
    if first.given and "://" not in first.given and (first.secure or first.protocol != "grpc"):
        yield found("endpoint.no_scheme", variable=first.given_by, value=shown_url(first.given))
        return
    if not first.is_valid:
        yield found("endpoint.url")
        return
    outcomes = [(first, _export(first, timeout))]
    if outcomes[0][1].kind in ("accepted", "status", "odd"):
        outcomes += [(target, _export(target, timeout)) for target in group[1:]]
    else:
        yield _unreached(first, outcomes[0][1], _words(group), timeout)
        return
    accepted = [target for target, outcome in outcomes if outcome.kind == "accepted"]
    if accepted:
        url = shown_url(accepted[0].url).removesuffix(f"/v1/{accepted[0].signal}")
        yield found("endpoint.accepts", url=url, signals=_words(accepted), protocol=first.protocol)
    refused = [(target, outcome) for target, outcome in outcomes if outcome.kind != "accepted"]
    seen: set[str] = set()
    for target, outcome in refused:
        finding = _answered(target, outcome, timeout, others=bool(accepted))
        # Of three signals with the same mistake, the first says it.
        if finding.code == "endpoint.signal" or finding.code not in seen:
            yield finding
        seen.add(finding.code)
    yield from _clock(outcomes[0][1], first.host)


def _export(target: Target, timeout: float) -> Outcome:
    send = otlp_grpc.export if target.protocol == "grpc" else otlp_http.export
    return send(target, timeout)


def _words(targets: Sequence[Target]) -> str:
    return ", ".join(target.signal for target in targets)


def _unreached(target: Target, outcome: Outcome, signals: str, timeout: float) -> Finding:
    """Return why there was no answer."""
    host, port = target.host, target.port
    if outcome.kind == "refused":
        code = "endpoint.refused" if target.given else "endpoint.default_refused"
        return found(code, host=host, port=port, signals=signals, protocol=target.protocol)
    if outcome.kind == "unresolved":
        return found("endpoint.unresolved", host=host, why=outcome.why)
    if outcome.kind == "headers":
        return found("endpoint.headers", variable=target.headers_by, why=outcome.why)
    if outcome.kind == "url":
        return found("endpoint.url")
    if outcome.kind == "certificate":
        return found("endpoint.certificate", host=host, port=port, why=outcome.why)
    mistaken = _mistaken(target, timeout)
    if mistaken is not None:
        return found(mistaken, host=host, port=port)
    return found("endpoint.silent", host=host, port=port, why=outcome.why)


def _mistaken(target: Target, timeout: float) -> str | None:
    """Return the finding for what a port speaks, where it is not what is spoken to it; None if that is not known."""
    try:
        if target.secure:
            if speaks_tls(target.host, target.port, timeout):
                return None
            return None if spoken(target.host, target.port, timeout) == "nothing" else "endpoint.tls_to_plain"
        found_there = spoken(target.host, target.port, timeout)
    except OSError:
        return None
    if found_there == "tls":
        return "endpoint.plain_to_tls"
    if target.protocol == "grpc" and found_there == "http":
        return "endpoint.grpc_to_http"
    return "endpoint.http_to_grpc" if target.protocol != "grpc" and found_there == "http2" else None


def _answered(target: Target, outcome: Outcome, timeout: float, *, others: bool) -> Finding:
    """Return what an answer means that is none of success."""
    url, status, path = shown_url(target.url), outcome.status, target.signal
    if outcome.kind == "odd":
        return found("endpoint.no_otlp", url=url, why=outcome.why)
    if status in _CREDENTIALS:
        return found("endpoint.credentials", url=url, status=status, headers=names_of_headers(target.headers))
    if others and status in _NO_SUCH_PATH:
        variable = f"OTEL_{SIGNALS[target.signal]}_EXPORTER"
        return found("endpoint.signal", url=url, signal=target.signal, status=status, variable=variable)
    mistaken = _mistaken(target, timeout) if status in (*_NO_GRPC, "400", "505") else None
    if mistaken is not None:
        return found(mistaken, host=target.host, port=target.port)
    if status in _NO_SUCH_PATH and target.protocol != "grpc":
        return _no_such_path(target, url, status, path)
    if target.protocol == "grpc" and status in _NO_GRPC:
        return found("endpoint.no_otlp", url=url, why=f"{status} {outcome.why}".strip())
    if "location" in outcome.headers:
        return found("endpoint.redirect", url=url, status=status, location=shown_url(outcome.headers["location"]))
    return found("endpoint.status", url=url, status=f"{status} {outcome.why}".strip())


def _no_such_path(target: Target, url: str, status: str, path: str) -> Finding:
    given = target.given.rstrip("/")
    general = target.given_by == "OTEL_EXPORTER_OTLP_ENDPOINT"
    doubled = next((signal for signal in SIGNALS if given.endswith(f"/v1/{signal}")), None)
    if general and doubled is not None:
        base = shown_url(given.removesuffix(f"/v1/{doubled}"))
        return found("endpoint.path_twice", path=doubled, url=url, status=status, base=base)
    if not general and target.given and not urlsplit(target.url).path.rstrip("/").endswith(f"/v1/{path}"):
        return found("endpoint.no_path", variable=target.given_by, path=path, url=url, status=status)
    return found("endpoint.not_found", url=url, status=status, path=path)


def _clock(outcome: Outcome, host: str) -> Iterator[Finding]:
    """Yield whether the clock of the server agrees with ours, where it sends the time."""
    try:
        theirs = parsedate_to_datetime(outcome.headers["date"])
    except (KeyError, ValueError, TypeError):
        return
    ahead = (datetime.now(timezone.utc) - theirs).total_seconds()
    if abs(ahead) <= _SKEW:
        yield found("clock.right", host=host)
    else:
        yield found("clock.skew", host=host, seconds=round(abs(ahead)), direction="ahead of" if ahead > 0 else "behind")
