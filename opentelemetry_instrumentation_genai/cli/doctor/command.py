"""`opentelemetry-genai doctor`: what works on the way from a call to the backend, what does not, and what to do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from . import content, endpoint, program, sdks
from .credentials import of_environment
from .finding import found, shown
from .report import Text, as_json
from .telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .finding import Finding


@click.command(name="doctor", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--send", is_flag=True, help="Export one test span over the configuration of the environment.")
@click.option(
    "--json",
    "json_wanted",
    is_flag=True,
    help="Print the findings as JSON. What the program prints goes to stderr then.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def command(command: tuple[str, ...], *, send: bool, json_wanted: bool) -> None:
    """Look at what would be recorded here, where it would go, and why if nothing arrives.

    With a COMMAND, as in `opentelemetry-genai doctor -- python app.py`, run that under OpenTelemetry as well, and say what became
    of its calls. The exit status is 1 if there is a problem.
    """
    text = None if json_wanted else Text()
    sections: dict[str, list[Finding]] = {}
    for name, findings in _sections(command, send=send, json_wanted=json_wanted):
        sections[name] = list(findings) if text is None else text.section(name, findings)
    every = [finding for section in sections.values() for finding in section]
    if text is None:
        click.echo(as_json(sections))
    else:
        text.summary(every)
    sys.exit(any(finding.level == "problem" for finding in every))


def _sections(command: tuple[str, ...], *, send: bool, json_wanted: bool) -> Iterator[tuple[str, Iterable[Finding]]]:
    yield "Python and SDKs", sdks.check()
    telemetry = Telemetry()
    started = [] if command else [found("opentelemetry.start")]
    yield "OpenTelemetry", [*telemetry.findings, *started]
    yield "Endpoint", endpoint.check(telemetry.targets)
    yield "Settings and content", content.check(logs=telemetry.logs)
    yield "Test span", program.check_span() if send else [found("span.not_sent")]
    if command:
        click.echo(f"\nRunning {shown(' '.join(command), of_environment())}", err=True)
        result = program.run(command, out=sys.stderr.fileno() if json_wanted else None)
        yield "The program", program.check(result)
