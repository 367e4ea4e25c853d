"""One program that runs beside this one: its log, when it answers, and its end."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HOST = "127.0.0.1"
# Settings of whoever starts it: a program of operations has only those that it is given.
_NOT_INHERITED = ("OTEL_", "COV_", "COVERAGE_", "PYTHON")


class NotRunningError(RuntimeError):
    """A program did not start, or ended; the message says what it wrote last."""


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nothing listens on now, no two the same."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def is_taken(port: int) -> bool:
    """Return whether something listens on a port of loopback, or of all interfaces."""
    with socket.socket() as probe:
        # As servers do: what is left of a connection that was closed is no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


class Process:
    """A program that is started and stopped, as often as one likes.

    Attributes:
        name: what it is called in messages.
        words: the program and its arguments.
        log: the file that has what it wrote, of all its runs.

    Args:
        ready: the URL that answers when it is ready.
        environment: variables beside those of this process.
        seconds: how long it may take until it is ready.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str | Path],
        log: Path,
        ready: str,
        *,
        environment: Mapping[str, str] | None = None,
        seconds: float = 60,
    ) -> None:
        self.name = name
        self.words = [str(word) for word in words]
        self.log = log
        self._ready, self._seconds = ready, seconds
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_INHERITED)}
        self._environment = {**inherited, "NO_PROXY": HOST, "no_proxy": HOST, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process.

        Raises:
            NotRunningError: it does not run.
        """
        if self._process is None or self._process.poll() is not None:
            raise NotRunningError(f"{self.name} does not run. {self.last()}")
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it is ready.

        Raises:
            NotRunningError: it ended, or is not ready in time.
        """
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.words,
                cwd=self.log.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self, *, seconds: float = 20) -> None:
        """Ask it to end, and end it if it does not.

        Args:
            seconds: how long it may take.
        """
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(seconds)
        self._process = None

    def text(self) -> str:
        """Return all that it wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.is_file() else ""

    def last(self, lines: int = 5) -> str:
        """Return the last lines that it wrote."""
        return "\n".join(self.text().strip().splitlines()[-lines:])

    def _wait(self) -> None:
        until = time.monotonic() + self._seconds
        while not answers(self._ready):
            if self._process is None or self._process.poll() is not None:
                raise NotRunningError(f"{self.name} did not start:\n{self.last()}")
            if time.monotonic() > until:
                raise NotRunningError(
                    f"{self.name} does not answer at {self._ready} after {self._seconds:g} s:\n{self.last()}"
                )
            time.sleep(0.1)


def answers(url: str) -> bool:
    """Return whether a URL answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status < 300)
    except (OSError, urllib.error.URLError):
        return False
