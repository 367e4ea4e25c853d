"""`opentelemetry-genai run`: an application as its user starts it, in processes of their own, against a server on loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from packaging.version import Version

from loopback import Hang, Json
from loopback.openai_bodies import completion
from opentelemetry_instrumentation_genai.cli.commands import program
from opentelemetry_instrumentation_genai.cli.run import sdks
from opentelemetry_instrumentation_genai.cli.run.environment import environment_of, hindrances, shows_messages

COMMAND = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "run"]
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
APP = """
import sys, time
from openai import OpenAI

print("before")
OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
print("after", flush=True)
"""
posix = pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")


def variables(server: Any, **more: str) -> dict[str, str]:
    """The environment of a user who has set nothing of OpenTelemetry."""
    left_out = ("COLUMNS", "NO_COLOR", "FORCE_COLOR")
    known = {name: value for name, value in os.environ.items() if name not in left_out}
    given = {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "none",
        "OTEL_INSTRUMENTATION_GENAI_PRICES": "billed",
    }
    return {**known, **given, **more}


def written(folder: Path, text: str) -> str:
    """An application in a file."""
    path = folder / "app.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return str(path)


def run(folder: Path, server: Any, text: str, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run an application to its end."""
    return subprocess.run(
        [*COMMAND, *options, "--", "python", written(folder, text)],
        env=variables(server, **more),
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def rows(text: str) -> dict[str, str]:
    """The rows of the summary: the name and the number of calls."""
    _, _, table = text.partition("Summary\n")
    found = re.findall(r"^(\S.*?) {2,}([\d,]+) {2,}.*$", table, re.MULTILINE)
    return dict(found)


@pytest.mark.process
def test_an_application(server, tmp_path):
    """Its output is its own; beside it stand the conversation and the summary; its exit status is passed on."""
    server.reply(Json(completion()))

    done = run(tmp_path, server, APP + "sys.exit(3)")

    assert (3, "before\nafter\n") == (done.returncode, done.stdout)
    lines = done.stderr.splitlines()
    assert "" == lines[0]
    assert re.fullmatch(r"\d\d:\d\d:\d\d · trace [0-9a-f]{32}", lines[1])
    assert re.match(r"chat gpt-4o-mini  [\d.]+ m?s · openai gpt-4o-mini-2024-07-18 · 8 → 2 tokens · ", lines[2])
    assert {"chat gpt-4o-mini": "1", "all calls of models": "1"} == rows(done.stderr)
    assert "Hello" not in done.stderr
    assert "Messages were not captured: `run --content` shows them." == lines[-1]
    # Nothing failed to connect to a backend that nobody named.
    assert not [word for word in ("4317", "4318", "Traceback", "Failed", "retry", "report") if word in done.stderr]


@pytest.mark.process
def test_with_messages_and_a_name(server, tmp_path):
    """`--content` shows the messages, `--service` names the application."""
    server.reply(Json(completion()))

    done = run(tmp_path, server, APP, "--content", "--service", "planner")

    assert (0, "before\nafter\n") == (done.returncode, done.stdout)
    assert "  user      Hello\n" in done.stderr
    assert "  assistant Hello\n" in done.stderr
    assert " · planner · trace " in done.stderr
    assert "not captured" not in done.stderr


@pytest.mark.process
def test_beside_the_user_s_own_backend(server, receiver, tmp_path):
    """Where there is an OTLP endpoint, all three signals go there as well."""
    server.reply(Json(completion()))
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}

    done = run(tmp_path, server, APP, "--content", **endpoint, **{CAPTURE: "event_only"})

    assert 0 == done.returncode
    assert {"chat gpt-4o-mini": "1", "all calls of models": "1"} == rows(done.stderr)
    assert "  user      Hello\n" in done.stderr
    ours = "opentelemetry_instrumentation_genai"
    assert ["chat gpt-4o-mini"] == [span["name"] for span in receiver.spans if span["scope"]["name"] == ours]
    assert "gen_ai.client.operation.duration" in {metric["name"] for metric in receiver.metrics}
    assert "gen_ai.client.inference.operation.details" in {log["event_name"] for log in receiver.logs}


