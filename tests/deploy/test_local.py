"""The real programs without containers: how they are built, and the one command that starts all of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import tools as built
from process import HOST
from stack import DEPLOY

from asking import ask, wait_until

PROVES = (
    "one command starts all four programs and a load, and says what to open; what is missing or taken is one sentence"
)

LOCAL = DEPLOY / "local"
# Whatever Python needs, and no Go.
WITHOUT_GO = {"PATH": "/nowhere", "HOME": os.environ.get("HOME", "/")}


# How they print their version, if not by `--version`. Two are programs of this repository, which other tests run.
VERSIONS = {"helm": ["version", "--short"], "jaeger": ["version"], "kustomize": ["version"]}
OWN = {"compose-spec", "monitoring-kinds"}


def test_each_program_runs_and_is_of_its_version(tools):
    """What was built prints its version, which is the one that `go.mod` pins."""
    for name in {*built.NAMES} - OWN:
        command = [tools(name), *VERSIONS.get(name, ["--version"])]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert printed.stdout + printed.stderr, name
    components = subprocess.run([tools("otelcol"), "--version"], capture_output=True, text=True, check=True, timeout=60)
    parts = (built.MODULES / "otelcol" / "go.mod").read_text(encoding="utf-8")
    release = re.search(r"collector/otelcol v([\d.]+)", parts)[1]
    assert f"version {release}\n" in components.stdout
    # All parts are of one release.
    assert {*re.findall(r"opentelemetry-collector-contrib/\S+ v(\S+)$", parts, re.MULTILINE)} == {release}


@pytest.mark.parametrize("source", built.SOURCES, ids=lambda source: source.module)
def test_what_is_built_is_pinned(source):
    """Each module has the hashes of all that it is built from, and what is built has a folder of its own for each change of these."""
    folder = built.MODULES / source.module
    assert (folder / "go.sum").stat().st_size > 1000
    assert re.fullmatch(rf"{source.module}-[0-9a-f]{{12}}", source.folder.name)


def test_another_pin_is_another_program(monkeypatch, tmp_path):
    """A change of a version is built anew; what was there stays."""
    source = built.SOURCES[-1]
    copy = tmp_path / source.module
    copy.mkdir()
    for file in (built.MODULES / source.module).iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(built, "MODULES", tmp_path)
    same = source.version
    (copy / "go.mod").write_bytes((copy / "go.mod").read_bytes() + b"\n// another\n")
    assert source.version != same


def test_without_go_it_fails_and_says_so(tmp_path):
    """One sentence that says what is missing and what to do, and a failure."""
    environment = {**WITHOUT_GO, built.CACHE: str(tmp_path)}
    done = subprocess.run(
        [sys.executable, LOCAL / "tools.py"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert re.match(
        r"otelcol cannot be built: there is no Go here\. Install Go 1\.26 or newer from https://go\.dev/dl/ .*GENAI_OPERATIONS",
        line,
    )
    assert not [*tmp_path.rglob("otelcol*")]


def test_a_name_that_there_is_not(tmp_path):
    """The programs that there are, are named."""
    done = subprocess.run(
        [sys.executable, LOCAL / "tools.py", "grafana"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, f"There is no tool 'grafana'; there are {', '.join(built.NAMES)}.\n")


def test_what_go_says_is_in_the_sentence(monkeypatch, tmp_path):
    """A build that fails says why; nothing of it is left behind."""
    module = tmp_path / "modules" / "helm"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module helm\n\ngo 1.26\n")
    monkeypatch.setattr(built, "MODULES", tmp_path / "modules")
    monkeypatch.setattr(built, "missing", lambda: [built.SOURCES[-1]])
    monkeypatch.setenv(built.CACHE, str(tmp_path / "cache"))
    with pytest.raises(built.MissingToolError, match=r"^helm cannot be built: .*module providing package helm\.sh"):
        built.tool("helm")
    assert [*(tmp_path / "cache").iterdir()] == []


def test_a_port_in_use_is_named():
    """It ends at once, with the port, and what to do."""
    with socket.socket() as taken:
        try:
            taken.bind((HOST, 9093))
        except OSError:
            pytest.skip("something else of this machine listens on port 9093")
        taken.listen()
        done = subprocess.run(
            [sys.executable, LOCAL, "--load", "0"], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 1
    assert re.search(
        r"^Something listens on port .*9093 \(alertmanager\).* already: stop it, or start this with --free-ports\.",
        done.stderr,
        re.MULTILINE,
    )


def test_one_command_starts_all_of_it(tmp_path):
    """All four answer where it says, the load arrives, and an interrupt ends all of them, with success."""
    words = [sys.executable, "-u", LOCAL, "--free-ports", "--load", "5", "--for", "1m", "--folder", tmp_path / "data"]
    log = tmp_path / "out"
    with log.open("wb") as output:
        running = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        said = wait_until(lambda: "The demo load runs" in log.read_text() and log.read_text(), 90, "what to open")
        urls = {
            name: re.search(rf"{name} +(http://127\.0\.0\.1:\d+)", said)[1]
            for name in ("Prometheus", "Jaeger", "alerts", "Collector")
        }
        counted = "sum(gen_ai_client_operation_duration_seconds_count)"
        wait_until(
            lambda: ask(urls["Prometheus"], "/api/v1/query", query=counted)["data"]["result"], 60, "calls in Prometheus"
        )
        assert ask(urls["Prometheus"], "/api/v1/rules")["status"] == "success"
        assert ask(urls["Jaeger"], "/api/services")["errors"] is None
        urllib.request.urlopen(f"{urls['alerts']}/-/ready", timeout=10).close()
        assert (tmp_path / "data" / "logs.jsonl").stat().st_size
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    finally:
        if running.poll() is None:
            running.kill()
            running.wait(10)
    for url in urls.values():
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(url, timeout=5)


def test_the_load_needs_its_command(tmp_path):
    """With a Python that has no package, it says what to install, before anything is built."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    done = subprocess.run([python, LOCAL], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "pip install 'opentelemetry-instrumentation-genai[cli,openai]'" in done.stderr
