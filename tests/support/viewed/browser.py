"""Chromium without a window, driven by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
KEYS = {
    "ArrowDown": 40,
    "ArrowUp": 38,
    "ArrowLeft": 37,
    "ArrowRight": 39,
    "Enter": 13,
    "Escape": 27,
    "Tab": 9,
    "/": 191,
}


def no_browser() -> str:
    """Why no browser can be driven here; empty if one can."""
    if _program() is None:
        return "no Chromium on PATH (Debian: apt-get install chromium; or set CHROMIUM to its path)"
    if find_spec("websockets") is None:
        return "the package websockets is not there, which talks to Chromium"
    return ""


def _program() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One process of Chromium, with a profile that is removed at the end."""

    def __init__(self) -> None:
        """Waits until it can be talked to."""
        program = _program()
        assert program is not None, no_browser()
        self._folder = Path(tempfile.mkdtemp(prefix="browser-"))
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        where = [f"--user-data-dir={self._folder}", "--remote-debugging-port=0", "about:blank"]
        self._process = subprocess.Popen(
            [program, *flags, *quiet, *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._port = self._started()

    def page(self, width: int = 1280, height: int = 800, *, dark: bool = False) -> Page:
        """A new page with a screen of this size."""
        with urlopen(Request(f"http://127.0.0.1:{self._port}/json/new?about:blank", method="PUT")) as answer:
            target = json.load(answer)
        return Page(target["webSocketDebuggerUrl"], width, height, dark=dark)

    def close(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait(timeout=20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _started(self) -> int:
        file = self._folder / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().count("\n")):
            assert self._process.poll() is None, "Chromium has ended"
            assert time.monotonic() < deadline, "Chromium does not start"
            time.sleep(0.05)
        return int(file.read_text().splitlines()[0])


class Page:
    """What a user sees and does."""

    def __init__(self, address: str, width: int, height: int, *, dark: bool) -> None:
        """Notes what it logs and what fails in it."""
        from websockets.sync.client import connect

        self._socket = connect(address, max_size=None, compression=None)
        self._number = 0
        self._is_closed = False
        self.problems: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Network.setCacheDisabled", cacheDisabled=True)
        self.resize(width, height)
        self.show_dark(dark)

    def resize(self, width: int, height: int) -> None:
        """Another size of the screen; a narrow one is a phone's."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def show_dark(self, dark: bool) -> None:
        """What the user prefers."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Goes to an address, and waits until it is loaded."""
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript returns, awaited."""
        as_the_page = {"returnByValue": True, "awaitPromise": True, "allowUnsafeEvalBlockedByCSP": False}
        answer = self._call("Runtime.evaluate", expression=expression, **as_the_page)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 10) -> Any:
        """What an expression returns as soon as that is true."""
        deadline = time.monotonic() + seconds
        while not (found := self.value(f"((found) => found instanceof Node ? true : found)({expression})")):
            assert time.monotonic() < deadline, f"not true within {seconds} s: {expression}; {self.problems}"
            time.sleep(0.02)
        return found

    def text(self, selector: str = "body") -> str:
        """What can be read there."""
        found: str = self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return found

    def key(self, name: str) -> None:
        """Presses a key."""
        text = {"Enter": "\r"}.get(name, name if len(name) == 1 else "")
        code = {"key": name, "windowsVirtualKeyCode": KEYS.get(name, ord(name.upper()[0]))}
        self._call("Input.dispatchKeyEvent", type="keyDown", text=text, **code)
        self._call("Input.dispatchKeyEvent", type="keyUp", **code)

    def type(self, text: str) -> None:
        """Types into what has the focus."""
        self._call("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Clicks in the middle of an element, as a mouse does."""
        self.value(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'nearest'}})")
        box = self.value(f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def screenshot(self, file: Path, scale: float = 1) -> None:
        """Writes what is seen as PNG, with so many pixels for each."""
        size = self.value("({ width: innerWidth, height: innerHeight })")
        clip = {"x": 0, "y": 0, **size, "scale": scale}
        shot = self._call("Page.captureScreenshot", format="png", optimizeForSpeed=False, clip=clip)
        file.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Closes the page."""
        if not self._is_closed:
            self._is_closed = True
            self._call("Page.close")
            self._socket.close()

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._note(message)

    def _note(self, message: Any) -> None:
        """Keeps what a developer would see in red, and where the page has sent requests to."""
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.problems.append(str(parameters["exceptionDetails"].get("exception", {}).get("description")))
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.problems.append(str(parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.problems.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.problems.append(f"a dialog: {parameters['message']}")
