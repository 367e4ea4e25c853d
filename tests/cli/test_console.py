"""Conversations in the terminal: what the exporter `genai_console` shows, of spans that OpenTelemetry's SDK made."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TextIO

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags
from rich.cells import cell_len

from loopback import Json
from loopback.openai_bodies import completion
from loopback.processes import run
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai.cli.console import exporter as exporters, traces
from opentelemetry_instrumentation_genai.cli.console.exporter import ConsoleExporter
from opentelemetry_instrumentation_genai.cli.console.facts import dollars, duration
from opentelemetry_instrumentation_genai.cli.console.known import Known
from opentelemetry_instrumentation_genai.cli.console.messages import Message, messages_of
from opentelemetry_instrumentation_genai.cli.console.record import Record
from opentelemetry_instrumentation_genai.cli.console.tally import Tally
from opentelemetry_instrumentation_genai.cli.console.traces import Conversation, Traces

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
    "gen_ai.usage.input_tokens": 1234,
    "gen_ai.usage.output_tokens": 56,
    "gen_ai.usage.cache_read.input_tokens": 1024,
    "gen_ai.usage.cost": 0.000123,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.time_to_first_chunk": 0.25,
    "server.address": "api.openai.com",
}
HTTP = {"url.full": "https://api.openai.com/v1/chat/completions?key=secret", "http.response.status_code": 200}
SECOND = 1_000_000_000
BEGAN = 1_800_000_000 * SECOND
HOSTILE = {
    "escape": "\x1b[2J\x1b[31m",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://x\x07",
    "C1": "\x9b31m\x9d0;owned\x9c",
    "carriage return": "\rforged",
    "next line": "\x85\u2028\u2029\x0b\x0c",
    "bidi": "\u202ecod\u202c\u2066a\u2069\u061c\u200f",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff\u00ad\u3164\u034f",
    "tags": "\U000e0041\U000e0042",
    "markup": "[bold red]x[/] :smile:",
}


def message(role: str, *contents: str) -> dict[str, Any]:
    """A message of text parts."""
    return {"role": role, "parts": [{"type": "text", "content": content} for content in contents]}


class Shown:
    """An exporter behind a tracer, and what it has written."""

    def __init__(self, file: Any = None) -> None:
        self.file = io.StringIO() if file is None else file
        self.exporter = ConsoleExporter(self.file)
        self.provider = TracerProvider(resource=Resource({"service.name": "planner"}))
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")

    def span(
        self, name: str = "chat gpt-4.1-mini", *, start: float = 0, seconds: float = 1, parent: Any = None, **more: Any
    ) -> Any:
        """Begin a span; it is ended by `end`, so many seconds later."""
        around = None if parent is None else trace.set_span_in_context(parent)
        attributes = more or CHAT
        span = self.tracer.start_span(name, around, attributes=attributes, start_time=BEGAN + int(start * SECOND))
        span.until = BEGAN + int((start + seconds) * SECOND)  # type: ignore[attr-defined]
        return span

    def end(self, *spans: Any) -> str:
        """End spans, and return all that was written so far."""
        for span in spans:
            span.end(span.until)
        return str(self.file.getvalue())


@pytest.fixture
def shown() -> Iterator[Shown]:
    """An exporter that writes to a file: nobody says how wide it is."""
    made = Shown()
    yield made
    made.provider.shutdown()


def without_heading(text: str) -> list[str]:
    """The lines but for the heading, which has the time and the trace."""
    return [
        line for line in text.splitlines() if line and not re.match(r"\d\d:\d\d:\d\d · planner · trace \w{32}", line)
    ]


def agent(shown: Shown) -> str:
    """A run of an agent: two calls of a model with an HTTP request below the first, a tool, and a query that is beside the point."""
    first = json.dumps([message("system", "Be brief."), message("user", "Is it warm in Évora?")])
    call = {"type": "tool_call", "id": "1", "name": "get_weather", "arguments": {"city": "Évora"}}
    asked = json.dumps([{"role": "assistant", "parts": [call]}], ensure_ascii=False)
    result = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "24 °C"}]}
    again = json.dumps([*json.loads(first), *json.loads(asked), result])
    root = shown.span("invoke_agent planner", seconds=4, **{"gen_ai.operation.name": "invoke_agent"})
    one = shown.span(parent=root, **{**CHAT, "gen_ai.input.messages": first, "gen_ai.output.messages": asked})
    http = shown.span("POST", parent=one, start=0.1, seconds=0.8, **HTTP)
    tool = shown.span(
        "execute_tool get_weather",
        parent=root,
        start=1,
        **{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": '{"city": "Évora"}'},
    )
    query = shown.span("SELECT", parent=root, start=2, **{"db.system": "sqlite"})
    answer = json.dumps([message("assistant", "Yes:\n24 °C.")])
    two = shown.span(
        parent=root, start=2, seconds=2, **{**CHAT, "gen_ai.input.messages": again, "gen_ai.output.messages": answer}
    )
    return shown.end(http, one, tool, query, two, root)


FACTS = "openai gpt-4.1-mini-2025-04-14 · first chunk 250 ms · 1,234 → 56 tokens (1,024 from cache) · $0.00012 · stop"
AGENT = [
    "invoke_agent planner  4 s",
    f"├ chat gpt-4.1-mini  1 s · {FACTS}",
    "│ │   system    Be brief.",
    "│ │   user      Is it warm in Évora?",
    '│ │   assistant → get_weather({"city": "Évora"})',
    "│ └ POST /v1/chat/completions 200  800 ms",
    "├ execute_tool get_weather  1 s",
    '│     arguments {"city": "Évora"}',
    f"└ chat gpt-4.1-mini  2 s · {FACTS}",
    "      …         3 parts as before",
    "      tool      ← 24 °C",
    "      assistant Yes:",
    "                24 °C.",
    "  and 1 other span",
]


def test_a_conversation(shown):
    """The tree with all that is known of each call; in a pipe each span is one line, and each line of a message another."""
    assert AGENT == without_heading(agent(shown))


def test_summary(shown):
    """When the process ends: rows by name, the calls of models together, errors by type."""
    agent(shown)
    failed = shown.span(start=9, seconds=3, **{**CHAT, "error.type": "RateLimitError"})
    failed.set_status(Status(StatusCode.ERROR, "429: slow down"))
    before = shown.end(failed)

    shown.provider.shutdown()

    assert "✗ RateLimitError: 429: slow down" in before
    written = shown.file.getvalue()[len(before) :].splitlines()
    assert [
        "",
        "Summary",
        "calls | failed | tokens in → out | cost | p50 | p95",
        "-----",
        "chat gpt-4.1-mini | 3 | 1 | 3,702 → 168 | $0.00037 | 2 s | 3 s",
        "execute_tool get_weather | 1 | - | - | - | 1 s | 1 s",
        "invoke_agent planner | 1 | - | - | - | 4 s | 4 s",
        "all calls of models | 3 | 1 | 3,702 → 168 | $0.00037 | 2 s | 3 s",
        "Errors by type: RateLimitError 1",
    ] == [_cells(line) for line in written]


def _cells(line: str) -> str:
    """The cells of a row; durations, which are known to one percent, in whole seconds."""
    if set(line) == {"─"}:
        return "-----"
    cells = re.split(r"  +", line.strip())
    return " | ".join(re.sub(r"^(\d\.\d+) s$", lambda found: f"{float(found[1]):.0f} s", cell) for cell in cells)


@pytest.mark.parametrize("width", [80, 60, 40])
def test_every_line_fits(monkeypatch, width):
    """Whatever the width: nothing is wider, and all that is shown in a pipe is there."""
    monkeypatch.setenv("COLUMNS", str(width))
    shown = Shown()

    written = agent(shown)
    shown.provider.shutdown()

    lines = shown.file.getvalue().splitlines()
    assert [] == [line for line in lines if cell_len(line) > width]
    words = re.sub(r"[│├└╌━\s]+", "", written)
    for line in AGENT:
        for word in re.sub(r"[│├└]", "", line).split(" · ")[-1].split():
            assert word in words
    assert "Summary" in lines


def test_80_columns(monkeypatch):
    """Name, time line and duration in the first line; what else there is below it."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = Shown()

    lines = without_heading(agent(shown))

    assert [
        "invoke_agent planner                                ━━━━━━━━━━━━━━━━━━       4 s",
        "├ chat gpt-4.1-mini                                 ╌━━━                     1 s",
        "│ │ openai gpt-4.1-mini-2025-04-14 · first chunk 250 ms · 1,234 → 56 tokens",
        "│ │ (1,024 from cache) · $0.00012 · stop",
    ] == lines[:4]
    shown.provider.shutdown()


