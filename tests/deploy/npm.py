"""What Grafana publishes at npm to check its files with, installed into the cache of the tools."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools import cache


def missing() -> str:
    """Why nothing can be checked by it here; empty if it can."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not on PATH, by which Grafana's types and grammars are read (Debian: apt-get install npm)"
    return ""


def installed(packages: Sequence[str]) -> Path:
    """The folder into which npm has installed packages, which it does if they are not there.

    Args:
        packages: each with its version, as `NAME@VERSION`.

    Raises:
        CalledProcessError: they cannot be installed.
    """
    folder = cache() / f"npm-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"
    done = folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}", encoding="utf-8")
        words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
        subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=300)
        done.touch()
    return folder
