"""`opentelemetry-genai view` as it is typed: what it says, the ports that it takes, and what is left when it ends."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from loopback import Json, openai_bodies
from loopback.processes import run
from viewed import fetch

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]

COMMAND = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "view"]
FREE = ["--port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "0"]
CALL = """
import openai
openai.OpenAI(base_url="{url}/v1", api_key="none").chat.completions.create(
    model="gpt-4o-mini", messages=[{{"role": "user", "content": "Where is the harbour?"}}]
)
"""


class Started:
    """The command in a process of its own, and what it has written."""

    def __init__(self, *arguments: str, folder: Path, **environment: str) -> None:
        """Starts it, with `folder` as the place of temporary files."""
        known = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", **environment}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], env=known, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.written = ""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.written += line

    def wait_for(self, text: str) -> str:
        """What it has written as soon as that has a text."""
        deadline = time.monotonic() + 60
        while text not in self.written:
            assert time.monotonic() < deadline, self.written
            assert self.process.poll() is None or text in self.written, self.written
            time.sleep(0.02)
        return self.written

    def end(self, number: int = signal.SIGINT) -> int:
        """Its status after a signal."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        self._reading.join(timeout=10)
        return status


@pytest.fixture
def started(tmp_path):
    """Starts the command; it is killed after the test."""
    made: list[Started] = []

    def start(*arguments: str, **environment: str) -> Started:
        made.append(Started(*arguments, folder=tmp_path, **environment))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait(timeout=30)
        one._reading.join(timeout=10)
        one.process.stdout.close()