@pytest.mark.process
@pytest.mark.skipif(
    Version(version("opentelemetry-instrumentation")) < Version("0.58b0"),
    reason="this opentelemetry-instrument does not instrument the processes that a process starts",
)
def test_processes_of_an_application(server, tmp_path):
    """One summary for all of them; each shows its own conversations."""
    server.reply_always(Json(completion()))
    other = (
        APP.replace("gpt-4o-mini", "gpt-4o").replace('print("before")', "").replace('print("after", flush=True)', "")
    )

    done = run(
        tmp_path,
        server,
        f"{APP}\nimport subprocess\nfor _ in range(2):\n    subprocess.run([sys.executable, '-c', {other!r}], check=True)",
    )

    assert (0, "before\nafter\n") == (done.returncode, done.stdout)
    assert {"chat gpt-4o-mini": "1", "chat gpt-4o": "2", "all calls of models": "3"} == rows(done.stderr)
    assert 1 == done.stderr.count("Summary")


@pytest.mark.process
def test_no_call(server, tmp_path):
    """A program that calls no model: a sentence says so, and what to look at; the status is the program's."""
    done = run(tmp_path, server, "print('done')", OTEL_SDK_DISABLED="true")

    assert (0, "done\n") == (done.returncode, done.stdout)
    assert (
        "opentelemetry-genai: No call of a GenAI SDK was recorded.\n"
        "OTEL_SDK_DISABLED=true switches OpenTelemetry off: unset it.\n"
        "If the application made one, this says why it was not seen: "
        f"opentelemetry-genai doctor -- python {tmp_path / 'app.py'}\n"
    ) == done.stderr


@pytest.mark.process
def test_an_application_that_fails(server, tmp_path):
    """An exception ends it: its traceback and its status are those it has without us, and the summary is there."""
    server.reply(Json(completion()))

    done = run(tmp_path, server, APP + "raise LookupError('of the application')")

    assert 1 == done.returncode
    assert "LookupError: of the application" in done.stderr
    assert {"chat gpt-4o-mini": "1", "all calls of models": "1"} == rows(done.stderr)


@pytest.mark.process
@posix
def test_ctrl_c(server, tmp_path):
    """Typed at the terminal: the application gets it once, cleans up in its time, and the summary is shown."""
    import fcntl
    import pty
    import termios

    server.reply(Json(completion()))
    text = APP + textwrap.dedent("""
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            time.sleep(1)
            print("cleaned up", flush=True)
            raise
    """)
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    running = subprocess.Popen(
        [*COMMAND, "--", "python", written(tmp_path, text)],
        env=variables(server),
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 - there are no threads that matter
    )
    try:
        assert running.stdout is not None
        assert ["before\n", "after\n"] == [running.stdout.readline() for _ in range(2)]
        time.sleep(0.5)
        os.write(ours, b"\x03")
        output, shown = running.communicate(timeout=30)
    finally:
        running.kill()
        os.close(ours)
        os.close(theirs)

    assert (130, "interrupted\ncleaned up\n") == (running.returncode, output)
    assert {"chat gpt-4o-mini": "1", "all calls of models": "1"} == rows(shown)
    assert 1 == shown.count("KeyboardInterrupt")


