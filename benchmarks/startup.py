"""What the plugin adds to the start of a process under `opentelemetry-instrument` that never imports a model's SDK: processor time.

Against a start with all of its entry points disabled, with the SDKs that are installed. Also which modules must not be there for it: the SDKs, their HTTP client, pydantic.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median

TIMES = 20
UNWANTED = ("openai", "anthropic", "ollama", "httpx", "httpx2", "pydantic")
OURS = ",".join(one.name for one in entry_points(group="opentelemetry_instrumentor") if one.name.startswith("genai"))
PROGRAM = f"import sys; print([name for name in {UNWANTED!r} if name in sys.modules])"


def main() -> None:
    """Print the median of each, alternating, and that of the differences between one and the next."""
    seconds: dict[str, list[float]] = {"": [], OURS: []}
    imported = _started("")[1]
    for _ in range(TIMES):
        for disabled, taken in seconds.items():
            taken.append(_started(disabled)[0])
    with_it, without = (median(taken) * 1000 for taken in seconds.values())
    more = median(one - other for one, other in zip(*seconds.values(), strict=True)) * 1000
    print(f"with {with_it:.0f} ms, without {without:.0f} ms: {more:+.1f} ms; imported of the unwanted: {imported}")


def _started(disabled: str) -> tuple[float, str]:
    """Seconds of a processor that a process took, and what it printed."""
    environment = {
        **os.environ,
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": disabled,
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    instrument = Path(sys.executable).with_name("opentelemetry-instrument")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [instrument, sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout.strip()


if __name__ == "__main__":
    main()
