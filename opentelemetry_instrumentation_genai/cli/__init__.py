"""The command `opentelemetry-genai`: what shows that the instrumentation works, and why if it does not.

Nothing else of the package imports this. It needs the extra `cli`, and imports what that installs only when the command runs.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NEEDED = ("click", "rich", "starlette", "uvicorn", "opentelemetry.sdk")
_INSTALL = "pip install 'opentelemetry-instrumentation-genai[cli]'"


def main() -> None:
    """Run the command, with the arguments of the process."""
    missing = [name for name in _NEEDED if not _is_there(name)]
    if missing:
        sys.exit(f"opentelemetry-genai needs {', '.join(missing)}: {_INSTALL}")
    from .commands import program

    program(prog_name="opentelemetry-genai")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor what stands above it
        return False
