"""The folder by which the probe gets into a program, and in which it leaves its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARK = "genai_doctor-0.dist-info"
_PROBE = "opentelemetry_instrumentation_genai.cli.doctor.probe"
_SITECUSTOMIZE = f"""\
import os
import sys

_folder = os.path.dirname(os.path.abspath(__file__))
try:
    from {_PROBE} import start
except ImportError as error:
    with open(os.path.join(_folder, "failed"), "w", encoding="utf-8") as file:
        file.write(sys.executable + "\\n" + str(error))
else:
    start(_folder)
"""
_METADATA = "Metadata-Version: 2.1\nName: genai-doctor\nVersion: 0\n"
_ENTRY_POINTS = f"[opentelemetry_pre_instrument]\ngenai_doctor = {_PROBE}:start_late\n"


def fill(folder: Path) -> None:
    """Write into a folder on PYTHONPATH what starts the probe, whether or not `opentelemetry-instrument` starts the program."""
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
    (folder / MARK).mkdir()
    (folder / MARK / "METADATA").write_text(_METADATA, encoding="utf-8")
    (folder / MARK / "entry_points.txt").write_text(_ENTRY_POINTS, encoding="utf-8")
