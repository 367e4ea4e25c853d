"""The user's program, run under OpenTelemetry with the probe, and what its calls became; so is one that makes a test span."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..._adapter.host_providers import HostProviders
from . import program_signals
from .finding import found
from .program_folder import fill

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from .finding import Finding

_TEST_SPAN = """\
from opentelemetry import trace
with trace.get_tracer("opentelemetry-genai doctor").start_as_current_span("opentelemetry-genai doctor"):
    pass
"""
_AGAIN = "Transient error"  # an export that is tried again; how it ends is logged as well
_EMPTY = ("ProxyTracerProvider", "NoOpTracerProvider")


@dataclass
class Run:
    """One run of a program.

    Attributes:
        status: its exit status; None where it was not started.
        reports: what the probe wrote in each of its processes.
        failed: the Python and the error where the probe could not be imported; empty if it could.
        error: why it was not started.
    """

    status: int | None = None
    reports: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    failed: list[str] = field(default_factory=list[str])
    error: str = ""

    def total(self, name: str) -> int:
        """Return the sum of a count over all processes."""
        return sum(report[name] for report in self.reports)


def run(
    command: Sequence[str], *, quiet: bool = False, out: int | None = None, variables: Mapping[str, str] | None = None
) -> Run:
    """Run a program under OpenTelemetry with the probe, to its end.

    Args:
        command: with its arguments.
        quiet: whether what it writes is dropped.
        out: where its stdout goes; None for ours.
        variables: of the environment, in addition.
    """
    with TemporaryDirectory(prefix="genai-doctor-") as name:
        folder = Path(name)
        fill(folder)
        # The current folder is on the path under `opentelemetry-instrument` as well.
        path = os.pathsep.join(filter(None, (name, str(Path.cwd()), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, **(variables or {}), "PYTHONPATH": path}
        result = Run()
        try:
            dropped = subprocess.DEVNULL if quiet else None
            with (
                _interrupts_are_its_own(),
                subprocess.Popen(  # noqa: S603 - the user's own program
                    command, env=environment, stdout=dropped if quiet else out, stderr=dropped
                ) as process,
            ):
                result.status = process.wait()
        except OSError as error:
            result.error = f"{command[0]}: {error.strerror or error}"
        result.reports = [json.loads(each.read_text(encoding="utf-8")) for each in sorted(folder.glob("*.json"))]
        if (folder / "failed").exists():
            result.failed = (folder / "failed").read_text(encoding="utf-8").split("\n", 1)
        return result


@contextmanager
def _interrupts_are_its_own() -> Generator[None, None, None]:
    """Leave Ctrl-C to the program: what it has done is reported then."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def check_span() -> Iterator[Finding]:
    """Export one span over the configuration of the environment, and yield what became of it."""
    none = {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    result = run([sys.executable, "-c", _TEST_SPAN], quiet=True, variables=none)
    report = result.reports[0] if result.reports else None
    if report is not None and report["exported"]:
        yield found("span.sent", trace=report["trace"])
    else:
        yield found("span.failed", why=_why(result, report))


def _why(result: Run, report: Mapping[str, Any] | None) -> str:
    if report is None:
        return result.error or f"the process ended with status {result.status}"
    if report["error"]:
        return str(report["error"])
    if report["logged"]:
        return "; ".join(message.rstrip(".") for _, message in report["logged"])
    return "the exporter refused it" if report["refused"] else "it was not sampled, or there is no exporter"


def check(result: Run) -> Iterator[Finding]:
    """Yield what is true of a run of the user's program."""
    if result.error:
        yield found("program.not_found", error=result.error)
        return
    if result.failed:
        yield found("program.other_python", executable=result.failed[0], error=result.failed[-1])
        return
    if not result.reports:
        yield found("program.killed", status=result.status) if _is_python(result) else found("program.no_python")
        return
    yield found("program.status" if result.status else "program.ended", status=result.status)
    errors = {report["error"] for report in result.reports} - {""}
    for error in sorted(errors):
        yield found("program.start_failed", error=error)
    if not errors and result.reports[0]["provider"] in _EMPTY:
        yield found("program.no_sdk", provider=result.reports[0]["provider"])
    yield from _sdks(result)
    yield from _spans(result)
    if not errors and result.reports[0]["provider"] not in _EMPTY:
        yield from program_signals.check(result.reports, _calls(result))
    yield from _surprises(result)
    lines = {tuple(line): None for report in result.reports for line in report["logged"]}
    final = [line for line in lines if not line[1].startswith(_AGAIN)]
    for logger, message in final or lines:
        yield found("program.logged", logger=logger, message=message)


def _is_python(result: Run) -> bool:
    """Return whether a process without a report may have been Python: one that was ended by a signal, or by itself in the middle."""
    return bool(result.status)


def _calls(result: Run) -> int:
    return sum(row["calls"] or 0 for report in result.reports for row in report["instrumentors"] if row["imported"])


def _sdks(result: Run) -> Iterator[Finding]:
    rows: dict[str, dict[str, Any]] = {}
    for report in result.reports:
        for row in report["instrumentors"]:
            known = rows.setdefault(row["sdk"], {**row, "calls": None})
            known["imported"] |= row["imported"]
            known["patched"] |= row["patched"]
            if row["calls"] is not None:
                known["calls"] = row["calls"] + (known["calls"] or 0)
    imported = [row for row in rows.values() if row["imported"]]
    for row in imported:
        if not row["patched"]:
            yield found("program.unpatched", sdk=row["sdk"])
        elif row["calls"] is None:
            yield found("program.operations", sdk=row["sdk"])
        else:
            yield found("program.calls" if row["calls"] else "program.no_calls", sdk=row["sdk"], calls=row["calls"])
    if not imported:
        yield found("program.no_import")
    others = sorted({name for report in result.reports for name in report["uninstrumented"]})
    if others:
        yield found("program.uninstrumented", names=", ".join(others))
    calls = sum(row["calls"] or 0 for row in imported)
    yield from _direct(result, calls)
    if calls and not result.total("ours") and not any(report["error"] for report in result.reports):
        yield found("program.no_spans", calls=calls)


def _direct(result: Run, calls: int) -> Iterator[Finding]:
    """Yield whether the program has called a model by itself: it has looked up the host of a provider, and made no call by an SDK."""
    known = HostProviders((), "").known
    looked_up = {
        name: client for report in result.reports for name, client in report["hosts"].items() if known(name, 443)
    }
    if looked_up and not calls:
        clients = sorted({client for client in looked_up.values() if client})
        yield found(
            "program.direct", hosts=", ".join(sorted(looked_up)), clients=" and ".join(clients) or "other means"
        )


def _surprises(result: Run) -> Iterator[Finding]:
    """Yield what is as it should be, and not what was expected."""
    streams = result.total("streams")
    if streams:
        yield found("program.streams", streams=streams)
    known = HostProviders((), "").known
    servers = {(str(name), str(host), int(port)) for report in result.reports for name, host, port in report["servers"]}
    for provider, host, port in sorted(servers):
        if provider == "openai" and known(host, port) is None:
            yield found("program.provider", host=host, port=port)


def _spans(result: Run) -> Iterator[Finding]:
    started = sum(sum(report["started"].values()) for report in result.reports)
    ended = sum(sum(report["ended"].values()) for report in result.reports)
    ours, exported, refused = result.total("ours"), result.total("exported"), result.total("refused")
    if ended:
        yield found("program.spans", ours=ours, others=ended - ours, exported=exported)
    if refused:
        yield found("program.failed", failed=refused)
    if ended > exported + refused and not any(report["error"] for report in result.reports):
        yield found("program.lost", lost=ended - exported - refused)
    if started > ended:
        yield found("program.open", open=started - ended)