def test_a_failed_call_and_one_that_was_not_read(shown):
    """How a call ended is shown in words."""
    late = shown.span(**{**CHAT, "gen_ai.response.finish_reasons": ("error",), "http.request.resend_count": 2})

    assert "· not read to its end · after 2 retries" in shown.end(late)


# What a model may write.


def unseen(text: str) -> list[str]:
    """The characters of a text that a terminal obeys or nobody sees."""
    return [
        character
        for character in text
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or character in "\u3164\u034f"
    ]


def hostile_span(shown: Shown, text: str) -> str:
    """A span that has a text wherever one can be, and what is written of it."""
    part = {"type": "tool_call", "name": text, "arguments": {text: text}}
    kinds = [part, {"type": text, "uri": text}, {"type": "reasoning", "content": text}, text]
    content = json.dumps([{"role": text, "parts": kinds}, message("user", text), text])
    attributes = {name: text for name in CHAT if not name.startswith("gen_ai.usage")} | {
        "gen_ai.response.finish_reasons": (text, text),
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": text}]),
        "gen_ai.tool.definitions": json.dumps([{"name": text}]),
        "gen_ai.input.messages": content,
        "gen_ai.output.messages": content,
        "gen_ai.tool.call.result": text,
        "error.type": text,
    }
    span = shown.span(text, **attributes)
    inner = shown.span(text, parent=span, **{"url.full": f"http://x/{text}", "http.response.status_code": text})
    for one in (span, inner):
        one.set_status(Status(StatusCode.ERROR, text))
    shown.end(inner, span)
    shown.provider.shutdown()
    return str(shown.file.getvalue())


