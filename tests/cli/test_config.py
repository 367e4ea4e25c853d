"""`opentelemetry-genai config`: the settings as they apply, and examples that OpenTelemetry's SDK accepts."""

from __future__ import annotations

import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from opentelemetry_instrumentation_genai._settings.config import Config, default_of, resolve, variable
from opentelemetry_instrumentation_genai._settings.readers import READERS
from opentelemetry_instrumentation_genai.cli.commands import program

OURS = "opentelemetry_instrumentation_genai"
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
HOSTILE = "\x1b[2J[bold]x[/]"


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


def run(*arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(program, ["config", *arguments])
    assert 0 == result.exit_code, result.output
    return result.stdout


def rows(*arguments: str) -> dict[str, dict[str, Any]]:
    """The settings as JSON, by name."""
    return {row["name"]: row for row in json.loads(run("--json", *arguments))}


def test_without_anything_set_all_have_their_defaults():
    """Each setting is there, with its default as value."""
    found = rows()

    assert list(READERS) == list(found)
    for name, row in found.items():
        assert ("default", default_of(name), "") == (row["source"], row["value"], row["problem"])
        assert variable(name) == row["variable"]
        assert READERS[name].accepted == row["accepted"]
        assert row["meaning"][0].isupper()


def test_a_variable_is_the_source(monkeypatch):
    """The variable is named, and its value is as the user wrote it."""
    monkeypatch.setenv(PREFIX + "REDACT", "email,secrets")

    row = rows()["redact"]

    assert ("email,secrets", f"environment variable {PREFIX}REDACT") == (row["value"], row["source"])
    line = next(line for line in run().splitlines() if line.startswith("redact "))
    assert "email,secrets" in line
    assert f"environment variable {PREFIX}REDACT. What is redacted in content" in line


@pytest.mark.parametrize("sdk", ["openai", None])
def test_the_declarative_file_is_the_source(monkeypatch, tmp_path, sdk):
    """The file is named with the place in it; the section of one SDK counts for that alone."""
    path = tmp_path / "otel.yaml"
    path.write_text(
        "instrumentation/development: {python: {genai: {emit_event: true, host_providers: {'h:1': vllm}},"
        " genai_openai: {emit_event: false}}}"
    )
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))

    found = rows(*([] if sdk is None else ["--for", sdk]))

    place = f"declarative file {path}: instrumentation/development.python"
    assert ("h:1=vllm", f"{place}.genai.host_providers") == (
        found["host_providers"]["value"],
        found["host_providers"]["source"],
    )
    expected = ("true", f"{place}.genai.emit_event") if sdk is None else ("false", f"{place}.genai_openai.emit_event")
    assert expected == (found["emit_event"]["value"], found["emit_event"]["source"])


