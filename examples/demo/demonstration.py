"""A model server, a receiver and an application between them, and what the receiver got, shown in the terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from .loopback import serve
from .model_server import model_server
from .receiver import Telemetry, receiver
from .tally import Tally
from .view import DETAILS, is_call, message_table, metric_table, number_calls, span_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .receiver import Attributes

ROOT = Path(__file__).parents[2]
PROGRAMS = ("examples.demo.app", "examples.demo.trip", "examples.demo.elsewhere")
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
DURATIONS = ("gen_ai.client.operation.duration", "gen_ai.client.inference.duration")
# What a user would set is set here; what only hurries the exporters, or keeps a proxy out of the way, is not shown.
SETTINGS = {
    "OTEL_SERVICE_NAME": "weekend-planner",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    CAPTURE: "span_and_event",
}
LEGEND = (
    ("OTEL_SERVICE_NAME=planner", "who calls"),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT=https://collector.example:4318",
        "where to: whatever takes OTLP",
    ),
    ("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "or grpc, then with port 4317"),
    ("OTEL_EXPORTER_OTLP_HEADERS=authorization=...", "if it asks for a key"),
    (f"{CAPTURE}=span_and_event", "off unless set: messages can be private"),
    ("opentelemetry-instrument python app.py", "and nothing in the application"),
)
SERVERS = ("ANTHROPIC_BASE_URL", "CEREBRAS_BASE_URL", "FIREWORKS_BASE_URL", "GROQ_BASE_URL", "OLLAMA_HOST")
SURROUNDINGS = {
    **dict.fromkeys((f"{sdk}_API_KEY" for sdk in ("ANTHROPIC", "CEREBRAS", "FIREWORKS", "GROQ", "OPENAI")), "demo"),
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
    "PYTHONIOENCODING": "utf-8",
}


def main() -> int:
    """Run the demonstration; the exit status is 0 only if every call of the application was seen."""
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    console = make_console()
    instrument = shutil.which("opentelemetry-instrument", path=str(Path(sys.executable).parent))
    if instrument is None:
        return fail(console, ["opentelemetry-instrument is not installed beside this Python"])
    tally, telemetry = Tally(), Telemetry()
    with serve(model_server(tally)) as model, serve(receiver(telemetry)) as backend:
        settings = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": backend}
        apis = {"OPENAI_BASE_URL": f"{model}/v1"} | dict.fromkeys(SERVERS, model)
        environment = {**kept(), **settings, **chosen(), **SURROUNDINGS, **apis}
        for program in PROGRAMS:
            section(console, "The application", f"opentelemetry-instrument python -m {program}")
            if found := run(instrument, program, environment):
                return fail(console, [found])
    show(console, telemetry)
    if found := list(problems(tally, telemetry)):
        return fail(console, found)
    legend(console, tally, telemetry)
    return 0


def run(instrument: str, program: str, environment: dict[str, str]) -> str:
    """Run a program under `opentelemetry-instrument`, and return what went wrong, if anything did."""
    command = [instrument, sys.executable, "-m", program]
    try:
        status = subprocess.run(command, env=environment, cwd=ROOT, timeout=60, check=False).returncode
    except subprocess.TimeoutExpired:
        return "the application did not end within a minute"
    return f"the application ended with exit status {status}" if status else ""


def make_console() -> Console:
    """Make a console that is wide enough where nobody says how wide it is, as in CI."""
    console = Console(highlight=False)
    known = console.is_terminal or "COLUMNS" in os.environ
    console.width = min(console.width, 120) if known else 110
    return console


def kept() -> dict[str, str]:
    """Keep the environment, except what would lead the telemetry or the calls elsewhere."""
    elsewhere = ("OTEL_", "OPENAI_", "ANTHROPIC_", "OLLAMA_")
    return {name: value for name, value in os.environ.items() if not name.startswith(elsewhere)}


def chosen() -> dict[str, str]:
    """Keep what one may want to try out here: the settings of this instrumentation, and the generation of the names."""
    names = ("OTEL_INSTRUMENTATION_GENAI_", "OTEL_SEMCONV_")
    return {name: value for name, value in os.environ.items() if name.startswith(names)}


def show(console: Console, telemetry: Telemetry) -> None:
    """Show what was received, as far as there is anything to show."""
    numbers = number_calls(telemetry)
    if not numbers:
        return
    section(console, "Spans", "a call and, below it, its HTTP requests; ╌ waits for the first chunk")
    console.print(span_table(telemetry, numbers))
    section(console, "Metrics", "an exemplar leads from a number to a call")
    console.print(metric_table(telemetry, numbers))
    if telemetry.events:
        section(
            console, "Messages", "as the events carry them, because content capture is on here; it is off by default"
        )
        console.print(message_table(telemetry, numbers))


def section(console: Console, title: str, remark: str = "") -> None:
    """Begin a part of the page."""
    heading = Text.assemble((title, "bold cyan"), (f"  {remark}" if remark else "", "bright_black"))
    console.print("", Rule(heading, align="left", style="bright_black"), "", sep="\n")
    console.file.flush()


def problems(tally: Tally, telemetry: Telemetry) -> Iterator[str]:
    """Compare what was received with what the model server saw."""
    spans = sum(asks_server(span.attributes) for span in telemetry.spans if is_call(span))
    if not spans:
        yield "no GenAI span arrived: is the instrumentation installed beside this Python, and not switched off?"
    elif spans != tally.calls:
        yield f"the application made {tally.calls} calls, but {spans} GenAI spans arrived"
    durations = recorded_durations(telemetry)
    if durations != tally.calls:
        yield f"the application made {tally.calls} calls, but {durations} durations were recorded"
    events = detail_events(telemetry)
    # Embeddings have no messages to tell of. Whoever chooses settings may have chosen to have no events.
    if events != tally.inferences and not chosen():
        yield f"the application made {tally.inferences} inferences, but {events} events arrived"


def asks_server(attributes: Attributes) -> bool:
    """Tell whether an operation is a request to the model server, and no operation that a program names."""
    return "server.address" in attributes


def recorded_durations(telemetry: Telemetry) -> int:
    """Count the durations. With the newest names embeddings have a metric of their own; with both, calls have two."""
    everything, inference = (
        sum(point.count for point in telemetry.series() if point.metric == name and asks_server(point.attributes))
        for name in DURATIONS
    )
    return everything if everything > inference else everything + inference


def detail_events(telemetry: Telemetry) -> int:
    """Count the events that describe a call."""
    return sum(event.name == DETAILS for event in telemetry.events)


def legend(console: Console, tally: Tally, telemetry: Telemetry) -> None:
    """Say what was shown, and how to have the same elsewhere."""
    spans, durations, events = len(number_calls(telemetry)), recorded_durations(telemetry), detail_events(telemetry)
    named = spans - tally.calls
    calls = f"{tally.calls} calls in {tally.requests} HTTP requests, and {named} operations beside them"
    section(console, "The same with your application and your backend")
    table = Table.grid("", "", padding=(0, 2))
    table.columns[0].no_wrap = True
    for setting, remark in LEGEND:
        table.add_row(Text(setting, "cyan"), Text(remark, "bright_black"))
    console.print(table, "", sep="\n")
    console.print(
        Text.assemble(("✓ ", "bold green"), f"{calls}: {spans} spans, {durations} durations, {events} events.")
    )


def fail(console: Console, messages: list[str]) -> int:
    """Say what went wrong."""
    for message in messages:
        console.print(Text.assemble(("✗ ", "bold red"), message))
    return 1