@pytest.mark.parametrize("columns", ["80", ""])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_terminal_obeys_nothing_of_it(monkeypatch, kind, columns):
    """Escapes, forged lines, writing directions and markup are shown as what they are."""
    if columns:
        monkeypatch.setenv("COLUMNS", columns)

    written = hostile_span(Shown(), f"a{HOSTILE[kind]}b")

    assert [] == unseen(written.replace("\n", ""))
    if not columns:
        assert hostile_span(Shown(), "ab").count("\n") == written.count("\n")


def test_a_forged_line_stays_within_its_message(shown):
    """A message of several lines has the branches of the tree before each."""
    forged = json.dumps([message("user", "x\n└ chat gpt-5  1 s · $0.00")])
    root = shown.span("invoke_agent a", **{"gen_ai.operation.name": "invoke_agent"})
    call = shown.span(parent=root, **{**CHAT, "gen_ai.input.messages": forged})

    lines = shown.end(call, root).splitlines()

    assert "                └ chat gpt-5  1 s · $0.00" in lines


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ('[{"role": "user", "parts": [{"type": "text", "content": "cut by a lim', ["?"]),
        ("null", []),
        ("[]", []),
        ("[null, 3, []]", ["?", "?", "?"]),
        ('{"role": "user"}', ["?"]),
        ('[{"role": null, "parts": [null, {}]}]', ["None", "None"]),
        ("[" * 100_000, ["?"]),
        (3, ["?"]),
    ],
)
def test_content_that_is_none(shown, value, lines):
    """Whatever is where messages should be is shown as it is."""
    written = messages_of({"gen_ai.input.messages": value})

    assert lines == [message.role for message in written]
    assert "chat" in shown.end(shown.span(**{**CHAT, "gen_ai.input.messages": value}))


