"""A server that runs: a process group of its own on a free port of 127.0.0.1, and what it wrote."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from servers.base import OFFLINE

HOST = "127.0.0.1"
# What a server must not inherit: settings of the tests' own telemetry, coverage, proxies, credentials of real providers.
_NOT_INHERITED = (
    "OTEL_",
    "COV_",
    "COVERAGE_",
    "PYTHON",
    "OPENAI_",
    "ANTHROPIC_",
    "AZURE_",
    "OLLAMA_",
    "LITELLM_",
    "AWS_",
)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """Runs from construction until `close()`; requests are answered as soon as the constructor returns.

    Args:
        command: the program and its arguments.
        port: where it was started to listen.
        ready: the path that it answers with 200 when it is ready.
        log: the file for what it writes.
        environment: variables over those of this process.
        seconds: how long it may take to become ready.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        port: int,
        ready: str,
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        seconds: float = 30,
    ) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        with log.open("wb") as output:
            # A group of its own: some of them start children, which must end with them.
            self._process = subprocess.Popen(
                [*map(str, command)],
                cwd=log.parent,
                # Caches and settings that it keeps in its user's home do not become this user's.
                env={**inherited, **OFFLINE, "HOME": str(log.parent), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until(ready, seconds)
        except BaseException:
            self.close()
            raise

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> str:
        """The body of what it answers to a GET."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            body: bytes = answer.read()
            return body.decode()

    def counter(self, name: str) -> int:
        """The value of a counter in its metrics, all series together; 0 if there is none yet.

        The metrics are Prometheus text, which a server keeps at `/metrics`.
        """
        lines = self.get("/metrics").splitlines()
        return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))))

    def close(self) -> None:
        """Asks the process group to end, waits, and ends what is left of it."""
        for ending, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)

    def _wait_until(self, ready: str, seconds: float) -> None:
        """TimeoutError, or OSError with the end of its log, if it never is."""
        deadline = time.monotonic() + seconds
        while not self._answers(ready):
            if self._process.poll() is not None:
                raise OSError(f"ended with {self._process.returncode}: {self.log[-3000:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready within {seconds} s: {self.log[-3000:]}")
            time.sleep(0.05)

    def _answers(self, path: str) -> bool:
        try:
            self.get(path)
        except (OSError, urllib.error.URLError):
            return False
        return True
