"""Write the table of all findings into `doctor.md`, from the catalogue of the doctor: `tox -e docs`."""

from __future__ import annotations

import re
from pathlib import Path

from opentelemetry_instrumentation_genai.cli.doctor.catalogue import CATALOGUE

PAGE = Path(__file__).with_name("doctor.md")
BEGIN = "<!-- Made by doctor.py beside this page, from the code. -->\n"
END = "<!-- As far as that. -->\n"
HEAD = "| finding | level | what it says | what to do |\n|---|---|---|---|\n"


def row(code: str) -> str:
    """A finding's row; places for values in capitals."""
    found = CATALOGUE[code]
    cells = (f"`{code}`", found.level, *(_plain(text) for text in (found.what, found.todo)))
    return "| " + " | ".join(cells) + " |\n"


def _plain(text: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda place: place[1].upper(), text).replace("|", "\\|").replace("*", "\\*")


def page(text: str) -> str:
    """A page with the table as the code has it.

    Args:
        text: the page as it is.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + HEAD + "".join(row(code) for code in CATALOGUE) + "\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