def test_attributes_of_other_types(shown):
    """Numbers that are texts, NaN, and lists where there is one value."""
    odd: dict[str, Any] = dict.fromkeys(CHAT, ("x", "y"))
    odd["gen_ai.usage.cost"] = float("nan")
    odd["gen_ai.usage.input_tokens"] = True

    written = without_heading(shown.end(shown.span("odd", **odd)))

    assert 1 == len(written)
    assert written[0].startswith("odd  1 s · ('x', 'y')")
    assert written[0].endswith("· x, y")


def test_long_content_is_cut_and_said_to_be(shown):
    """A message of a megabyte, and a conversation of a thousand messages."""
    history = [message("user", f"message {number}") for number in range(1_000)]
    content = json.dumps([*history, message("user", "x" * 1_000_000)])

    lines = without_heading(shown.end(shown.span(**{**CHAT, "gen_ai.input.messages": content})))

    assert 1 + 60 + 1 == len(lines)
    assert "…         941 parts are not shown" == lines[6].strip()
    assert lines[-1].endswith("x… (999,000 characters more)")


def test_a_deep_tree(monkeypatch):
    """A thousand spans within each other: the tree is indented to a point, and no line is too wide."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = Shown()
    spans = [shown.span("invoke_workflow 0", **{"gen_ai.operation.name": "invoke_workflow"})]
    for number in range(900):
        spans.append(shown.span(f"step {number}", parent=spans[-1], **{"gen_ai.operation.name": "step"}))

    lines = shown.end(*reversed(spans)).splitlines()

    assert 902 <= len(lines)
    assert [] == [line for line in lines if cell_len(line) > 80]
    shown.provider.shutdown()


# When a trace is shown.


def test_it_is_shown_when_its_root_has_ended(shown):
    """Not before, and the spans of two traces are not mixed."""
    root, other = shown.span("a"), shown.span("b")
    assert "" == shown.end(shown.span("c", parent=root), shown.span("d", parent=other))

    assert ["a", "└ c"] == [line.partition("  ")[0] for line in without_heading(shown.end(root))]
    assert ["a", "└ c", "b", "└ d"] == [line.partition("  ")[0] for line in without_heading(shown.end(other))]


def test_a_root_of_another_process(shown):
    """A server that was called with a trace context shows its part of the trace, and says so."""
    remote = NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)))

    written = shown.end(shown.span(parent=remote))

    assert f"trace {1:032x} · called from another process" in written
    assert ["chat gpt-4.1-mini"] == [line.partition("  ")[0] for line in without_heading(written)]


def test_a_span_that_ends_after_its_root(shown):
    """As a stream that is read to its end after the function that began it: shown at once, with the reason."""
    root = shown.span("root", **{"gen_ai.operation.name": "invoke_workflow"})
    late = shown.span(parent=root)
    shown.end(root)

    assert "ended after its trace was shown\nchat gpt-4.1-mini" in shown.end(late)


def test_a_root_that_is_never_exported(shown, monkeypatch):
    """What waits in vain is shown after a while, though nothing else happens."""
    monkeypatch.setattr(traces, "PATIENCE", 0.1)
    waited = threading.Event()
    monkeypatch.setattr(shown.file, "flush", waited.set)
    unexported = NonRecordingSpan(SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1)))

    shown.end(shown.span(parent=unexported))

    assert waited.wait(10)
    assert "what is around it has not ended\nchat gpt-4.1-mini" in shown.file.getvalue()


def test_what_is_held_is_shown_at_the_end(shown):
    """A span around it that is open when the process ends."""
    shown.end(shown.span(parent=shown.span("open")))

    shown.provider.shutdown()

    assert "what is around it has not ended\nchat gpt-4.1-mini" in shown.file.getvalue()


def test_no_trace_without_a_call(shown):
    """The other traces of an application are not shown, nor is a summary of nothing."""
    shown.end(shown.span("GET /health", **{"http.method": "GET"}))

    shown.provider.shutdown()

    assert "" == shown.file.getvalue()


def record(trace_id: str, number: int, parent: str = "p") -> Record:
    """The record of a call."""
    return Record(trace_id, str(number), parent, False, "chat", 0, 1, False, "", "", dict(CHAT))


def test_no_more_than_a_thousand_are_held():
    """The trace that waits longest is shown as it stands, and nothing of those that were shown is kept."""
    held = Traces()
    came = [*held.add((record(str(number % 100), number) for number in range(1_500)), 0.0)]
    left = [*held.rest()]

    assert 1_500 == sum(len(one.records) for one in (*came, *left))
    assert 1_000 >= sum(len(one.records) for one in left)
    assert {traces.STILL_OPEN} == {one.remark for one in (*came, *left)}
    assert [] == [*held.rest()]
    for number in range(5_000):
        assert [Conversation([root := record(f"r{number}", 0, "")], "")] == [*held.add([root], 0.0)]
    assert 1_000 == len(held._shown)


def test_known_messages_are_bounded():
    """Ten thousand different messages are not all remembered; those of late are."""
    known = Known()
    for number in range(10_000):
        assert [*known.new([Message("user", str(number), known=True)])]

    assert 5_000 == len(known._seen)
    assert ["1 part as before"] == [one.text for one in known.new([Message("user", "9999", known=True)])]
    assert ["0"] == [one.text for one in known.new([Message("user", "0", known=True)])]


# Counting.


def test_quantiles_are_right_to_one_percent():
    """Of ten thousand durations, in memory that does not grow with them; and those of two processes add up."""
    one, other = Tally(), Tally()
    for number in range(10_000):
        end = int((number + 1) / 1_000 * SECOND)
        (one if number % 2 else other).add(Record("t", "i", "", False, "chat", 0, end, False, "", "", dict(CHAT)))

    one.merge(Tally.load(other.dump()))

    total = one.total
    assert (10_000, 12_340_000, 560_000) == (total.calls, total.given, total.made)
    assert 5 == pytest.approx(total.quantile(0.5), rel=0.01)
    assert 9.5 == pytest.approx(total.quantile(0.95), rel=0.01)
    assert 1_000 > len(total.durations)


def test_names_and_errors_are_bounded():
    """As many rows as anyone reads: the others are one."""
    tally = Tally()
    for number in range(1_000):
        attributes = {**CHAT, "error.type": f"E{number}"}
        tally.add(Record("t", "i", "", False, f"chat {number}", 0, 1, True, "", "", attributes))

    assert 51 == len(tally.rows) == len(tally.errors)
    assert 950 == tally.rows["others"].calls == tally.errors["others"]


def test_an_agent_that_reports_the_usage_of_its_calls():
    """It counts where nobody else saw those calls, and not beside them."""
    usage = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 1}
    for call, expected in ((None, 10), (record("t", 1), 1234)):
        tally = Tally()
        if call:
            tally.add(call)
        tally.add(Record("t", "a", "", False, "invoke_agent a", 0, 1, False, "", "", usage))
        assert expected == tally.total.given


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "<0.1 ms"), (0.0021, "2.1 ms"), (0.0999, "100 ms"), (0.9996, "1 s"), (12.345, "12.3 s"), (125, "2 min 05 s")],
)
def test_durations(seconds, text):
    """Three digits or so."""
    assert text == duration(seconds)


@pytest.mark.parametrize(
    ("cost", "text"), [(0, "$0.00"), (1234.5, "$1,234.50"), (0.0123, "$0.0123"), (0.000012345, "$0.000012")]
)
def test_costs(cost, text):
    """Cents, or four decimals of what is less than ten of them, and two digits at least."""
    assert text == dollars(cost)


# Where it is shown.


def written_to_a_terminal(monkeypatch, **environment: str) -> str:
    """What a terminal gets."""
    for name, value in {"TERM": "xterm-256color", **environment}.items():
        monkeypatch.setenv(name, value)
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as file:  # noqa: PTH123 - it has no name
        shown = Shown(file)
        span = shown.span(**{**CHAT, "gen_ai.input.messages": json.dumps([message("user", "Hello.")])})
        span.end(span.until)
        read = os.read(ours, 65_536).decode()
        shown.provider.shutdown()
    os.close(ours)
    return read


def test_colours_on_a_terminal(monkeypatch):
    """There they are."""
    assert "\x1b[1mchat gpt-4.1-mini\x1b[0m" in written_to_a_terminal(monkeypatch)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours(monkeypatch, environment):
    """NO_COLOR, and a terminal that has none: not one escape sequence, so that bold is none either."""
    written = written_to_a_terminal(monkeypatch, **environment)

    assert "chat gpt-4.1-mini" in written
    assert "\x1b" not in written


def test_no_colours_in_a_file(shown):
    """Nor in a pipe."""
    assert "\x1b" not in agent(shown)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_file_that_has_no_such_characters(encoding):
    """Lines of the tree are drawn with what there is, and letters are escaped; nothing is lost."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    shown = Shown(file)
    root = shown.span("invoke_agent ü", **{"gen_ai.operation.name": "invoke_agent"})
    for span in (shown.span("chat 你好", parent=root), root):
        span.end(span.until)

    written = raw.getvalue().decode(encoding)

    assert "` chat \\u4f60\\u597d  1 s ~"[:20] in written
    assert "1,234 > 56 tokens" in written
    shown.provider.shutdown()


