"""Install what the OpenTelemetry Operator copies into pods: ``python install.py LOCK WHEEL FOLDER``.

FOLDER gets `glibc` and `musl`, each for all Pythons that the package supports: one folder serves them all, since a compiled
module has its Python in its name, and every other file is the same for each of them. That is checked, file by file.
"""

from __future__ import annotations

import filecmp
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# What uv calls the two C libraries of Linux.
PLATFORMS = {"glibc": "unknown-linux-gnu", "musl": "unknown-linux-musl"}
# Files about an installation, which nothing reads there: they name the wheel, which differs from Python to Python.
ABOUT = {"RECORD", "WHEEL"}


def main(lock: str, wheel: str, folder: str) -> None:
    """Install for both C libraries.

    Args:
        lock: the file with the versions and hashes of what is needed besides the package.
        wheel: the package.
        folder: where `glibc` and `musl` are made.
    """
    for library in PLATFORMS:
        with tempfile.TemporaryDirectory() as scratch:
            for python in PYTHONS:
                install(Path(lock), Path(wheel), Path(scratch) / python, python, library)
                merge(Path(scratch) / python, Path(folder) / library)
        make_readable(Path(folder) / library)


def install(lock: Path, wheel: Path, folder: Path, python: str, library: str) -> None:
    """Install lock and wheel for one Python and C library, without running that Python.

    Raises:
        subprocess.CalledProcessError: if something is not to be had as a wheel for that Python, or has another hash.
    """
    there = ("--target", folder, "--python-version", python, "--python-platform", f"{machine()}-{PLATFORMS[library]}")
    # No script is copied into a pod's PATH, and a script would name the Python that installs.
    install = ("uv", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps", *there)
    # Compiled files would be those of the Python that installs.
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "0"}
    subprocess.run([*install, "--require-hashes", "--requirement", lock], check=True, env=environment)
    subprocess.run([*install, wheel], check=True, env=environment)
    shutil.rmtree(folder / "bin", ignore_errors=True)


def machine() -> str:
    """Return the name of this processor's architecture."""
    return {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())


def merge(source: Path, target: Path) -> None:
    """Add the files of one folder to another.

    Raises:
        SystemExit: if a file is there with other bytes: one folder cannot serve both Pythons then.
    """
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        there = target / file.relative_to(source)
        if not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, there)
        elif file.name not in ABOUT and not filecmp.cmp(file, there, shallow=False):
            sys.exit(f"{file.relative_to(source)} is not the same for all of {', '.join(PYTHONS)}.")


def make_readable(folder: Path) -> None:
    """Let every user read all of it: which one copies it, the pod says."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    main(*sys.argv[1:])
