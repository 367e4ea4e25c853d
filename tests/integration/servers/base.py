"""What every server has, and the environments of those that Python's package index has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]
# Nothing is looked up or sent home by a server while it runs.
OFFLINE = {"DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}


def place() -> Path:
    """Where servers are installed: `GENAI_SERVERS`, else a folder of the checkout that `make clean` removes."""
    named = os.environ.get("GENAI_SERVERS")
    return Path(named).absolute() if named else ROOT / ".venv" / "servers"


class Server(ABC):
    """One kind of server.

    Attributes:
        name: what it is called on the command line, and its folder.
        takes: what its installation takes of time, disk and anything else, in words.
    """

    name: str
    takes: str

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return place() / self.name

    def missing(self) -> str | None:
        """Why it cannot be started, and what to do about it; None if it can."""
        if self.installed():
            return None
        return f"{self.name} is not installed: `make servers SERVERS={self.name}` ({self.takes})"

    @abstractmethod
    def installed(self) -> bool:
        """Whether it is there."""

    @abstractmethod
    def install(self) -> None:
        """Installs it; OSError, or CalledProcessError with its output, if that fails."""


class PythonServer(Server):
    """A server in a virtual environment of its own.

    Attributes:
        requirements: what pip installs, by the machine's own configuration of pip.
        pythons: the interpreters that it can be installed for, the best first; empty for the one that runs this.
        program: what is there when it is installed.
    """

    requirements: Sequence[str]
    pythons: Sequence[str] = ()
    program: str

    @property
    def bin(self) -> Path:
        """The folder of its programs."""
        return self.folder / "bin"

    def installed(self) -> bool:
        """The last step of an installation leaves a mark."""
        return (self.folder / "installed").exists()

    def install(self) -> None:
        """Makes the environment anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        run(self._python(), "-m", "venv", self.folder)
        self.pip("install", "--quiet", *self.requirements)
        self.finish()
        (self.folder / "installed").touch()

    def finish(self) -> None:
        """What is left to do when the requirements are there."""

    def pip(self, *arguments: str) -> None:
        """Runs the environment's own pip."""
        run(self.bin / "python", "-m", "pip", "--disable-pip-version-check", *arguments)

    def _python(self) -> str:
        if not self.pythons:
            return sys.executable
        folders = os.environ.get("PATH", "").split(os.pathsep)
        found = (shutil.which(name, path=folder) for name in self.pythons for folder in folders)
        chosen = next((python for python in found if python and _runs(python)), None)
        if chosen is None:
            raise FileNotFoundError(f"It needs one of {', '.join(self.pythons)}, and none is on PATH.")
        return chosen


def _runs(python: str) -> bool:
    """Whether it is more than a name: pyenv has one for each Python there could be."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Runs a command to its end and returns its output.

    Raises:
        OSError: it failed; says what it wrote.
    """
    environment = {**os.environ, **(env or {})}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, text=True, capture_output=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
