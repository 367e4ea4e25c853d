"""Write the boards beside this file: `python dashboards/generate.py`; with `--check`, say which are out of date.

Needs `grafana-foundation-sdk`, which is in the dependency group `operations`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from style.board import written
from style.problems import problems

FOLDER = Path(__file__).parent
NAMES = ("overview", "latency", "cost", "errors", "agents", "quality", "model_server", "conversation")


class WrongBoardError(ValueError):
    """Something is wrong with boards; each line of the message is a sentence that says where and what."""


def models() -> dict[str, dict[str, Any]]:
    """Return the boards by their names.

    Raises:
        WrongBoardError: something is wrong with them.
    """
    made: dict[str, dict[str, Any]] = {}
    found: list[str] = []
    for name in NAMES:
        module = import_module(f"boards.{name}")
        made[name] = module.board().model()
        found += problems(made[name], Path(str(module.__file__)))
    if found:
        raise WrongBoardError("\n".join(found))
    return made


def texts() -> dict[Path, str]:
    """Return what each file is to have."""
    return {FOLDER / f"{name.replace('_', '-')}.json": written(model) for name, model in models().items()}


def out_of_date() -> list[Path]:
    """Return the files that are not as the code makes them."""
    made = texts()
    return [file for file, text in made.items() if not file.exists() or file.read_text(encoding="utf-8") != text]


def main() -> None:
    """Write the boards, or compare them."""
    try:
        if sys.argv[1:] != ["--check"]:
            for file, text in texts().items():
                file.write_text(text, encoding="utf-8")
        elif wrong := out_of_date():
            names = ", ".join(file.name for file in wrong)
            sys.exit(f"Out of date: {names}. `python dashboards/generate.py` writes them.")
    except WrongBoardError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
