"""The findings as text and as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
from textwrap import fill, wrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .finding import Finding

_COLOURS = {"ok": "green", "info": "blue", "warning": "yellow", "problem": "red"}
_WIDTH = 100
_LABEL = 9


class Text:
    """Writes findings for people: wrapped and coloured on a terminal, one line for each sentence where it is piped."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._colour = self._terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._width = max(min(shutil.get_terminal_size().columns, _WIDTH), 40)

    def section(self, name: str, findings: Iterable[Finding]) -> list[Finding]:
        """Write the findings of a section as they come. Return them."""
        click.echo(f"\n{self._styled(name, None)}")
        kept: list[Finding] = []
        for finding in findings:
            kept.append(finding)
            self._write(finding)
        return kept

    def _write(self, finding: Finding) -> None:
        label = self._styled(f"{finding.level:<{_LABEL - 1}}", _COLOURS[finding.level])
        first, *others = self._lines(finding.what)
        click.echo(f"  {label} {first}")
        for line in others:
            click.echo(" " * (_LABEL + 2) + line)
        if finding.todo:
            for number, line in enumerate(self._lines(finding.todo, 3)):
                click.echo(" " * (_LABEL + 2) + ("-> " if number == 0 else "   ") + line)

    def _lines(self, text: str, more: int = 0) -> list[str]:
        if not self._terminal:
            return [text]
        return wrap(text, self._width - _LABEL - 2 - more, break_long_words=False, break_on_hyphens=False) or [""]

    def _styled(self, text: str, colour: str | None) -> str:
        return click.style(text, fg=colour, bold=True) if self._colour else text

    def summary(self, findings: Sequence[Finding]) -> None:
        """Write how many problems and warnings there are."""
        text = summary(findings)
        click.echo(f"\n{fill(text, self._width) if self._terminal else text}")


def summary(findings: Sequence[Finding]) -> str:
    """Return how many problems and warnings there are, in words."""
    problems, warnings = (sum(finding.level == level for finding in findings) for level in ("problem", "warning"))
    if not problems and not warnings:
        return "No problem was found."
    return f"{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}."


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def as_json(sections: dict[str, list[Finding]]) -> str:
    """Return all findings as JSON."""
    findings = [finding for section in sections.values() for finding in section]
    return json.dumps(
        {
            "summary": summary(findings),
            "findings": [{"section": name, **each.as_json()} for name, section in sections.items() for each in section],
        },
        indent=2,
        ensure_ascii=False,
    )
