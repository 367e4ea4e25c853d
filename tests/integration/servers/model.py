"""The tiny model of the suite: a GGUF file, and, for servers that load nothing else, a directory made of it."""

from __future__ import annotations

from pathlib import Path

from servers.base import run

_FOLDER = Path(__file__).parents[1] / "model"
GGUF = _FOLDER / "tiny.gguf"
# What it is served as.
NAME = "tiny"


def directory(python: Path, where: Path) -> Path:
    """The model in the format of Hugging Face, written by an interpreter that has what it takes.

    Args:
        python: of a server's environment.
        where: the folder that it is written to.
    """
    run(python, _FOLDER / "hf_directory.py", GGUF, where)
    return where
