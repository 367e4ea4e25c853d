"""Telemetry as tables in a terminal. Reads the names of the semantic conventions, and knows no instrumentation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich import box
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from opentelemetry_instrumentation_genai._runtime.guard import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from .receiver import Attributes, Event, Point, Span, Telemetry

DETAILS = "gen_ai.client.inference.operation.details"
EXCEPTION = "gen_ai.client.operation.exception"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
TELLING = (
    "gen_ai.operation.name",
    "mcp.method.name",
    "gen_ai.request.model",
    "gen_ai.token.type",
    "gen_ai.token.modality",
    "error.type",
)
STYLES = {
    "system": "bright_black",
    "tools": "bright_black",
    "reasoning": "italic",
    "assistant": "cyan",
    "tool": "green",
    "exception": "red",
}
# What a part is tells more than who said it: Anthropic's API has the results of tools said by the user.
ROLES = {"reasoning": "reasoning", "tool_call_response": "tool"}
NONE = Text("-", "bright_black")

Numbers = dict[bytes, int]


def is_call(span: Span) -> bool:
    """Tell whether a span is a GenAI call or a request to an MCP server, and not what nests in it."""
    return "gen_ai.operation.name" in span.attributes or "mcp.method.name" in span.attributes


def number_calls(telemetry: Telemetry) -> Numbers:
    """Number the calls in the order in which they began; the number stands for the span's id in every table."""
    calls = sorted(filter(is_call, telemetry.spans), key=lambda span: span.start)
    return {span.id: number for number, span in enumerate(calls, 1)}


