"""What the plugin adds to the start of a process under `opentelemetry-instrument` that never imports a model's SDK.

Also which modules must not be there for it: the SDKs, their HTTP client, pydantic.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

TIMES = 20
UNWANTED = ("openai", "anthropic", "ollama", "httpx", "httpx2", "pydantic")
OURS = "genai_openai"
PROGRAM = f"import sys; print([name for name in {UNWANTED!r} if name in sys.modules])"


def main() -> None:
    """Print the median of each, alternating, and their difference."""
    seconds: dict[str, list[float]] = {"": [], OURS: []}
    imported = _started("")[1]
    for _ in range(TIMES):
        for disabled, taken in seconds.items():
            taken.append(_started(disabled)[0])
    with_it, without = (median(taken) * 1000 for taken in seconds.values())
    print(
        f"with {with_it:.0f} ms, without {without:.0f} ms: {with_it - without:+.1f} ms; imported of the unwanted: {imported}"
    )


def _started(disabled: str) -> tuple[float, str]:
    """Seconds from start to end of a process, and what it printed."""
    environment = {
        **os.environ,
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": disabled,
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    instrument = Path(sys.executable).with_name("opentelemetry-instrument")
    began = time.perf_counter()
    done = subprocess.run(
        [instrument, sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began, done.stdout.strip()


if __name__ == "__main__":
    main()
