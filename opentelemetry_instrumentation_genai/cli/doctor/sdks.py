"""The Python that runs, and the SDKs that are installed for it: which are instrumented, which are not, and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..._conventions.scope import __version__
from .finding import found
from .installed import names_of, requirement_of, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Finding

_SECONDS = 120
_OURS = __name__.partition(".")[0] + "."
_INSPECTION = __package__ + ".inspection" if __package__ else ""
# What other packages call their instrumentors, where that is not what ours is called.
_OTHERS = {
    "bedrock": ("BotocoreInstrumentor",),
    "google_genai": ("GoogleGenAiSdkInstrumentor", "GoogleGenerativeAiInstrumentor"),
    "mcp": ("MCPInstrumentor",),
}
_NATIVE = {
    "anthropic": "what becomes of them, the setting anthropic_native_tracing says, and by default those of this package replace them",
    "mcp": "a request has one span, that of this package",
}


def check() -> Iterator[Finding]:
    """Yield what is true of Python and of the SDKs."""
    yield found("python.version", version=sys.version.split()[0], executable=sys.executable, package=__version__)
    try:
        rows = _inspected()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        yield found("sdk.inspection", error=f"{type(error).__name__}: {error}")
        return
    installed = [row for row in rows if row["path"] is not None]
    for row in installed:
        yield from _sdk(row)
    if not installed:
        yield found("sdk.none", executable=sys.executable)
    else:
        yield found("sdk.absent", sdks=", ".join(row["sdk"] for row in rows if row["path"] is None) or "none")
    if installed and find_spec("httpx") is not None and "httpx" not in names_of("opentelemetry_instrumentor"):
        yield found("sdk.http")


def _inspected() -> list[dict[str, Any]]:
    """Return what a process that imports the SDKs says of them. What they print is dropped."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "sdks.json")
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", _INSPECTION, str(path)],
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        if not path.exists():
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            message = f"status {done.returncode}: {lines[-1] if lines else ''}"
            raise ValueError(message)
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return rows


def _sdk(row: dict[str, Any]) -> Iterator[Finding]:
    sdk, version = row["sdk"], row["version"]
    wanted = requirement_of(sdk) or sdk
    if _is_shadowed(row["path"]):
        yield found("sdk.shadowed", package=row["package"], path=row["path"])
    elif row["disabled"]:
        yield found("sdk.disabled", sdk=sdk, version=version, why=row["disabled"])
    elif any("supported is" in line for line in row["logged"]):
        yield found("sdk.unsupported", sdk=sdk, version=version, supported=row["supported"], requirement=wanted)
    elif row["error"]:
        yield found("sdk.broken", sdk=sdk, module=row["module"], error=row["error"], requirement=wanted)
    elif row["patched"]:
        yield found("sdk.instrumented", sdk=sdk, version=version)
        yield from _others(row)
        yield from _native(row)
    else:
        logged = row["logged"][-1] if row["logged"] else "no reason is known"
        yield found("sdk.unpatched", sdk=sdk, version=version, logged=logged)


def _is_shadowed(path: str) -> bool:
    """Return whether a package comes from the current folder, and not from where packages are installed."""
    here = Path.cwd()
    return bool(path) and Path(path).parent in (here, *(here / name for name in (Path(path).parent.name,)))


def _others(row: dict[str, Any]) -> Iterator[Finding]:
    """Yield the other packages that instrument the same SDK."""
    kinds = (row["kind"], *_OTHERS.get(row["sdk"], ()))
    disabled = [name.strip() for name in os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")]
    for entry in entry_points(group="opentelemetry_instrumentor"):
        if entry.attr in kinds and not entry.value.startswith(_OURS) and entry.name not in disabled:
            distribution = entry.dist.name if entry.dist is not None else entry.module
            yield found("sdk.others", sdk=row["sdk"], distribution=distribution, name=entry.name)


def _native(row: dict[str, Any]) -> Iterator[Finding]:
    if row["native"]:
        yield found("sdk.native", sdk=row["sdk"], version=row["version"], what=_NATIVE[row["sdk"]])


def opentelemetry_instrument() -> str | None:
    """Return the path of `opentelemetry-instrument` beside the Python that runs; None if it is not there."""
    path = Path(sys.executable).with_name("opentelemetry-instrument")
    return str(path) if path.exists() and version_of("opentelemetry-instrumentation") else None