@pytest.fixture
def taken():
    """A port that another program listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def ports(written: str) -> tuple[int, int, int]:
    """Those of the page, of HTTP and of gRPC, as they are written."""
    page, http, rpc = re.findall(r"http://127\.0\.0\.1:(\d+)", written)
    return int(page), int(http), int(rpc)


def token_of(written: str) -> str:
    """That of the page."""
    (token,) = re.findall(r"\?token=([\w-]{43})\n", written)
    return str(token)


def test_from_start_to_end(started, tmp_path, server):
    """The variables that it names make an application's call appear with its messages, and nothing is left of it at the end."""
    server.reply(Json(openai_bodies.completion("Below the hill.")))
    viewer = started(*FREE)
    written = viewer.wait_for("Stop with Ctrl+C.")
    page, http, rpc = ports(written)
    named = dict(re.findall(r"^  export (\w+)=(\S+)$", written, re.MULTILINE))
    application = tmp_path / "application"
    application.mkdir()
    run(application, CALL.format(url=server.url), instrumented=True, **named, OTEL_SERVICE_NAME="shop")

    token = token_of(written)
    assert fetch(page, "GET", f"/?token={token}")[0] == 200
    assert b'"message":"Where is the harbour?"' in fetch(page, "GET", f"/api/traces?token={token}")[2]
    assert fetch(page, "GET", "/api/traces")[0] == 403
    assert viewer.end() == 0
    assert viewer.written == (
        f"Traces are shown at http://127.0.0.1:{page}/?token={token}\n"
        "\n"
        "An application exports to it with\n"
        f"  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{http}\n"
        "  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        "  export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only\n"
        "\n"
        f"The last line records messages. OTLP over gRPC: http://127.0.0.1:{rpc}\n"
        "Stop with Ctrl+C.\n"
        "\n"
        "Stopped.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["application"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["terminated", "the terminal is closed"])
def test_other_ends(started, tmp_path, number):
    """The temporary file is removed however it is asked to end."""
    viewer = started(*FREE)
    viewer.wait_for("Stop with Ctrl+C.")
    assert [path.name.rpartition("-")[0] for path in tmp_path.iterdir()] == ["opentelemetry-genai"]
    viewer.end(number)

    assert [] == [*tmp_path.iterdir()]


def test_it_listens_on_loopback_alone(started):
    """No other machine reaches it."""
    viewer = started(*FREE)
    wanted = set(ports(viewer.wait_for("Stop with Ctrl+C.")))
    listening: set[tuple[str, int]] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, port = local.split(":")
            if state == "0A" and int(port, 16) in wanted:
                listening.add((address, int(port, 16)))

    # 127.0.0.1, as IPv4 and as the IPv6 of a socket for both.
    assert {port for _, port in listening} == wanted
    assert {address for address, _ in listening} <= {"0100007F", "0000000000000000FFFF00000100007F"}


@pytest.mark.parametrize(
    ("option", "purpose"),
    [("--port", "the page"), ("--otlp-http-port", "OTLP over HTTP"), ("--otlp-grpc-port", "OTLP over gRPC")],
)
def test_a_port_that_is_in_use(started, taken, tmp_path, option, purpose):
    """One that was asked for ends the command with a sentence that says what to do."""
    viewer = started(*FREE, option, str(taken))

    assert viewer.process.wait(timeout=60) == 1
    viewer._reading.join(timeout=10)
    assert viewer.written == (
        f"Error: Port {taken} is in use: {purpose} cannot listen there."
        f" Choose another with {option}, or 0 for any that is free.\n"
    )
    assert [] == [*tmp_path.iterdir()]


def test_a_second_viewer(started):
    """Where the usual ports are in use, free ones are taken, and said with the variables that fit them."""
    busy: list[socket.socket] = []
    for number in (8765, 4318, 4317):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", number))
            listening.listen()
            busy.append(listening)
        except OSError:  # another program has it: as good
            listening.close()
    viewer = started()
    written = viewer.wait_for("Stop with Ctrl+C.")
    notes, _, rest = written.partition("Traces are shown")
    page, http, rpc = ports(rest)
    for listening in busy:
        listening.close()

    assert notes == (
        f"Port 8765 is in use: the page listens on {page} instead.\n"
        f"Port 4318 is in use: OTLP over HTTP listens on {http} instead.\n"
        f"Port 4317 is in use: OTLP over gRPC listens on {rpc} instead.\n"
    )
    assert fetch(page, "GET", f"/?token={token_of(rest)}")[0] == 200


def test_no_terminal_to_open_a_browser_from(started):
    """`--open` says what to do, and the command runs."""
    viewer = started(*FREE, "--open")

    assert "There is no browser to open: open the address above in one." in viewer.wait_for("no browser")
    assert fetch(ports(viewer.written)[0], "GET", f"/?token={token_of(viewer.written)}")[0] == 200


def test_open(tmp_path):
    """From a terminal, `--open` starts the browser with a file for its user alone, which leads to the page: its arguments have no token."""
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nstat -c %a "${{1#file://}}" >> {tmp_path}/rights\ncp "${{1#file://}}" {tmp_path}/made\necho "$1" > {tmp_path}/opened\n'
    )
    browser.chmod(0o755)
    terminal, end = pty.openpty()
    environment = {**os.environ, "BROWSER": f"{browser} %s &", "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([*COMMAND, *FREE, "--open"], env=environment, stdout=end, stderr=end)
    deadline = time.monotonic() + 60
    while not ((tmp_path / "opened").exists() and (tmp_path / "opened").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    written = os.read(terminal, 4096).decode()
    assert process.wait(timeout=30) == 0
    os.close(end)
    os.close(terminal)

    page, token = written.partition("Traces are shown at ")[2].split()[0], token_of(written.replace("\r", ""))
    assert f'<meta http-equiv="refresh" content="0; url={page}">' in (tmp_path / "made").read_text()
    assert (tmp_path / "rights").read_text() == "600\n"
    opened = (tmp_path / "opened").read_text().strip()
    assert opened.startswith("file://")
    assert token not in opened
    assert not Path(opened.removeprefix("file://")).parent.exists()


def test_a_file(started, tmp_path):
    """`--db` keeps what is received, for its owner alone."""
    file = tmp_path / "kept.db"
    viewer = started(*FREE, "--db", str(file))
    viewer.wait_for("Stop with Ctrl+C.")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert viewer.end() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["kept.db"]


@pytest.mark.parametrize("kind", ["text", "another program's", "another version's", "a folder that is not there"])
def test_a_file_that_cannot_be_used(started, tmp_path, kind):
    """It stays as it is, and a sentence says what to do."""
    file = tmp_path / "other.db"
    if kind == "text":
        file.write_text("no database" * 100)
    elif kind == "a folder that is not there":
        file = tmp_path / "missing" / "other.db"
    else:
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE precious (x)")
        if kind == "another version's":
            connection.execute(f"PRAGMA application_id = {0x67656E41}")
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    before = file.read_bytes() if file.exists() else None
    viewer = started(*FREE, "--db", str(file))

    assert viewer.process.wait(timeout=60) == 1
    viewer._reading.join(timeout=10)
    assert re.fullmatch(r"Error: .*other\.db [^\n]*\. Name another file with --db\.\n", viewer.written)
    assert before == (file.read_bytes() if file.exists() else None)
