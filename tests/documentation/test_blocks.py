"""No block of code of a page is unchecked: each is run, parsed or compared by a test, or is listed here with the reason why not."""

from __future__ import annotations

import json
import logging
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import opentelemetry_instrumentation_genai as genai
from opentelemetry_instrumentation_genai._conventions import operation_kinds
from opentelemetry_instrumentation_genai._patching.other_instrumentations import warn_of
from opentelemetry_instrumentation_genai._settings.config import variable
from opentelemetry_instrumentation_genai._settings.readers import READERS
from opentelemetry_instrumentation_genai.cli.commands import program
from opentelemetry_instrumentation_genai.cli.view.command import _introduce
from pages import INDENTED, OPERATIONS, ROOT, Block, blocks
from viewed import viewing

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.exhaustive
BLOCKS = list(blocks())
PAGE = re.compile(rf"README\.md|(?!{OPERATIONS.pattern})docs/.*")
EXAMPLE = re.compile(r"examples/\w+/README\.md")
# Which test has the blocks of which pages and languages; it takes all of them by itself.
ELSEWHERE = [
    (PAGE, {"python", "yaml", "json", "sh"}, "tests/documentation/test_examples.py"),
    (re.compile(r"docs/backends\.md"), {"env"}, "tests/documentation/test_backends.py"),
    (OPERATIONS, {"sh"}, "tests/deploy/test_commands.py"),
    (OPERATIONS, {"promql"}, "tests/deploy/test_rules.py"),
    # The command, and the tree of the spans that it makes.
    (EXAMPLE, {"sh", "", "text"}, "tests/examples/test_examples.py"),
]
# What is no code, by its page and how it begins.
REASONS = {
    ("CONTRIBUTING.md", "cli/  "): "a picture of the rooms, whose order import-linter holds",
    ("CONTRIBUTING.md", "client.chat.completions.create("): "a picture of the flow of a call",
    ("docs/kubernetes.md", "application ──OTLP"): "a picture of the way of the telemetry",
    (
        "docs/collector.md",
        "my.yaml:12:",
    ): "an example of lines that tests/deploy/test_collector.py compares with what is printed",
    (
        "docs/dashboards.md",
        "apiVersion: 1",
    ): "a file of Grafana, which cannot run here; that of deploy/compose is compared",
    ("docs/alerts.md", "| for | set |"): "a table within a step of a list",
    ("docs/concepts.md", "your code ── SDK"): "a picture of the way from an application to a backend",
}
TREE = re.compile(r"^[│ ]*[├└][─ ]*(\S+)", re.MULTILINE)


def of(*languages: str, where: str = "") -> list[Any]:
    """The blocks in some languages that no other test has and no reason excuses, as parameters."""
    return [
        pytest.param(one, id=one.id)
        for one in BLOCKS
        if one.language in languages and re.match(where, one.page) and not covered_by(one) and not reason(one)
    ]


def covered_by(one: Block) -> str:
    """The file whose tests take a block by themselves; empty if there is none. They leave out what `make` does, which has no end."""
    if one.language == "sh" and "make " in one.text:
        return ""
    return next(
        (test for page, languages, test in ELSEWHERE if page.fullmatch(one.page) and one.language in languages), ""
    )


def reason(one: Block) -> str:
    """Why a block is not checked; empty if it is."""
    found = [why for (page, begin), why in REASONS.items() if page == one.page and one.text.startswith(begin)]
    return found[0] if found else ""


def lines(one: Block) -> Iterator[str]:
    """The commands of a block, each on one line, without prompt and comment."""
    for line in one.text.splitlines():
        command = re.sub(r"(^|\s+)#.*", "", line.removeprefix("$ "))
        if command.strip():
            yield command


def checked_here() -> list[Block]:
    """Those that a test of this file takes."""
    named = (CONSOLE, SETTINGS, TOML, TREES, MAKE, INSTALL)
    return [parameter.values[0] for some in named for parameter in some] + [
        one for one in BLOCKS if key(one) in OUTPUTS
    ]


def key(one: Block) -> tuple[str, str]:
    """By which an output is known here: its page, and its first word."""
    return one.page, one.text.split(maxsplit=1)[0]


