"""What the tests of examples share: an example that runs by the command of its README, and what it has exported."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from loopback import OtlpReceiver

EXAMPLES = Path(__file__).parents[2] / "examples"
LONGEST = 120  # seconds of the processor that each process of an example may take
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
PER_CHUNK = "gen_ai.client.operation.time_per_output_chunk"
COST = "gen_ai.client.operation.cost"
Example = Callable[[str], list[str]]
Span = dict[str, Any]


def needs(*modules: str, environment: str) -> pytest.MarkDecorator:
    """Skips a test where one of these modules is not installed; `environment` is that of tox which has them."""
    missing = [module for module in modules if not is_there(module)]
    return pytest.mark.skipif(
        bool(missing), reason=f"{', '.join(missing)} not installed, which `tox -e {environment}` has"
    )


def is_there(module: str) -> bool:
    """Whether a module is installed; of one within a package, the package is imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class Running:
    """An example from its start to its end, by the command of its README, in a process group of its own.

    Args:
        name: of its folder.
        variables: over those of this process.
    """

    def __init__(self, name: str, variables: Mapping[str, str]) -> None:
        folder = EXAMPLES / name
        (command,) = BLOCK.findall((folder / "README.md").read_text(encoding="utf-8"))
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._process = subprocess.Popen(
            ["sh", "-c", f"ulimit -t {LONGEST}\n{command}"],
            cwd=folder,
            env={**os.environ, "PATH": path, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def is_gone(self) -> bool:
        """Whether nothing that it has started runs any more."""
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def ended(self, seconds: float = 300) -> tuple[int, str, str]:
        """Its status and what it printed and wrote to stderr, when it has ended by itself."""
        printed, errors = self._process.communicate(timeout=seconds)
        return self._process.returncode, printed, errors

    def interrupt(self) -> None:
        """Ends it as Ctrl-C does: by an interrupt of everything that it has started."""
        os.killpg(self._process.pid, signal.SIGINT)

    def close(self) -> None:
        """Ends whatever of it still runs; nothing is left behind by a test that fails."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=20)


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def started(spans: Iterable[Span]) -> list[Span]:
    """The spans in the order in which they started."""
    return sorted(spans, key=lambda span: span["start_time_unix_nano"])


def tree(spans: Iterable[Span], *resource: str) -> list[str]:
    """Name and kind of each span, and these attributes of its resource, indented below its parent, in the order in which they started."""
    ordered = started(spans)

    def below(parent: str, depth: int) -> Iterator[str]:
        for span in ordered:
            if span["parent_span_id"] == parent:
                words = [span["name"], span["kind"], *(span["resource"][name] for name in resource)]
                yield "  " * depth + " ".join(words)
                yield from below(span["span_id"], depth + 1)

    lines = [*below("", 0)]
    assert len(ordered) == len(lines), "a span has a parent that was not exported"
    return lines


def names(lines: list[str]) -> list[str]:
    """The lines of a tree without the kinds of spans."""
    return [line.rpartition(" ")[0] for line in lines]


def drawn(name: str) -> list[str]:
    """The tree that the README of an example draws, as `tree` has it but for the kinds."""
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"\n\n```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [re.sub("[│├└] ", "  ", line) for line in block.splitlines()]


def shown(name: str) -> list[str]:
    """The lines that an example prints by its README."""
    page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines: list[str] = block.splitlines()
    return lines


def attributes(spans: Iterable[Span]) -> dict[str, dict[str, Any]]:
    """The attributes of spans by their names, of which each is there once."""
    named = [(span["name"], span["attributes"]) for span in spans]
    found = dict(named)
    assert len(found) == len(named)
    return found


def points(receiver: OtlpReceiver, name: str) -> list[dict[str, Any]]:
    """The points of a metric, each as it was exported last."""
    last = {
        json.dumps([metric["resource"], point["attributes"]], sort_keys=True): point
        for metric in receiver.metrics
        if metric["name"] == name
        for point in metric["points"]
    }
    return [*last.values()]


def summed(receiver: OtlpReceiver, name: str, *by: str) -> dict[tuple[str, ...], Any]:
    """The sums of a histogram by the values of some attributes."""
    sums: dict[tuple[str, ...], Any] = {}
    for point in points(receiver, name):
        key = tuple(point["attributes"].get(attribute, "") for attribute in by)
        sums[key] = sums.get(key, 0) + point["sum"]
    return sums


def counted(receiver: OtlpReceiver, name: str, *by: str) -> dict[tuple[str, ...], int]:
    """The counts of a histogram by the values of some attributes."""
    counts: dict[tuple[str, ...], int] = {}
    for point in points(receiver, name):
        key = tuple(point["attributes"].get(attribute, "") for attribute in by)
        counts[key] = counts.get(key, 0) + point["count"]
    return counts


def metric_names(receiver: OtlpReceiver) -> set[str]:
    """The names of the metrics of the instrumentation."""
    return {metric["name"] for metric in receiver.metrics if metric["name"].startswith("gen_ai.")}


def services(receiver: OtlpReceiver) -> set[str]:
    """Who exported spans."""
    return {span["resource"]["service.name"] for span in receiver.spans}


def usage(receiver: OtlpReceiver) -> list[tuple[int, int]]:
    """The tokens, in and out, of the spans that have them, in the order in which they started."""
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    return [
        (span["attributes"][names[0]], span["attributes"].get(names[1], 0))
        for span in started(receiver.spans)
        if names[0] in span["attributes"]
    ]
