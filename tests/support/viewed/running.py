"""The servers of `view`, run by a thread of the test, and what a client gets from them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from opentelemetry_instrumentation_genai.cli.view.serving import Port, Ports, Serving
from opentelemetry_instrumentation_genai.cli.view.store import Store

HOST = "127.0.0.1"


class Viewing:
    """A viewer that runs, and questions to it."""

    def __init__(self, serving: Serving, store: Store) -> None:
        """The servers, and where they keep what they receive."""
        self.serving = serving
        self.store = store

    @property
    def http(self) -> str:
        """Where exports go over HTTP."""
        return f"http://{HOST}:{self.serving.http}"

    @property
    def grpc(self) -> str:
        """Where exports go over gRPC."""
        return f"http://{HOST}:{self.serving.grpc}"

    def get(self, path: str, **asked: Any) -> Any:
        """The decoded answer to a request of the page."""
        query = f"?{urlencode(asked, doseq=True)}" if asked else ""
        status, _, body = self.ask(path + query)
        assert status == 200, (status, body)
        return json.loads(body)

    def ask(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """The answer to a request of the page, which has its token."""
        known = {"Authorization": f"Bearer {self.serving.token}", **headers}
        return fetch(self.serving.page, "GET", path, headers=known)

    def traces(self, **asked: Any) -> list[Any]:
        """The list."""
        found: list[Any] = self.get("/api/traces", **asked)["traces"]
        return found

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """The answer to an export over HTTP."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return fetch(self.serving.http, "POST", path, body, named)


def fetch(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, to a request exactly as it is given."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


@contextmanager
def viewing(folder: Path, *, keep: int = 100_000, keep_bytes: int = 2**30, page: int = 0) -> Iterator[Viewing]:
    """A viewer on free ports, or its page on a given one, until the block is left."""
    store = Store(folder / "view.db", keep=keep, keep_bytes=keep_bytes)
    serving = Serving(store, Ports(*(Port("a test", port, "--option", is_demanded=True) for port in (page, 0, 0))))
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    try:
        _wait_for(serving.page)
        yield Viewing(serving, store)
    finally:
        serving.stop()
        thread.join(timeout=15)
        store.close()
    assert not thread.is_alive()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            fetch(port, "GET", "/api/status")
        except OSError:
            assert time.monotonic() < deadline, "the viewer does not answer"
            time.sleep(0.02)
        else:
            return