class Closed(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, _text: str) -> int:
        """Fail as a pipe does."""
        raise BrokenPipeError


def _closed() -> TextIO:
    file = io.StringIO()
    file.close()
    return file


@pytest.mark.parametrize("make", [Closed, _closed])
def test_nobody_reads_it(make):
    """The application gets no error, and the SDK of OpenTelemetry none either."""
    shown = Shown(make())
    span = shown.span()
    span.end()

    assert SpanExportResult.SUCCESS is shown.exporter.export([])
    assert shown.exporter.force_flush()
    shown.provider.shutdown()


def test_no_standard_error(monkeypatch):
    """As a program without a console has none."""
    monkeypatch.setattr(sys, "stderr", None)
    exporter = ConsoleExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    provider.get_tracer("t").start_span("chat", attributes=CHAT).end()
    provider.shutdown()


def test_what_fails_within_is_logged_once(shown, monkeypatch, caplog):
    """An error of ours does not reach the SDK."""
    monkeypatch.setattr(guard, "strict", False)
    monkeypatch.setattr(guard, "_reported", set())
    monkeypatch.setattr(exporters._Screen, "add", lambda *_: 1 / 0)

    for _ in range(2):
        shown.end(shown.span())

    assert ["ZeroDivisionError"] == [entry.getMessage().split()[0] for entry in caplog.records]