def test_a_value_that_is_not_accepted(monkeypatch):
    """The default is shown, and why."""
    monkeypatch.setenv(PREFIX + "STREAM_USAGE", "please")
    monkeypatch.setenv(PREFIX + "ENABLED", "openai,opnai")

    found = rows()

    assert ("off", "please is not accepted: the default applies. Accepted is: off, inject") == (
        found["stream_usage"]["value"],
        found["stream_usage"]["problem"],
    )
    assert "not accepted, and left out: opnai" == found["enabled"]["problem"]


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["table", "json"])
def test_no_secret_is_shown(monkeypatch, as_json):
    """A secret setting, accepted or not, and a key that was put into another setting."""
    monkeypatch.setenv(PREFIX + "USER_ID_KEY", "correct horse battery staple")
    monkeypatch.setenv(PREFIX + "UPLOAD_BASE_PATH", "s3://user:hunter2secret@bucket/x")
    monkeypatch.setenv(PREFIX + "HOST_PROVIDERS", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEF=x")

    shown = run(*as_json)

    assert "(set, not shown)" in shown
    for secret in ("correct horse", "hunter2", "abcdefghijklmnopqrstuvwxyz"):
        assert secret not in shown


def test_a_terminal_obeys_nothing_of_a_value(monkeypatch):
    """Escape sequences are shown as what they are, and so is markup."""
    monkeypatch.setenv(PREFIX + "REQUEST_HOOK", HOSTILE)

    shown = run()

    assert "\x1b" not in shown
    assert r"\x1b[2J[bold]x[/]" in shown


def test_lines_are_not_wrapped_where_it_is_piped():
    """One line for each setting, and no colour."""
    shown = run().splitlines()

    assert len(READERS) + 2 <= len(shown)
    assert [] == [name for name in READERS if not any(line.startswith(f"{name} ") for line in shown)]


class TestExampleEnvironment:
    """The example of environment variables."""

    def test_it_has_every_variable_with_its_meaning(self):
        """Commented out, below a comment."""
        text = run("--example", "env")

        for name in READERS:
            assert f"\n# {variable(name)}=" in text

    def test_its_values_are_accepted(self, monkeypatch, caplog):
        """All uncommented, they are settings without a warning; the entry point that it makes up is the user's to write."""
        for name, value in re.findall(r"^# (OTEL_\w+)=(.+)$", run("--example", "env"), re.MULTILINE):
            if name not in (PREFIX + "REDACTOR", PREFIX + "COMPLETION_HOOK", "OTEL_EXPORTER_OTLP_HEADERS"):
                monkeypatch.setenv(name, value)

        config = resolve({})

        assert [] == caplog.messages
        assert "vllm" == config.host_providers[0][1]
        assert config.capture_message_content.span


class TestExampleFile:
    """The example of a declarative file."""

    @pytest.mark.skipif(
        find_spec("opentelemetry.configuration") is None, reason="opentelemetry-configuration is not installed"
    )
    @pytest.mark.parametrize("uncommented", [False, True])
    def test_the_sdk_accepts_it(self, tmp_path, uncommented):
        """OpenTelemetry's own reader takes it by its schema, as it is and with all settings uncommented."""
        from opentelemetry.configuration import load_config_file

        path = example(tmp_path, uncommented=uncommented)

        python = load_config_file(str(path)).instrumentation_development.python

        assert "genai_openai" in str(python)

    def test_as_it_is_it_changes_nothing(self, tmp_path, monkeypatch, caplog):
        """All settings are at their defaults."""
        monkeypatch.setenv("OTEL_CONFIG_FILE", str(example(tmp_path, uncommented=False)))

        assert Config() == resolve({}, "openai")
        assert [] == caplog.messages

    def test_uncommented_its_values_are_accepted(self, tmp_path, monkeypatch, caplog):
        """Each setting is set by it, and none with a warning."""
        monkeypatch.setenv("OTEL_CONFIG_FILE", str(example(tmp_path, uncommented=True)))
        monkeypatch.setenv(PREFIX + "USER_ID_KEY", "correct horse battery staple")
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_REDACTOR", "")

        found = rows()

        assert {"default"} != {row["source"] for row in found.values()}
        assert [] == [name for name, row in found.items() if row["source"] == "default" and name not in NO_ENTRY_POINT]
        config = resolve({}, "openai")
        assert [] == caplog.messages
        assert ("localhost:8000", "vllm") == config.host_providers[0]


NO_ENTRY_POINT = ("redactor", "completion_hook")


def example(folder: Path, *, uncommented: bool) -> Path:
    """The example, written to a file; with settings uncommented, all but the entry points that it makes up."""
    text = run("--example", "yaml")
    if uncommented:
        names = "|".join(name for name in READERS if name not in NO_ENTRY_POINT)
        text, count = re.subn(rf"^      # (({names}): )", r"      \1", text, flags=re.MULTILINE)
        assert len(READERS) - len(NO_ENTRY_POINT) - 1 == count
    path = folder / "otel.yaml"
    path.write_text(text, encoding="utf-8")
    assert os.environ.get("OTEL_CONFIG_FILE") is None
    return path
