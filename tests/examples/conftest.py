"""An example and the embedded model server that it calls."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from example_runs import Example, Running, shown
from loopback import OtlpReceiver

SERVE = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "demo", "--serve", "--port", "0"]


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """The variables that the embedded model server prints, while it runs."""
    with subprocess.Popen(SERVE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            lines = [running.stdout.readline() for _ in range(13)]
            yield dict(re.findall(r"  export (\w+)=(\S+)\n", "".join(lines)))
        finally:
            running.kill()


@pytest.fixture
def start(addresses: dict[str, str], receiver: OtlpReceiver) -> Iterator[Callable[..., Running]]:
    """Starts an example by the command of its README, which ends with the test."""
    with ExitStack() as opened:

        def started(name: str, **variables: str) -> Running:
            running = Running(name, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_url, **addresses, **variables})
            opened.callback(running.close)
            return running

        yield started


@pytest.fixture
def example(start: Callable[..., Running]) -> Example:
    """Runs an example to its end, and returns the lines that it prints, which are those of its README."""

    def run(name: str) -> list[str]:
        status, printed, errors = start(name).ended()
        assert (0, "") == (status, errors)
        lines = printed.splitlines()
        assert shown(name) == lines
        return lines

    return run