def test_without_rich(monkeypatch, caplog):
    """The extra is not installed: one sentence says what to install, and the application runs as before."""
    monkeypatch.setattr(guard, "_reported", set())
    caplog.set_level(logging.WARNING)
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich" or ".cli.console." in name]:
        if not name.endswith(".exporter"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)

    exporter = ConsoleExporter(io.StringIO())

    assert SpanExportResult.SUCCESS is exporter.export([])
    exporter.shutdown()
    sentence = (
        "The exporter genai_console shows nothing, because the package rich is missing: "
        "pip install 'opentelemetry-instrumentation-genai[cli]'"
    )
    assert [sentence] == [entry.getMessage() for entry in caplog.records]


# In an application.

CALL = """
from openai import OpenAI

print("before")
OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello \\x1b[31m"}])
print("after")
"""


@pytest.fixture(autouse=True)
def no_columns(monkeypatch) -> None:
    """Nobody says how wide a page is, but for a test."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def settings(server: Any) -> dict[str, str]:
    """The settings of an application that shows its calls."""
    return {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "none",
        "OTEL_TRACES_EXPORTER": "genai_console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "planner",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
    }


def test_the_entry_point():
    """OpenTelemetry finds it by its name."""
    (found,) = [one for one in entry_points(group="opentelemetry_traces_exporter") if one.name == "genai_console"]

    assert ConsoleExporter is found.load()


@pytest.mark.process
def test_under_the_usual_launcher(server, tmp_path):
    """`OTEL_TRACES_EXPORTER=genai_console opentelemetry-instrument python app.py`: what it prints is what it printed before."""
    server.reply(Json(completion()))

    printed, shown = run(tmp_path, CALL, instrumented=True, **settings(server))

    assert ["before", "after"] == printed
    lines = without_heading("\n".join(shown))
    assert lines[0].startswith("chat gpt-4o-mini  ")
    assert [] == [line for line in shown if "report" in line]
    assert any(line.endswith("  user      Hello \\x1b[31m") for line in lines)
    assert "Summary" in lines


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_that_forks(server, tmp_path):
    """The child shows its own calls, and nothing of what its parent holds."""
    server.reply(Json(completion()), Json(completion()))
    program = f"""