@pytest.mark.process
@posix
@pytest.mark.parametrize(("number", "status"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_from_elsewhere(server, tmp_path, number, status):
    """As a supervisor sends it to the command alone: it is passed on, and what was counted is shown."""
    server.reply(Json(completion()))
    running = subprocess.Popen(
        [*COMMAND, "--", "python", written(tmp_path, APP + "time.sleep(60)")],
        env=variables(server),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert running.stdout is not None
        assert ["before\n", "after\n"] == [running.stdout.readline() for _ in range(2)]
        time.sleep(1.5)
        running.send_signal(getattr(signal, number))
        _, shown = running.communicate(timeout=30)
    finally:
        running.kill()

    assert status == running.returncode
    assert {"chat gpt-4o-mini": "1", "all calls of models": "1"} == rows(shown)


@pytest.mark.process
@posix
def test_a_process_that_is_killed(server, tmp_path):
    """Nothing of it runs any more: the calls that had ended are in the summary, those that ran are not."""
    server.reply(Json(completion()), Hang(30, Json(completion())))
    text = f"""{APP}
import os, threading
threading.Thread(target=lambda: OpenAI().chat.completions.create(model="gpt-4o", messages=[]), daemon=True).start()
time.sleep(2)
os.kill(os.getpid(), 9)
"""

    done = run(tmp_path, server, text)

    assert 137 == done.returncode
    assert {"chat gpt-4o-mini": "1", "all calls of models": "1"} == rows(done.stderr)


@pytest.mark.process
@posix
def test_a_process_that_is_killed_at_once(server, tmp_path):
    """The moment after its calls were exported, as servers end their workers: what was shown is counted."""
    server.reply_always(Json(completion()))
    text = f"""{APP}
import os
from opentelemetry import trace
trace.get_tracer_provider().force_flush()
OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[])
trace.get_tracer_provider().force_flush()
os.kill(os.getpid(), 9)
"""

    done = run(tmp_path, server, text)

    assert 137 == done.returncode
    assert {"chat gpt-4o-mini": "2", "all calls of models": "2"} == rows(done.stderr)


@pytest.mark.process
def test_who_names_the_launcher_too(server, tmp_path):
    """`run -- opentelemetry-instrument python app.py` is the same."""
    server.reply(Json(completion()))

    done = subprocess.run(
        [*COMMAND, "--", "opentelemetry-instrument", "python", written(tmp_path, APP)],
        env=variables(server),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "before\nafter\n") == (done.returncode, done.stdout)
    assert {"chat gpt-4o-mini": "1", "all calls of models": "1"} == rows(done.stderr)


# Wrong turns.


@pytest.fixture(autouse=True)
def no_columns(monkeypatch) -> None:
    """Nobody says how wide a page is."""
    monkeypatch.delenv("COLUMNS", raising=False)


def invoked(*arguments: str) -> Result:
    """What the command does with arguments, in this process."""
    return CliRunner().invoke(program, ["run", *arguments], prog_name="opentelemetry-genai")


def test_no_command():
    """The sentence has an example."""
    done = invoked()

    assert 2 == done.exit_code
    assert "No command is given. For example: opentelemetry-genai run -- python app.py" in done.output


@pytest.mark.parametrize("name", ["no-such-command", "./no/such/command"])
def test_a_command_that_is_not_there(name):
    """The status is that of a shell."""
    done = invoked("--", name, "app.py")

    assert (127, f"Error: The command {name} was not found: neither on PATH nor as a file.\n") == (
        done.exit_code,
        done.output,
    )


def test_a_name_that_a_terminal_would_obey():
    """It is shown as what it is."""
    assert "The command \\x1b[31mx was not found" in invoked("--", "\x1b[31mx").output


@posix
def test_a_file_in_place_of_a_command(tmp_path):
    """A file of Python needs Python before it; another file needs the permission."""
    app, other = tmp_path / "app.py", tmp_path / "app.sh"
    app.touch()
    other.touch()

    done = invoked("--", str(app))
    assert (126, f"Error: {app} is a file of Python: opentelemetry-genai run -- python {app}\n") == (
        done.exit_code,
        done.output,
    )
    done = invoked("--", str(other))
    assert (126, f"Error: {other} cannot be executed: its file has no permission for that.\n") == (
        done.exit_code,
        done.output,
    )


def test_no_sdk(monkeypatch, capfd):
    """In an environment without any SDK the command says so first, and names the extras; the program runs."""

    def distribution(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(sdks, "distribution", distribution)

    done = invoked("--", sys.executable, "-c", "print('runs')")

    assert 0 == done.exit_code
    assert "runs\n" == capfd.readouterr().out
    assert done.output.startswith(
        f"opentelemetry-genai: No SDK that is instrumented is installed beside {sys.executable}. Install the one that your "
        "application uses: pip install 'opentelemetry-instrumentation-genai[openai]', or one of anthropic, bedrock, cerebras, "
    )


def test_what_is_installed_here():
    """The names are those of the distributions, the extras those that bring an SDK."""
    assert {"openai", "anthropic", "ollama"} <= {*sdks.installed_sdks()}
    assert {"openai", "anthropic", "ollama", "google-genai"} <= {*sdks.extras()}
    assert {"cli", "prices", "upload", "instruments-any"}.isdisjoint(sdks.extras())


# The environment.

HERE = str(Path(sys.executable).parent)


def added(given: dict[str, str], **more: Any) -> dict[str, str]:
    """What the environment has that the user did not set."""
    made = environment_of(given, folder="F", **more)
    assert given.keys() <= made.keys()
    return {name: value for name, value in made.items() if given.get(name) != value and not name.endswith("_PRICES")}


def test_where_nothing_is_set():
    """Conversations alone, and soon: no exporter that would fail to connect."""
    assert {
        "OTEL_TRACES_EXPORTER": "genai_console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OPENTELEMETRY_GENAI_RUN_FOLDER": "F",
        "PATH": os.pathsep.join((HERE, "/bin")),
    } == added({"PATH": "/bin"})


@pytest.mark.parametrize(
    ("given", "traces"),
    [
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp,genai_console"),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, "console,otlp,genai_console"),
        ({"OTEL_TRACES_EXPORTER": "none"}, "genai_console"),
        ({"OTEL_TRACES_EXPORTER": "genai_console"}, "genai_console"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, "otlp,genai_console"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, "otlp,genai_console"),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://x"}, "genai_console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, "genai_console"),
    ],
)
def test_exporters_of_traces(given, traces):
    """Those that the user chose, or the one of their endpoint, and ours."""
    assert traces == environment_of(given, folder="F")["OTEL_TRACES_EXPORTER"]


def test_public_prices_where_they_are_installed():
    """So that there is a cost without a setting."""
    prices = environment_of({}, folder="F").get("OTEL_INSTRUMENTATION_GENAI_PRICES")

    assert ("genai-prices" if find_spec("genai_prices") else None) == prices


def test_settings_of_the_user_stay():
    """Whatever they are, but for what is asked for on the command line."""
    given = {
        "OTEL_METRICS_EXPORTER": "prometheus",
        "OTEL_LOGS_EXPORTER": "console",
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
        "OTEL_SERVICE_NAME": "mine",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x",
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_INSTRUMENTATION_GENAI_PRICES": "billed",
    }

    assert {"OTEL_TRACES_EXPORTER", "OPENTELEMETRY_GENAI_RUN_FOLDER", "PATH"} == added(given).keys()
    assert "theirs" == environment_of(given, folder="F", service="theirs")["OTEL_SERVICE_NAME"]
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}
    assert ("otlp", "otlp") == tuple(added(endpoint)[f"OTEL_{signal}_EXPORTER"] for signal in ("METRICS", "LOGS"))


@pytest.mark.parametrize(
    ("mode", "with_content"),
    [
        ("", "span_only"),
        ("no_content", "span_only"),
        ("span_only", "span_only"),
        ("event_only", "span_and_event"),
        ("span_and_event", "span_and_event"),
        ("true", "true"),
        ("on_error", "span_only"),
        ("0.1", "span_only"),
        ("nonsense", "span_only"),
    ],
)
def test_content(mode, with_content):
    """`--content` shows all messages, and takes none from events that had them; without it the mode is the user's."""
    given = {CAPTURE: mode} if mode else {}

    assert with_content == environment_of(given, folder="F", content=True)[CAPTURE]
    assert mode == environment_of(given, folder="F").get(CAPTURE, "")
    assert shows_messages({CAPTURE: with_content})
    assert not shows_messages({CAPTURE: "no_content"})
    assert not shows_messages({})


def test_what_hinders():
    """Settings that make that nothing is shown have a sentence each."""
    given = {
        "OTEL_SDK_DISABLED": "TRUE",
        "OTEL_CONFIG_FILE": "otel.yaml",
        "OTEL_TRACES_SAMPLER": "parentbased_always_off",
    }

    assert ["OTEL_SDK_DISABLED=true", "OTEL_CONFIG_FILE", "OTEL_TRACES_SAMPLER"] == [
        sentence.split()[0] for sentence in hindrances(given)
    ]
    assert [] == [*hindrances({"OTEL_SDK_DISABLED": "false"})]