# Outputs that tests below make again.
OUTPUTS = {
    ("docs/configuration.md", "OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE='please'"),
    ("docs/content.md", "employee"),
    ("docs/others.md", "openai"),
    ("docs/terminal.md", "A"),
    ("docs/view.md", "Traces"),
}
CONSOLE = of("console")
SETTINGS = [*of("env", where=EXAMPLE.pattern), *of(INDENTED, where=r"docs/context\.md")]
INSTALL = of(INDENTED, where=r"docs/mcp\.md")
TOML = of("toml")
TREES = [one for one in of("text", "") if TREE.search(one.values[0].text)]
MAKE = [*of(INDENTED, where=r"CONTRIBUTING\.md"), *of("sh")]


def output(page: str, word: str) -> str:
    """The text of the one block that is an output."""
    (one,) = (one for one in BLOCKS if key(one) == (page, word))
    return one.text


def test_no_block_is_unchecked() -> None:
    """Each is taken by a test, of this file or of another that is there, or has a reason."""
    here = checked_here()

    assert len(BLOCKS) > 40
    assert [] == [one.id for one in BLOCKS if not (covered_by(one) or reason(one) or one in here)]
    assert all((ROOT / test).exists() for _, _, test in ELSEWHERE)


def test_each_reason_is_needed() -> None:
    """Each is of one block that is there, and that no test takes."""
    for page, begin in REASONS:
        if (ROOT / page).exists():
            (one,) = (one for one in BLOCKS if one.page == page and one.text.startswith(begin))
            assert not covered_by(one)
    assert all(sum(key(one) == known for one in BLOCKS) == 1 for known in OUTPUTS)


def test_an_unchecked_block_is_found() -> None:
    """One in a language, or on a page, that no test knows has neither test nor reason."""
    for one in (
        Block("docs/new.md", "rust", 1, "fn"),
        Block("docs/view.md", "env", 1, "A=b"),
        Block("x.md", "sh", 1, "ls"),
    ):
        assert not covered_by(one)
        assert not reason(one)
        assert one not in checked_here()


