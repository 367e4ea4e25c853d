"""Write the table of all settings into `configuration.md`, from the code that reads them: `tox -e docs`.

What each is for, the docstring of `Config` says; what is accepted, and under which names, the table of readers.
"""

from __future__ import annotations

from pathlib import Path

from opentelemetry_instrumentation_genai._settings.config import default_of, variable
from opentelemetry_instrumentation_genai._settings.readers import READERS
from opentelemetry_instrumentation_genai.cli.settings import meanings, sentence

PAGE = Path(__file__).with_name("configuration.md")
BEGIN = "<!-- Made by settings.py beside this page, from the code. -->\n"
END = "<!-- As far as that. -->\n"
HEAD = "| keyword, and key in the file | what | accepted | default |\n|---|---|---|---|\n"

# Defaults that are no words of the setting's own.
PLAIN = ("none", "by the capture mode")


def row(name: str) -> str:
    """A setting's row."""
    default = default_of(name)
    cells = (
        f"`{name}`<br>`{variable(name)}`",
        sentence(meanings()[name]),
        READERS[name].accepted,
        default if default in PLAIN else f"`{default}`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def page(text: str) -> str:
    """A page with the table as the code has it.

    Args:
        text: the page as it is.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + HEAD + "".join(row(name) for name in READERS) + "\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
