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


def models() -> dict[str, dict[str, Any]]:
    """Return the boards by their names.

    Raises:
        SystemExit: something is wrong with them; the sentences say where.
    """
    made: dict[str, dict[str, Any]] = {}
    found: list[str] = []
    for name in NAMES:
        module = import_module(f"boards.{name}")
        made[name] = module.board().model()
        found += problems(made[name], Path(str(module.__file__)))
    if found:
        sys.exit("\n".join(found))
    return made


def main() -> None:
    """Write the boards, or compare them."""
    texts = {FOLDER / f"{name.replace('_', '-')}.json": written(model) for name, model in models().items()}
    if sys.argv[1:] == ["--check"]:
        wrong = [
            file.name for file, text in texts.items() if not file.exists() or file.read_text(encoding="utf-8") != text
        ]
        if wrong:
            sys.exit(f"Out of date: {', '.join(wrong)}. `python dashboards/generate.py` writes them.")
        return
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
