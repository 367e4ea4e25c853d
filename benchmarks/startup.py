"""What the plugin adds to the start of a process under `opentelemetry-instrument` that never imports a model's SDK: processor time.

Against a start with all of its entry points disabled, with the SDKs that are installed. Also which modules must not be there for it: the SDKs, their HTTP client, pydantic.
`--instructions` counts the instructions of both by valgrind instead, which are the same on a busy machine.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

TIMES = 20
UNWANTED = ("openai", "anthropic", "ollama", "httpx", "httpx2", "pydantic")
OURS = ",".join(one.name for one in entry_points(group="opentelemetry_instrumentor") if one.name.startswith("genai"))
PROGRAM = f"import sys; print([name for name in {UNWANTED!r} if name in sys.modules])"


def main() -> None:
    """Print the median of each, alternating, and that of the differences between one and the next; or their instructions."""
    if "--instructions" in sys.argv:
        _started("")  # compiles what is not
        counts = [_instructions(disabled) for disabled in ("", OURS)]
        with_it, without = (count / 1e6 for count in counts)
        print(f"millions of instructions: with {with_it:.1f}, without {without:.1f}: {with_it - without:+.1f}")
        return
    seconds: dict[str, list[float]] = {"": [], OURS: []}
    imported = _started("")[1]
    for _ in range(TIMES):
        for disabled, taken in seconds.items():
            taken.append(_started(disabled)[0])
    with_it, without = (median(taken) * 1000 for taken in seconds.values())
    more = median(one - other for one, other in zip(*seconds.values(), strict=True)) * 1000
    print(f"with {with_it:.0f} ms, without {without:.0f} ms: {more:+.1f} ms; imported of the unwanted: {imported}")


def _run(disabled: str, *under: str) -> subprocess.CompletedProcess[str]:
    """Start a process, under a command."""
    environment = {
        **os.environ,
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": disabled,
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "PYTHONHASHSEED": "0",
    }
    instrument = str(Path(sys.executable).with_name("opentelemetry-instrument"))
    command = [*under, instrument, sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True)


def _instructions(disabled: str) -> int:
    """How many instructions a process took. The command replaces itself by the program, and the last count is that of both."""
    with TemporaryDirectory() as folder:
        options = ("--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={folder}/out.%p")
        done = _run(disabled, "valgrind", *options)
    counts: list[str] = re.findall(r"Collected : (\d+)", done.stderr)
    return int(counts[-1])


def _started(disabled: str) -> tuple[float, str]:
    """Seconds of a processor that a process took, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = _run(disabled)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout.strip()


if __name__ == "__main__":
    main()
