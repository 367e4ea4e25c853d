"""A model server, a receiver and programs between them, and what the receiver got, shown in the terminal."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from ..console.facts import FAINT
from ..console.known import Known
from ..console.lines import conversation_lines, wrapped
from ..console.summary import summary
from ..console.tally import Tally as Calls
from ..console.terminal import Terminal
from .counts import counts_of, problems
from .environment import environment_of
from .explanation import explanation, legend
from .metrics import metric_table
from .parts import NEEDED, find_parts
from .receiver import Telemetry, receiver
from .server.loopback import serve
from .server.model_server import model_server
from .server.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from ..console.record import Record

_PROGRAMS = f"{__package__}.programs"
_INSTALL = "pip install 'opentelemetry-instrumentation-genai"


def demonstrate() -> int:
    """Run the demonstration, and return the exit status: 0 only if every call of the programs was seen."""
    terminal = Terminal(sys.stdout)
    parts = find_parts()
    if not {sdk.extra for sdk in parts.shown} & {*NEEDED}:
        return _fail(
            terminal, [f"The demonstration needs one of the SDKs {', '.join(NEEDED)}: {_INSTALL}[cli,openai]'"]
        )
    instrument = shutil.which("opentelemetry-instrument", path=str(Path(sys.executable).parent))
    if instrument is None:
        return _fail(terminal, [f"opentelemetry-instrument is not installed beside {sys.executable}: {_INSTALL}[cli]'"])
    if remark := parts.remark():
        _say(terminal, remark)
    tally, telemetry = Tally(), Telemetry()
    with serve(model_server(tally)) as model, serve(receiver(telemetry)) as backend:
        environment = environment_of(model, backend)
        for program in parts.programs():
            _section(terminal, "The application", f"opentelemetry-instrument python -m {_PROGRAMS} {' '.join(program)}")
            if failure := _run([instrument, sys.executable, "-m", _PROGRAMS, *program], environment):
                return _fail(terminal, [failure])
    _show(terminal, telemetry)
    counts = counts_of(tally, telemetry)
    if found := list(problems(counts)):
        return _fail(terminal, found)
    _section(terminal, "What the counts mean")
    terminal.write(partial(explanation, counts))
    _section(terminal, "The same with your application and your backend")
    terminal.write(legend)
    _say(terminal, f"\n✓ {counts.calls} calls were made, and all of them were seen.", "green")
    return 0


def _run(command: Sequence[str], environment: dict[str, str]) -> str:
    """Run a program, and return what went wrong, if anything did."""
    try:
        status = subprocess.run(command, env=environment, timeout=60, check=False).returncode  # noqa: S603 - ours
    except subprocess.TimeoutExpired:
        return "the program did not end within a minute"
    return f"the program ended with exit status {status}" if status else ""


def _show(terminal: Terminal, telemetry: Telemetry) -> None:
    """Show what was received, as far as there is anything to show."""
    if not telemetry.spans:
        return
    calls, known = Calls(), Known()
    for span in telemetry.spans:
        calls.add(span)
    remark = "with their messages, because content capture is on here; it is off by default"
    _section(terminal, "Conversations", remark)
    for records in _traces(telemetry.spans):
        if any(record.is_call for record in records):
            terminal.write(partial(conversation_lines, records, known))
    terminal.write(partial(summary, calls))
    if telemetry.points:
        _section(terminal, "Metrics", "an exemplar leads from a number to the trace of a call")
        terminal.write(lambda _width: [metric_table(telemetry)])


def _traces(spans: Iterable[Record]) -> list[list[Record]]:
    """Return the spans by trace, in the order in which the traces began."""
    traces: dict[str, list[Record]] = {}
    for span in spans:
        traces.setdefault(span.trace, []).append(span)
    return sorted(traces.values(), key=lambda records: min(record.start for record in records))


def _section(terminal: Terminal, title: str, remark: str = "") -> None:
    """Begin a part of the page."""

    def lines(width: int | None) -> Iterator[RenderableType]:
        yield Text()
        yield Text("─" * (width or 80), FAINT)
        yield Text(title, "bold cyan")
        if remark:
            yield from wrapped(Text(remark, FAINT), width, "", "")
        yield Text()

    terminal.write(lines)


def _say(terminal: Terminal, sentence: str, style: str = "yellow") -> None:
    write: Callable[[int | None], Iterator[Text]] = lambda width: wrapped(Text(sentence, style), width, "", "  ")  # noqa: E731
    terminal.write(write)


def _fail(terminal: Terminal, sentences: Iterable[str]) -> int:
    """Show what went wrong."""
    for sentence in sentences:
        _say(terminal, f"✗ {sentence}", "bold red")
    return 1
