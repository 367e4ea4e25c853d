"""Make the pictures of `view.md` in `images`, with a real browser and real calls: `tox -e screenshots`.

The models are a server on loopback. Needs Chromium (Debian: `chromium`); with `pngquant` the files are a third as large.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).with_name("images")
sys.path.insert(0, str(ROOT / "tests" / "support"))

from loopback import ModelServer  # noqa: E402 - found by the path above
from viewed import Browser, Exporting, Viewing, no_browser, viewing  # noqa: E402
from viewed.travel import travelling  # noqa: E402

WIDTH, HEIGHT = 1280, 760
LIST = "document.querySelectorAll('#rows a').length === 6 && document.querySelector('#live.on')"
DETAIL = "document.querySelector('#span .message.output')"


def take(view: Viewing) -> None:
    """Write the picture of the list and of one trace."""
    trace = view.traces()[1]["id"]
    browser = Browser()
    try:
        page = browser.page(WIDTH, HEIGHT)
        for name, path, there in (("view-list", "", LIST), ("view-trace", f"#/t/{trace}", DETAIL)):
            page.open(view.serving.url + path)
            page.wait_for(there)
            page.screenshot(IMAGES / f"{name}.png", scale=2)
        page.close()
    finally:
        browser.close()


def reduce(file: Path) -> None:
    """Write a picture again with a palette of colours, where the program for it is there."""
    if program := shutil.which("pngquant"):
        subprocess.run([program, "--force", "--strip", "--speed", "1", "--output", file, "64", file], check=True)  # noqa: S603


def main() -> None:
    """Make traces, and write both pictures."""
    if missing := no_browser():
        sys.exit(missing)
    IMAGES.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    server = ModelServer()
    with viewing(folder) as view:
        exporting = Exporting(view, service="travel-desk")
        with travelling(server, exporting, folder) as travel:
            travel.all()
        exporting.close()
        take(view)
    server.close()
    shutil.rmtree(folder)
    for file in IMAGES.glob("view-*.png"):
        reduce(file)


if __name__ == "__main__":
    main()
