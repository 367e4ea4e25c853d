"""The exporter `genai_console`: conversations in the terminal, as they happen, in the process of the application.

`OTEL_TRACES_EXPORTER=genai_console` selects it. It writes to standard error: what the application prints stays what it was.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ..._runtime.guard import guarded, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from rich.text import Text

    from .known import Known
    from .tally import Tally
    from .terminal import Terminal
    from .traces import Conversation, Traces

FOLDER = "OPENTELEMETRY_GENAI_RUN_FOLDER"
"""The variable by which `opentelemetry-genai run` names the folder where the processes of the application leave their counts."""


class ConsoleExporter(SpanExporter):
    """Shows each trace with a call of a GenAI SDK when its root has ended, and a summary when it is shut down.

    It never raises, and never holds more than 1,000 spans. Without rich, of the extra `cli`, it does nothing, and a log line says so.

    Args:
        file: where to write; None is standard error.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file
        self._screen = _make_screen(file)
        if self._screen is not None and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_reset_later(weakref.ref(self)))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take finished spans, and show the traces that are complete with them."""
        if self._screen is not None:
            _show(self._screen, spans)
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing: a trace that is not complete stays held, so that its tree is not torn."""
        return True

    def shutdown(self) -> None:
        """Show what is held, and the summary."""
        screen, self._screen = self._screen, None
        if screen is not None:
            _end(screen)


def _reset_later(exporter: weakref.ref[ConsoleExporter]) -> Callable[[], None]:
    """Return what makes an exporter start anew in a forked process: what is held belongs to the process that forked."""

    def reset() -> None:
        found = exporter()
        if found is not None and found._screen is not None:
            found._screen = _make_screen(found._file)

    return reset


def _make_screen(file: TextIO | None) -> _Screen | None:
    try:
        return _Screen(file)
    except ImportError:
        warn_once(
            "The exporter genai_console shows nothing, because the package rich is missing: "
            "pip install 'opentelemetry-instrumentation-genai[cli]'"
        )
        return None


class _Screen:
    """What an exporter has in one process."""

    def __init__(self, file: TextIO | None) -> None:
        from .known import Known
        from .rehearsal import rehearse
        from .tally import Tally
        from .terminal import Terminal
        from .traces import Traces

        rehearse()
        self.terminal: Terminal = Terminal(file)
        self.traces: Traces = Traces()
        self.known: Known = Known()
        self.tally: Tally = Tally()
        self.changed = threading.Condition()
        self.ended = False
        self.watch: threading.Thread | None = None
        self.folder = os.environ.get(FOLDER, "")

    def add(self, spans: Sequence[ReadableSpan]) -> None:
        """Count and hold spans, and show the traces that are complete."""
        from .record import record_of

        records = [record_of(span) for span in spans]
        for record in records:
            self.tally.add(record)
        if self.folder and any(record.is_call for record in records):
            self.leave_counts()  # before they are shown: what is shown is in the summary, also where the process is killed then
        self.show(self.traces.add(records, time.monotonic()))
        if self.watch is None and self.traces.waits_until() is not None:
            watch = threading.Thread(target=_watch, args=(self,), name="genai_console", daemon=True)
            with suppress(RuntimeError):  # the process ends, and `end` follows
                watch.start()
                self.watch = watch
        self.changed.notify()

    def show(self, conversations: Iterable[Conversation]) -> None:
        """Show those that have a call."""
        for conversation in conversations:
            if any(record.is_call for record in conversation.records):
                self.terminal.write(partial(self._lines, conversation))

    def _lines(self, conversation: Conversation, width: int | None) -> Iterable[Text]:
        from .lines import conversation_lines

        return conversation_lines(conversation.records, self.known, width, conversation.remark)

    def leave_counts(self) -> None:
        """Write the counts where `opentelemetry-genai run` finds them, whole or not at all: the process may be killed."""
        path = Path(self.folder) / f"{os.getpid()}.json"
        with suppress(OSError):
            part = path.with_suffix(".part")
            part.write_text(self.tally.dump(), encoding="utf-8")
            part.replace(path)

    def end(self) -> None:
        """Show what is held; then the summary, unless that is made of several processes."""
        from .summary import summary

        self.ended = True
        self.changed.notify()
        self.show(self.traces.rest())
        if self.folder:
            self.leave_counts()
        elif self.tally.rows:
            self.terminal.write(partial(summary, self.tally))


@guarded
def _show(screen: _Screen, spans: Sequence[ReadableSpan]) -> None:
    with screen.changed:
        screen.add(spans)


@guarded
def _end(screen: _Screen) -> None:
    with screen.changed:
        screen.end()


@guarded
def _watch(screen: _Screen) -> None:
    """Show in a thread what waits for a root in vain."""
    with screen.changed:
        while not screen.ended:
            until = screen.traces.waits_until()
            screen.changed.wait(None if until is None else max(until - time.monotonic(), 0.05))
            if not screen.ended:
                screen.show(screen.traces.overdue(time.monotonic()))
