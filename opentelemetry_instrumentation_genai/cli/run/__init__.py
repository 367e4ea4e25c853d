"""`opentelemetry-genai run`: an application of one's own, instrumented, with its conversations in the terminal."""

from __future__ import annotations

import os
import shlex
import sys
from functools import partial
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

import click
from rich.text import Text

from ..._runtime.guard import printable
from ..console.lines import wrapped
from ..console.summary import summary
from ..console.tally import Tally
from ..console.terminal import Terminal
from .environment import environment_of, hindrances, shows_messages
from .process import run_to_its_end
from .sdks import extras, installed_sdks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

_LAUNCHER = "opentelemetry-instrument"


@click.command(
    "run",
    short_help="Run an application, and show its conversations.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--content", is_flag=True, help="Show the messages as well, which may be private.")
@click.option("--service", metavar="NAME", help="The name of the service; the same as OTEL_SERVICE_NAME.")
@click.argument("words", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED)
def command(content: bool, service: str | None, words: tuple[str, ...]) -> None:
    """Run an application under opentelemetry-instrument, and show its conversations in the terminal as they happen.

    At the end there is a summary, and the exit status is that of the application. Settings of OpenTelemetry stay as they are: if there
    is an OTLP endpoint, the telemetry goes there as well.
    """
    if not words:
        raise click.UsageError("No command is given. For example: opentelemetry-genai run -- python app.py")
    terminal = Terminal()
    with TemporaryDirectory(prefix="opentelemetry-genai-") as folder:
        environment = environment_of(os.environ, folder=folder, content=content, service=service)
        command_line = [*_launcher(environment, words[0]), _found(words[0], environment), *words[1:]]
        _say(terminal, _before())
        status = run_to_its_end(command_line, environment)
        tally = _collected(Path(folder))
    if tally.rows:
        terminal.write(partial(_summary, tally, is_content=shows_messages(environment)))
    else:
        _say(terminal, _nothing(words, environment))
    sys.exit(status)


def _launcher(environment: Mapping[str, str], word: str) -> list[str]:
    if Path(word).name == _LAUNCHER:  # they named it themselves
        return []
    found = which(_LAUNCHER, path=environment["PATH"])
    if found is None:
        raise click.ClickException(f"{_LAUNCHER} was not found: pip install 'opentelemetry-instrumentation-genai[cli]'")
    return [found]


def _found(word: str, environment: Mapping[str, str]) -> str:
    """Return the path of a command, or end with what a shell ends with, and with a sentence."""
    found = which(word, path=environment["PATH"])
    if found is None:
        _stop(*_why_not_found(word))
    return found


def _why_not_found(word: str) -> tuple[str, int]:
    name, path = printable(word), Path(word)
    if path.suffix == ".py" and path.is_file():
        return f"{name} is a file of Python: opentelemetry-genai run -- python {name}", 126
    if path.is_file() and path.parent != Path():
        return f"{name} cannot be executed: its file has no permission for that.", 126
    return f"The command {name} was not found: neither on PATH nor as a file.", 127


def _stop(message: str, status: int) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(status)


def _before() -> Iterator[str]:
    if not installed_sdks():
        yield (
            f"No SDK that is instrumented is installed beside {sys.executable}. Install the one that your application uses: "
            f"pip install 'opentelemetry-instrumentation-genai[openai]', or one of {', '.join(extras())}."
        )


def _collected(folder: Path) -> Tally:
    """Return what the processes of the application counted."""
    tally = Tally()
    for path in sorted(folder.glob("*.json")):
        try:
            tally.merge(Tally.load(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return tally


def _summary(tally: Tally, width: int | None, *, is_content: bool) -> Iterator[RenderableType]:
    yield from summary(tally, width)
    if not is_content:
        yield from wrapped(
            Text("Messages were not captured: `run --content` shows them.", "bright_black"), width, "", ""
        )


def _nothing(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Say that nothing was recorded, and where to look."""
    yield "No call of a GenAI SDK was recorded."
    yield from hindrances(environment)
    command_line = shlex.join(words)
    yield f"If the application made one, this says why it was not seen: opentelemetry-genai doctor -- {command_line}"


def _say(terminal: Terminal, sentences: Iterable[str]) -> None:
    """Write sentences of ours between the lines of the application."""
    found = [*sentences]
    if found:
        terminal.write(partial(_lines, found))


def _lines(sentences: Sequence[str], width: int | None) -> Iterator[Text]:
    for number, sentence in enumerate(sentences):
        start = "opentelemetry-genai: " if not number else ""
        yield from wrapped(Text(start + printable(sentence), "yellow"), width, "", "  ")
