"""What is patched in the SDKs that are installed: all are imported, with their instrumentors started, in one process that is not the doctor's.

`python -m opentelemetry_instrumentation_genai.cli.doctor.inspection PATH` writes a list of JSON objects to a file. Nothing is
exported: OpenTelemetry's SDK is not set up.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from ..._patching.instrumentor import _is_within
from .installed import requirement_of, version_of

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_OURS = "opentelemetry_instrumentation_genai"
# The module that an SDK has where it makes spans of its own.
_NATIVE = {"anthropic": "anthropic._tracing", "mcp": "mcp.shared.jsonrpc_dispatcher"}


def main(path: str) -> None:
    """Write what is true of each SDK that has an instrumentor; those that are not installed have no path.

    Args:
        path: of the file.
    """
    logged = BufferingHandler(1 << 20)
    logging.getLogger(_OURS).addHandler(logged)
    entries = [
        entry
        for entry in entry_points(group="opentelemetry_instrumentor")
        if entry.value.startswith(f"{_OURS}.") and entry.name != "genai"
    ]
    Path(path).write_text(json.dumps([_row(entry, logged) for entry in entries]), encoding="utf-8")


def _row(entry: EntryPoint, logged: BufferingHandler) -> dict[str, Any]:
    instrumentor = entry.load()()
    package = instrumentor.package or instrumentor.sdk
    row: dict[str, Any] = {
        "sdk": instrumentor.sdk,
        "entry_point": entry.name,
        "package": package,
        "module": instrumentor.module,
        "kind": type(instrumentor).__name__,
        "supported": ">={},<{}".format(*instrumentor.supported),
        "path": _path(package),
        "version": "",
        "error": "",
        "patched": False,
        "logged": [],
    }
    if row["path"] is None:
        return row
    logged.flush()  # forget what the SDK before has logged
    row["disabled"] = _why_disabled(entry.name)
    if not row["disabled"]:
        instrumentor.instrument(skip_dep_check=True)
        row["disabled"] = "" if instrumentor._config is not None else "it is not among the enabled ones"
    distribution = Requirement(requirement_of(instrumentor.sdk) or package).name
    if row["disabled"]:  # it need not be imported, then
        row["version"] = version_of(distribution)
        return row
    row["error"] = _import(instrumentor.module)
    row["version"] = _version(instrumentor) or version_of(distribution)
    row["unsupported"] = bool(row["version"]) and not _is_within(row["version"], row["supported"])
    row["patched"] = instrumentor._seam is not None
    row["native"] = not row["error"] and instrumentor.sdk in _NATIVE and _path(_NATIVE[instrumentor.sdk]) is not None
    row["logged"] = [record.getMessage() for record in logged.buffer]
    return row


def _path(package: str) -> str | None:
    """Return where a package is; None if it is not installed, and empty for a namespace package."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return None
    return spec.origin or ""


def _why_disabled(name: str) -> str:
    """Return why an entry point is not loaded; empty where it is."""
    variable = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
    names = [each.strip() for each in os.environ.get(variable, "").split(",")]
    return f"{variable} has {'*' if '*' in names else name}" if {"*", name} & set(names) else ""


def _import(module: str) -> str:
    """Import a module of an SDK; return what it raised, empty for nothing."""
    try:
        import_module(module)
    except BaseException as error:  # noqa: BLE001 - a module may also exit
        return f"{type(error).__name__}: {error}"
    return ""


def _version(instrumentor: Any) -> str:
    try:
        return str(instrumentor._installed())
    except Exception:  # noqa: BLE001 - a package of that name may be no SDK, and raise anything
        return ""


if __name__ == "__main__":
    main(sys.argv[1])