def test_blocks_of_all_kinds_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In fences, also longer or indented ones, and by indentation; not within one another."""
    page = tmp_path / "page.md"
    page.write_text("a\n\n```py\n    x\n```\n\n- b\n  ````\n  ```sh\n  y\n  ```\n  ````\n\nc\n\n    z\n\n    w\n\nd\n")
    monkeypatch.setattr("pages.PAGES", [page])
    monkeypatch.setattr("pages.ROOT", tmp_path)

    assert [(one.language, one.text.strip()) for one in blocks()] == [
        ("py", "x"),
        ("", "```sh\ny\n```"),
        (INDENTED, "z\n\nw"),
    ]


@pytest.mark.parametrize("one", CONSOLE)
def test_console(one: Block) -> None:
    """Each line is a command of this package with options and values that it takes, an environment of tox, a variable of OpenTelemetry, or an extra."""
    for line in lines(one):
        words = shlex.split(line)
        match words:
            case ["opentelemetry-genai", name, *arguments]:
                found = program.get_command(click.Context(program), name)
                assert found is not None, line
                found.make_context(name, arguments).close()
            case ["export", *settings]:
                assert all(is_setting(each) for each in settings), line
            case ["pip", "install", *_]:
                assert_installs(line)
            case ["tox", "-e", "others", "--", file, *_]:
                assert (ROOT / "benchmarks" / "others" / file).is_file(), line
            case ["tox", "-e", environment]:
                assert f"[testenv:{environment}]" in (ROOT / "tox.ini").read_text(encoding="utf-8"), line
            case _:
                pytest.fail(f"no command that is known here: {line}")


@pytest.mark.parametrize(
    "line", ["opentelemetry-genai view --sort", "opentelemetry-genai view --port x", "opentelemetry-genai shew"]
)
def test_a_wrong_command_is_found(line: str) -> None:
    """An option, a value and a command that there are not."""
    with pytest.raises((click.UsageError, AssertionError)):
        test_console(Block("page.md", "console", 1, f"$ {line}\n"))


def is_setting(text: str) -> bool:
    """Whether a variable is one of OpenTelemetry, or a setting of this package with a value that it accepts."""
    name, _, value = text.partition("=")
    if not name.startswith("OTEL_INSTRUMENTATION_GENAI_"):
        return name.startswith(("OTEL_EXPORTER_OTLP_", "OTEL_SERVICE_NAME")) and bool(value)
    known = {variable(each): each for each in READERS}
    return name in known and READERS[known[name]].read(value) is not None


def assert_installs(line: str) -> None:
    """The distribution is this one, and has the extras."""
    (distribution,) = (word for word in shlex.split(line) if "[" in word)
    name, extras = re.fullmatch(r"([\w-]+)\[([\w,-]+)\]", distribution).groups()  # type: ignore[union-attr]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert name == declared["name"]
    assert set(extras.split(",")) <= declared["optional-dependencies"].keys()


@pytest.mark.parametrize("one", INSTALL)
def test_install(one: Block) -> None:
    """The lines install extras that there are."""
    for line in lines(one):
        assert_installs(line)


@pytest.mark.parametrize("one", SETTINGS)
def test_settings(one: Block) -> None:
    """Settings of this package have values that are accepted; the variables of an example are those that its command or program reads."""
    folder = (ROOT / one.page).parent
    read = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*") if path.suffix in (".sh", ".py"))
    for line in lines(one):
        name = line.partition("=")[0]
        assert is_setting(line) if folder.name == "docs" else re.search(rf"\b{name}\b", read), line


@pytest.mark.parametrize("one", TOML)
def test_toml(one: Block) -> None:
    """It is TOML, of entry points of a group that this package looks for."""
    (group,) = tomllib.loads(one.text)["project"]["entry-points"]
    package = Path(genai.__file__).parent

    assert any(f'"{group}"' in path.read_text(encoding="utf-8") for path in package.rglob("*.py"))


@pytest.mark.parametrize("one", TREES)
def test_trees(one: Block) -> None:
    """Each span that is drawn has a name that begins with an operation, or with a method of HTTP."""
    kinds = {kind.name for kind in vars(operation_kinds).values() if isinstance(kind, operation_kinds.OperationKind)}
    known = {*kinds, "step", "GET", "POST"}

    assert [] == [word for word in TREE.findall(one.text) if word not in known]


@pytest.mark.parametrize("one", MAKE)
def test_make(one: Block) -> None:
    """The targets and the environments of tox are there."""
    if not (ROOT / "Makefile").exists():
        pytest.skip("an sdist has no Makefile")
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    tox = re.findall(r"^\[testenv:([\w-]+)\]", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE)
    for line in lines(one):
        match shlex.split(line):
            case ["make", target, *_]:
                assert target in targets, line
            case [".venv/bin/tox", "-e", environment]:
                assert environment in tox, line
            case _:
                pytest.fail(f"no command that is known here: {line}")


def test_a_setting_that_is_not_accepted(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The warning is the one of the page."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE", "please")
    with caplog.at_level(logging.WARNING):
        genai.OpenAIInstrumentor().instrument()

    assert [
        output("docs/configuration.md", "OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE='please'").strip()
    ] == caplog.messages


def test_a_file_of_patterns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The patterns of the page are accepted; one that is not is reported."""
    file = tmp_path / "patterns"
    for text, number in ((output("docs/content.md", "employee"), 0), ("wrong = (", 1)):
        file.write_text(text, encoding="utf-8")
        genai.OpenAIInstrumentor().instrument(capture_message_content="span_only", redact=f"file:{file}")
        genai.OpenAIInstrumentor().uninstrument()

        assert number == len([record for record in caplog.records if record.levelno >= logging.WARNING]), (
            caplog.messages
        )


def test_a_second_instrumentation(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning is the one of the page, which has it on two lines."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard._reported", set())
    warn_of("openai", "opentelemetry.instrumentation.openai")

    assert [" ".join(output("docs/others.md", "openai").split())] == caplog.messages


@pytest.mark.process
def test_what_the_model_server_prints() -> None:
    """The page has the beginning of it, but for the port."""
    shown = without_port(output("docs/terminal.md", "A").partition("  ...")[0])
    command = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "demo", "--serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            printed = "".join(running.stdout.readline() for _ in shown.splitlines())
        finally:
            running.kill()

    assert shown == without_port(printed)


def without_port(text: str) -> str:
    """A text with addresses of this machine that are the same each time."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text)


def test_what_view_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page shows it, but for the token and the ports."""
    with viewing(tmp_path) as view:
        _introduce(view.serving)
    printed, shown = (
        re.sub(r"token=\S+", "token=", without_port(text)).splitlines()
        for text in (capsys.readouterr().out, output("docs/view.md", "Traces"))
    )

    assert printed[: len(shown)] == shown


def test_json_of_the_pages_is_json() -> None:
    """All of it can be read."""
    for one in BLOCKS:
        if one.language == "json":
            json.loads(one.text)