import os
from opentelemetry import trace
tracer = trace.get_tracer("app")
with tracer.start_as_current_span("outer"):
    {CALL.strip().replace(chr(10), chr(10) + "    ")}
    trace.get_tracer_provider().force_flush()
    child = os.fork()
    if not child:
        OpenAI().chat.completions.create(model="gpt-4o", messages=[{{"role": "user", "content": "Hello"}}])
        trace.get_tracer_provider().shutdown()
        os._exit(0)
    os.waitpid(child, 0)
"""
    _, shown = run(tmp_path, program, instrumented=True, **settings(server))

    calls = [line.split("  ")[0].lstrip("└ ") for line in shown if re.search(r"chat gpt-4o(-mini)?  \d", line)]
    rows = [line.split()[:3] for line in shown if re.match(r"chat gpt-4o(-mini)? +\d+ +- ", line)]
    assert ["chat gpt-4o", "chat gpt-4o-mini"] == sorted(calls)
    assert [["chat", "gpt-4o", "1"], ["chat", "gpt-4o-mini", "1"]] == sorted(rows)


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize("with_a_call", [True, False])
@pytest.mark.parametrize("folder", [True, False])
def test_a_process_that_is_interrupted(server, tmp_path, folder, with_a_call):
    """Its status is that of SIGINT, as without the exporter, whatever is shown when it ends."""
    server.reply(Json(completion()))
    program = (
        f"import os, signal, time\n{CALL if with_a_call else ''}\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)"
    )
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    counts = {"OPENTELEMETRY_GENAI_RUN_FOLDER": str(tmp_path)} if folder else {}

    done = subprocess.run(
        [Path(sys.executable).with_name("opentelemetry-instrument"), sys.executable, "app.py"],
        cwd=tmp_path,
        env={**os.environ, **settings(server), **counts},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert -signal.SIGINT == done.returncode
    assert ("Summary" in done.stderr) is (with_a_call and not folder)


@pytest.mark.process
def test_nothing_of_it_is_imported_without_being_asked_for(tmp_path):
    """Neither the command nor rich is in the process of an application that does not name the exporter."""
    program = (
        "import sys, opentelemetry_instrumentation_genai as g; g.instrument(); "
        "print([name for name in sys.modules if '.cli' in name and 'genai' in name or name == 'rich'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "[]" == done.stdout.strip()
