"""What the probe counts of metrics and log records within the user's program: who reads them, and what was exported."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import _logs, metrics

from ..._conventions.scope import SCOPE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Metrics:
    """Metrics of one process.

    Attributes:
        readers: the classes of the readers of all providers; where one exports, that of its exporter.
        exported: the names of the metrics of this package that an exporter took.
        refused: how many exports failed.
    """

    def __init__(self) -> None:
        self.readers: list[str] = []
        self.exported: set[str] = set()
        self.refused: int = 0

    def count(self) -> None:
        """Count in each provider that is made from now on."""
        try:
            from opentelemetry.sdk.metrics import MeterProvider
        except ImportError:
            return
        kind = cast("Any", MeterProvider)
        make = kind.__init__

        def making(provider: Any, *args: Any, **kwargs: Any) -> None:
            make(provider, *args, **kwargs)
            with suppress(Exception):
                self.watch(provider)

        kind.__init__ = making

    def watch(self, provider: Any) -> None:
        """Count what the readers of a provider export."""
        owner = provider if hasattr(provider, "_metric_readers") else getattr(provider, "_sdk_config", None)
        readers: Iterable[Any] = getattr(owner, "_metric_readers", None) or getattr(owner, "metric_readers", None) or ()
        for reader in readers:
            exporter = getattr(reader, "_exporter", None)
            self.readers.append(type(reader if exporter is None else exporter).__name__)
            if exporter is not None:
                _after_export(exporter, self._note)

    def _note(self, data: Any, *, is_taken: bool) -> None:
        if is_taken:
            self.exported |= _names_of_ours(data)
        else:
            self.refused += 1

    def report(self) -> dict[str, Any]:
        """Return what was counted, as JSON can have it."""
        return {
            "provider": type(metrics.get_meter_provider()).__name__,
            "readers": self.readers,
            "exported": sorted(self.exported),
            "refused": self.refused,
        }


class Records:
    """Log records of one process, the events among them; it is a processor of them.

    Attributes:
        exporters: the classes of the exporters of all providers; of a processor without one, its own.
        ours: how many events this package emitted.
        others: how many log records others did.
        exported, refused: how many of all exporters took, and did not take.
    """

    def __init__(self) -> None:
        self.exporters: list[str] = []
        self.ours: int = 0
        self.others: int = 0
        self.exported: int = 0
        self.refused: int = 0

    def count(self) -> None:
        """Count in each provider that is made from now on."""
        try:
            from opentelemetry.sdk._logs import LoggerProvider
        except ImportError:
            return
        kind = cast("Any", LoggerProvider)
        make, add = kind.__init__, kind.add_log_record_processor

        def making(provider: Any, *args: Any, **kwargs: Any) -> None:
            make(provider, *args, **kwargs)
            with suppress(Exception):
                add(provider, self)

        def adding(provider: Any, processor: Any) -> None:
            with suppress(Exception):
                self.watch(processor)
            add(provider, processor)

        kind.__init__, kind.add_log_record_processor = making, adding

    def add(self, provider: Any) -> None:
        """Count in a provider that is there already."""
        active = getattr(provider, "_multi_log_record_processor", None)
        for processor in getattr(active, "_log_record_processors", ()):
            self.watch(processor)
        if hasattr(provider, "add_log_record_processor"):
            provider.add_log_record_processor(self)

    def watch(self, processor: Any) -> None:
        """Count what the exporter of a processor exports."""
        if processor is self:
            return
        batch = getattr(processor, "_batch_processor", None)
        exporter = getattr(processor, "_exporter", None) or getattr(batch, "_exporter", None)
        self.exporters.append(type(processor if exporter is None else exporter).__name__)
        if exporter is not None:
            _after_export(exporter, self._note)

    def _note(self, records: Any, *, is_taken: bool) -> None:
        if is_taken:
            self.exported += len(records)
        else:
            self.refused += len(records)

    # Of OpenTelemetry's `LogRecordProcessor`, a class that is not imported before the program does it.
    def on_emit(self, record: Any) -> None:
        """Count a record."""
        if getattr(record.instrumentation_scope, "name", "") == SCOPE_NAME:
            self.ours += 1
        else:
            self.others += 1

    emit = on_emit

    def enabled(self, *_: Any, **__: Any) -> bool:
        """Leave it to the other processors whether a record is made."""
        return False

    def shutdown(self) -> None:
        """Do nothing."""

    def force_flush(self, _timeout_millis: int = 30000) -> bool:
        """Do nothing."""
        return True

    def report(self) -> dict[str, Any]:
        """Return what was counted, as JSON can have it."""
        return {
            "provider": type(_logs.get_logger_provider()).__name__,
            "exporters": self.exporters,
            "ours": self.ours,
            "others": self.others,
            "exported": self.exported,
            "refused": self.refused,
        }


def flush() -> None:
    """Export what waits in the providers of the process."""
    for provider in (metrics.get_meter_provider(), _logs.get_logger_provider()):
        if hasattr(provider, "force_flush"):
            with suppress(Exception):
                cast("Any", provider).force_flush()


def _after_export(exporter: Any, count_export: Callable[..., None]) -> None:
    """Call `count_export` with what an exporter was given, and whether it took it."""
    if "export" in vars(exporter):
        return
    export: Callable[..., Any] = exporter.export

    def noting(data: Any, *args: Any, **kwargs: Any) -> Any:
        is_taken = False
        try:
            result = export(data, *args, **kwargs)
            is_taken = getattr(result, "name", "") == "SUCCESS"
        finally:
            with suppress(Exception):
                count_export(data, is_taken=is_taken)
        return result

    exporter.export = noting


def _names_of_ours(data: Any) -> set[str]:
    return {
        metric.name
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        if scope.scope.name == SCOPE_NAME
        for metric in scope.metrics
    }
