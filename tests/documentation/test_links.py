"""Each link from one page of the repository to another, or to a heading of it, leads there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("*.md")))
PAGES = [path for path in (ROOT / "README.md", ROOT / "deploy/README.md", *FOLDERS) if path.exists()]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that can be linked to: of headings, as GitHub makes them, and those that are written out."""
    text = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links(page: Path) -> None:
    """What a page links to is there. Pictures and pages outside of the sdist are there in the checkout."""
    if not (ROOT / "CONTRIBUTING.md").exists():
        pytest.skip("an sdist has not all pages")
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text())):
        aim = (page.parent / target).resolve() if target else page
        assert aim.exists(), (page.name, target)
        if anchor:
            assert anchor in anchors(aim), (page.name, target, anchor)


def test_that_a_wrong_link_is_found() -> None:
    """The expression finds links with and without a heading, and no address of the web."""
    text = "[a](docs/x.md#one) [b](y.md) [c](#two) [d](https://example.com/z.md)"
    assert LINK.findall(text) == [("docs/x.md", "one"), ("y.md", ""), ("", "two")]