def plain_table(*columns: str, right: Collection[str] = (), widest: str) -> Table:
    """Make a table with nothing but a line below its head; the `widest` column takes the room that is left."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, expand=True, header_style="bold"
    )
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            ratio=1 if column == widest else None,
            no_wrap=True,
            overflow="ellipsis",
            vertical="top",
        )
    return table


def link(number: int | None) -> Text:
    """Write the number of a call, alike in all tables."""
    return Text("-", "bright_black") if number is None else Text(f"#{number}", "cyan")


def shown(received: object, style: str = "") -> Text:
    """Write what was received: a model may have said anything, escape sequences of terminals among it."""
    return Text(printable(str(received)), style)


def stack(*lines: Text) -> Text:
    """Put lines below each other in one cell, without the empty ones at the end."""
    text = Text("\n").join(lines)
    text.rstrip()
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


# Spans


@dataclass(frozen=True)
class TimeLine:
    """When a span was open, on a line as wide as there is room: thin until a stream's first chunk, thick from there on."""

    start: float
    first: float
    end: float
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        room = options.max_width
        left = min(round(self.start * room), room - 1)
        right = max(round(self.end * room), left + 1)
        turn = min(max(round(self.first * room), left + (self.first > self.start)), right - 1)
        yield Text(" " * left + "╌" * (turn - left) + "━" * (right - turn), self.style, no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Ask for a few characters at least."""
        return Measurement(8, options.max_width)


def span_table(telemetry: Telemetry, numbers: Numbers) -> Table:
    """Show every trace as a tree beside one common time line."""
    begin = min(span.start for span in telemetry.spans)
    length = max(max(span.end for span in telemetry.spans) - begin, 1)
    line, took, first, tokens = f"time line\n{length / 1e9:.1f} s", "took", "first\nchunk", "tokens\nin → out"
    right = (took, first, tokens)
    table = plain_table("", "call", line, took, first, tokens, "result", right=right, widest=line)
    # In a narrow terminal the name of the call gives way, and nothing else.
    table.columns[1].no_wrap, table.columns[2].width = False, 9
    for span, branch, below in tree(telemetry.spans):
        start, end = (span.start - begin) / length, (span.end - begin) / length
        waited = span.attributes.get(FIRST_CHUNK, 0.0) * 1e9 / length
        style = "red" if span.failed else "cyan" if is_call(span) else "bright_black"
        bar = TimeLine(start, start + waited, end, style)
        if is_call(span):
            table.add_row(link(numbers[span.id]), *call_cells(span, branch, below, bar))
        else:
            table.add_row("", *other_cells(span, branch, bar))
    return table


def tree(spans: list[Span]) -> Iterator[tuple[Span, str, str]]:
    """Walk the trees in order of time: each span, the branch before its name, and what goes on in a line below it."""
    known = {span.id for span in spans}
    children: dict[bytes, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start):
        children.setdefault(span.parent if span.parent in known else b"", []).append(span)

    def walk(parent: bytes, indent: str) -> Iterator[tuple[Span, str, str]]:
        siblings = children.get(parent, [])
        for span in siblings:
            last = span is siblings[-1]
            branch, deeper = ("└ ", "  ") if last else ("├ ", "│ ")
            branch, deeper = (indent + branch, indent + deeper) if parent else ("", "")
            yield span, branch, deeper + ("│ " if span.id in children else "  ")
            yield from walk(span.id, deeper)

    return walk(b"", "")


def call_cells(span: Span, branch: str, below: str, bar: TimeLine) -> Iterator[RenderableType]:
    """Show one call: what it was, how long it took, what it used, how it ended."""
    get = span.attributes.get
    made_by = " · ".join(str(get(name)) for name in ("gen_ai.provider.name", "gen_ai.response.model") if get(name))
    name = Text.assemble((branch, "bright_black"), shown(span.name, "bold red" if span.failed else "bold"))
    yield stack(name, shown(below + made_by, "bright_black")) if made_by else name
    yield bar
    yield milliseconds(span.seconds)
    yield milliseconds(get(FIRST_CHUNK))
    yield stack(*token_lines(span.attributes))
    yield stack(*result_lines(span))


def other_cells(span: Span, branch: str, bar: TimeLine) -> Iterator[RenderableType]:
    """Show what happened inside a call, or around it."""
    get = span.attributes.get
    style = "red" if span.failed else "bright_black"
    path = urlsplit(str(get("url.full", get("http.url", "")))).path
    yield stack(Text.assemble((branch, "bright_black"), shown(f"{span.name} {path}", style)))
    yield bar
    yield Text(f"{span.seconds * 1000:,.0f} ms", style)
    yield from ("", "")
    yield shown(get("http.response.status_code", get("http.status_code", "")), style)


def token_lines(attributes: Attributes) -> tuple[Text, Text]:
    """Show the tokens of a call, and below them those that were read from a cache, written to it, or spent on reasoning."""
    get = attributes.get
    used = [get("gen_ai.usage.input_tokens"), get("gen_ai.usage.output_tokens")]
    special = [
        (get("gen_ai.usage.cache_read.input_tokens"), "cached"),
        (get("gen_ai.usage.cache_write.input_tokens"), "to cache"),
        (get("gen_ai.usage.reasoning.output_tokens"), "reasoning"),
    ]
    return (
        NONE if used == [None, None] else Text(" → ".join("-" if count is None else f"{count:,}" for count in used)),
        Text("\n".join(f"{count:,} {word}" for count, word in special if count), "bright_black"),
    )


def result_lines(span: Span) -> Iterator[Text]:
    """Show how a call ended. Where it did not fail, the finish reason `error` is the conventions' word for one that never came."""
    get = span.attributes.get
    reasons, retries = get("gen_ai.response.finish_reasons", ()), get("http.request.resend_count")
    if span.failed:
        yield shown(get("error.type", "error"), "red")
    else:
        yield shown(", ".join(reasons)) if reasons else NONE
        if "error" in reasons:
            yield Text("unfinished", "bright_black")
    if retries:
        yield shown(f"after {retries} {'retry' if retries == 1 else 'retries'}", "yellow")


def milliseconds(seconds: float | None) -> Text:
    """Write a duration."""
    return NONE if seconds is None else Text(f"{seconds * 1000:,.0f} ms")


# Metrics


def metric_table(telemetry: Telemetry, numbers: Numbers) -> Table:
    """Show each series of the gen_ai metrics, with a call that it links to by exemplar."""
    right = ("count", "average", "sum", "exemplar")
    table = plain_table(
        "metric, and attributes of the series", *right, right=right, widest="metric, and attributes of the series"
    )
    points = [point for point in telemetry.series() if point.metric.startswith("gen_ai.")]
    for name, series in groupby(sorted(points, key=lambda point: point.metric), key=lambda point: point.metric):
        table.add_row(shown(name, "bold"))
        for point in sorted(series, key=series_name):
            linked = (numbers[span] for span in point.exemplars if span in numbers)
            table.add_row(
                shown(f"  {series_name(point)}", "red" if "error.type" in point.attributes else ""),
                f"{point.count:,}" if point.count else NONE,
                amount(point.total / point.count, point.unit) if point.count else NONE,
                amount(point.total, point.unit),
                link(min(linked, default=None)),
            )
    return table


def series_name(point: Point) -> str:
    """Name a series by those attributes that tell it from the others in this program."""
    return " · ".join(str(point.attributes[name]) for name in TELLING if name in point.attributes)


def amount(value: float, unit: str) -> Text:
    """Write a value with its unit."""
    if unit == "s":
        return Text(f"{value:,.2f} s") if value >= 1 else milliseconds(value)
    return Text(f"{value:,.0f}")


# Events


def message_table(telemetry: Telemetry, numbers: Numbers) -> Table:
    """Show the messages of each call, one short line each, as its events carry them."""
    table = plain_table("", "role", "message", widest="message")
    events = [event for event in telemetry.events if event.span in numbers and event.name in {DETAILS, EXCEPTION}]
    events.sort(key=lambda event: (numbers[event.span], event.name == EXCEPTION))
    briefings: dict[str, int] = {}
    for number, about in groupby(events, lambda event: numbers[event.span]):
        label = link(number)
        for role, text in (line for event in about for line in event_lines(event)):
            said = " ".join(text.split())
            if role == "system" and briefings.setdefault(said, number) != number:
                said = f"the same as in #{briefings[said]}"
            style = STYLES.get(role, "")
            table.add_row(label, shown(role, style), shown(said, style))
            label = Text()
    return table


def event_lines(event: Event) -> Iterator[tuple[str, str]]:
    """Read an event as lines of role and text."""
    get = event.attributes.get
    if event.name == EXCEPTION:
        yield "exception", f"{get('exception.type', '')}: {get('exception.message', '')}"
        return
    if tools := content(get("gen_ai.tool.definitions")):
        yield "tools", ", ".join(tool.get("name", "") for tool in tools)
    for part in content(get("gen_ai.system_instructions")):
        yield "system", part_text(part)
    for message in content(get("gen_ai.input.messages")) + content(get("gen_ai.output.messages")):
        for part in message.get("parts", ()):
            yield ROLES.get(part.get("type", ""), str(message.get("role", ""))), part_text(part)


def content(value: Any) -> list[Any]:
    """Read captured content, be it structured or a JSON string."""
    return json.loads(value) if isinstance(value, str) else value or []


def part_text(part: Attributes) -> str:
    """Write one part of a message in one line."""
    match part.get("type"):
        case "text" | "reasoning":
            return str(part.get("content", ""))
        case "tool_call":
            arguments = part.get("arguments")
            return f"→ {part.get('name')}({arguments if isinstance(arguments, str) else written(arguments)})"
        case "tool_call_response":
            response = part.get("response", part.get("result"))
            return f"← {response if isinstance(response, str) else written(response)}"
        case kind:
            return f"<{kind}>"


def written(value: Any) -> str:
    """Write a value as JSON, in letters that people read."""
    return json.dumps(value, ensure_ascii=False)
