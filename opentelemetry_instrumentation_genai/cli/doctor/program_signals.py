"""What became of metrics and log records in a program that was run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .finding import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .finding import Finding

# Of OpenTelemetry's API, where no SDK was set up.
_EMPTY = ("_ProxyMeterProvider", "ProxyMeterProvider", "NoOpMeterProvider", "ProxyLoggerProvider", "NoOpLoggerProvider")
_PULLED = "Reader"  # the end of the name of a reader that something asks, where an exporter is none


def check(reports: Sequence[dict[str, Any]], calls: int) -> Iterator[Finding]:
    """Yield what is true of the metrics and of the log records.

    Args:
        reports: what the probe wrote in each process.
        calls: how many calls of SDKs there were; without one, there is nothing to be recorded.
    """
    yield from _metrics([report["metrics"] for report in reports], calls)
    yield from _records([report["records"] for report in reports], calls)


def _metrics(reports: list[dict[str, Any]], calls: int) -> Iterator[Finding]:
    readers = _all(reports, "readers")
    exporters = [name for name in readers if not name.endswith(_PULLED)]
    names = _all(reports, "exported")
    refused = sum(report["refused"] for report in reports)
    if calls and not readers:
        if (provider := reports[0]["provider"]) in _EMPTY:
            yield found("program.metrics_no_sdk", provider=provider)
        else:
            yield found("program.metrics_no_reader")
    if names:
        yield found("program.metrics", number=len(names), exporters=", ".join(exporters), names=", ".join(names))
    elif calls and exporters and not refused:
        yield found("program.no_metrics", calls=calls)
    if calls and (pulled := [name for name in readers if name not in exporters]):
        yield found("program.metrics_read", readers=", ".join(pulled))
    if refused:
        yield found("program.metrics_failed", failed=refused)


def _records(reports: list[dict[str, Any]], calls: int) -> Iterator[Finding]:
    exporters = _all(reports, "exporters")
    ours, others, exported, refused = (
        sum(report[name] for report in reports) for name in ("ours", "others", "exported", "refused")
    )
    if calls and not exporters:
        if (provider := reports[0]["provider"]) in _EMPTY:
            yield found("program.logs_no_sdk", provider=provider)
        else:
            yield found("program.logs_no_processor")
    elif ours or others:
        yield found("program.logs", ours=ours, others=others, exported=exported, exporters=", ".join(exporters))
    elif calls:
        yield found("program.no_events", exporters=", ".join(exporters))
    if refused:
        yield found("program.logs_failed", failed=refused)


def _all(reports: list[dict[str, Any]], name: str) -> list[str]:
    return list(dict.fromkeys(value for report in reports for value in report[name]))
