"""An application in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SUPPORT = str(Path(__file__).parents[1])
# Beside the interpreter, wherever the tests run: what is on PATH may belong to another environment.
_INSTRUMENT = str(Path(sys.executable).with_name("opentelemetry-instrument"))


def run(folder: Path, program: str, *, instrumented: bool = False, **environment: str) -> tuple[list[str], list[str]]:
    """Runs ``program`` as ``app.py`` in ``folder`` to its end, and returns the lines of its stdout and stderr.

    Args:
        folder: where it is written, and run.
        program: the source of the application.
        instrumented: whether to start it by ``opentelemetry-instrument``.
        environment: variables over those of the test's process.

    Raises:
        AssertionError: it ended with another status than 0; says what it wrote.
    """
    (folder / "app.py").write_text(program, encoding="utf-8")
    command = [*([_INSTRUMENT] if instrumented else []), sys.executable, "app.py"]
    path = os.pathsep.join(filter(None, (_SUPPORT, os.environ.get("PYTHONPATH"))))
    known = {**os.environ, "PYTHONPATH": path, **environment}
    done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr.splitlines()
