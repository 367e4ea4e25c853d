"""What is logged or shown in a terminal has no control, format or invisible character: wherever the words come from."""

from __future__ import annotations

import ast
import logging
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import opentelemetry_instrumentation_genai as genai
from loopback import Json, openai_bodies
from opentelemetry_instrumentation_genai import genai_context
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai._runtime.guard import loggable, printable

OURS = "opentelemetry_instrumentation_genai"
SOURCES = sorted(Path(genai.__file__).parent.rglob("*.py"))
HOSTILE = {
    "escape": "\x1b[2J\x1b[31m",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://x\x07",
    "C1": "\x9b31m\x9d0;owned\x9c",
    "newline": "\r\nWARNING forged",
    "next line": "\x85\u2028\u2029\x0b\x0c",
    "bidi": "\u202ecod\u202c\u2066a\u2069\u061c\u200f",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff\u00ad\u3164\u034f",
    "tags": "\U000e0041\U000e0042",
    "surrogate": "\udc9b",
    "others": "\x00\x08\x7f\ue000\uffff",
}
PLAIN = ["", "plain words", "Grüße, 你好, مرحبا, नमस्ते", "a\u00a0b\u3000c", "\\n is two characters", "🙂 é"]


def unseen(text: str) -> list[str]:
    """The characters of a text that a terminal obeys or nobody sees."""
    return [
        character
        for character in text
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or character in "\u3164\u034f"
    ]


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_terminal_obeys_is_shown_as_an_escape(kind):
    """Each such character, in the way of Python's literals, so that it can be read what was there."""
    shown = printable(f"a{HOSTILE[kind]}b")

    assert [] == unseen(shown)
    decoded = shown.encode("ascii").decode("unicode_escape")
    assert f"a{HOSTILE[kind]}b" == decoded


@pytest.mark.parametrize("text", PLAIN)
def test_what_people_write_stays(text):
    """Letters of all scripts, symbols, and spaces."""
    assert text == printable(text)


def test_a_log_line_has_so_much_of_one_value():
    """Numbers stay numbers, all else is a text of bounded length."""
    assert [7, 0.5, "None", "a\\x1b"] == [loggable(value) for value in (7, 0.5, None, "a\x1b")]
    assert 4096 == len(str(loggable("x" * 99_999)))


# Every place that logs.


def _logging_calls(source: Path) -> Iterator[tuple[ast.Call, str]]:
    """The calls of a module that write somewhere where people read, and what they call."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        words = name.split(".")
        if (
            name in {"print", "logging.getLogger", "warnings.warn", "getLogger", "warn", "sys.displayhook"}
            or words[:2] in (["sys", "stderr"], ["sys", "stdout"])
            or words[0] == "logging"
            or (
                words[-1] in {"debug", "info", "warning", "error", "exception", "critical", "log"}
                and "log" in words[0].lower()
            )
            or (words[0] == "traceback" and words[-1].startswith("print"))
        ):
            yield node, name


def test_one_module_logs():
    """Nothing else has a logger, prints or warns, but for the command, which is there to print."""
    command = Path(genai.__file__).parent / "cli"
    writing = {source.name for source in SOURCES if command not in source.parents for _ in _logging_calls(source)}

    assert {"guard.py"} == writing
    assert 80 < len(SOURCES)


def test_all_that_it_logs_goes_through_one_function():
    """The message is a text of ours, and each value in it is made printable."""
    (guard,) = [source for source in SOURCES if source.name == "guard.py"]
    calls = [ast.unparse(node) for node, name in _logging_calls(guard) if name.startswith("_logger.")]

    assert ["_logger.info(message, *map(loggable, args))", "_logger.warning(message, *map(loggable, args))"] == sorted(
        calls
    )


def test_the_message_of_a_log_line_is_a_constant():
    """No value is part of it before it is logged."""
    messages = []
    for tree in (ast.parse(source.read_text(encoding="utf-8")) for source in SOURCES):
        constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        logged = (node.args[0] for node in ast.walk(tree) if isinstance(node, ast.Call) and _logs(node))
        messages += [
            constants.get(message.id, message) if isinstance(message, ast.Name) else message for message in logged
        ]

    assert 30 < len(messages)
    assert [] == [ast.unparse(message) for message in messages if not isinstance(message, ast.Constant)]


def _logs(call: ast.Call) -> bool:
    return ast.unparse(call.func) in {"warn_once", "note"}


# Log lines with words from elsewhere.


@pytest.fixture
def logged(caplog, monkeypatch) -> Any:
    """The log lines of ours."""
    monkeypatch.setattr(guard, "_reported", set())
    caplog.set_level(logging.DEBUG, OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


SETTINGS = [
    "capture_message_content",
    "redact",
    "propagate",
    "enabled",
    "prices",
    "host_providers",
    "semconv_stability_opt_in",
    "completion_hook",
    "upload_base_path",
    "stream_usage",
    "metrics",
    "request_hook",
]


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(telemetry, logged, setting, kind):
    """A wrong value is logged without obeying it."""
    genai.OpenAIInstrumentor().instrument(**telemetry.providers, **{setting: f"a{HOSTILE[kind]}b"})

    assert [] == unseen("".join(logged()))


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_of_settings_and_tags(telemetry, logged, kind):
    """Whatever an application calls them."""
    genai.OpenAIInstrumentor().instrument(**telemetry.providers, **{f"a{HOSTILE[kind]}b": "x"})
    with genai_context(tags={f"a{HOSTILE[kind]}b": object()}):
        pass

    lines = logged()
    assert 2 <= len(lines)
    assert [] == unseen("".join(lines))


@pytest.mark.parametrize("kind", HOSTILE)
def test_models(server, telemetry, openai_client, logged, kind):
    """A model without a price, as the server calls it."""
    if kind == "surrogate":
        pytest.skip("no server can send it")
    server.reply(Json(openai_bodies.completion(model=f"a{HOSTILE[kind]}b")))
    genai.OpenAIInstrumentor().instrument(**telemetry.providers, prices="genai-prices")

    openai_client().chat.completions.create(**{**openai_bodies.CHAT, "model": f"c{HOSTILE[kind]}d"})

    _, line = logged()  # after that of the start
    assert "No price is known" in line
    assert [] == unseen(line)
