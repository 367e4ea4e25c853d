"""The pages of the repository, and the blocks of code in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# An sdist has not all of them.
PAGES = [
    path
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "examples").rglob("*.md")),
    )
    if path.exists()
]
INDENTED = "indented"
# Pages about `deploy`, whose commands and queries are checked with what is there, in tests/deploy.
OPERATIONS = re.compile(r"docs/(kubernetes|collector|scale|alerts|dashboards)\.md")
_FENCE = re.compile(r"^( *)(`{3,}|~{3,})([^\n]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: the path of its page in the repository.
        language: what stands behind the fence; `indented` where there is no fence.
        number: which of its page and language it is, from 1.
        text: as it stands, but for the indentation of the fence.
    """

    page: str
    language: str
    number: int
    text: str

    @property
    def id(self) -> str:
        """For the name of a test."""
        return f"{self.page.rpartition('/')[2] if self.page.startswith('docs') else self.page}-{self.language}-{self.number}"


def blocks() -> Iterator[Block]:
    """Each block of each page: those in fences, and those that are indented by four spaces."""
    for path in PAGES:
        page, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        found = [
            (fence[3].strip(), re.sub(f"^{fence[1]}", "", fence[4], flags=re.MULTILINE))
            for fence in _FENCE.finditer(text)
        ]
        found += [
            (INDENTED, re.sub("^ {4}", "", one[0], flags=re.MULTILINE))
            for one in _INDENTED.finditer(_FENCE.sub("\n", text))
        ]
        numbers: dict[str, int] = {}
        for language, content in found:
            numbers[language] = numbers.get(language, 0) + 1
            yield Block(page, language, numbers[language], content)
