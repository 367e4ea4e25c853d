"""A server on loopback that takes what Alertmanager sends to webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

RECEIVERS = ("oncall", "teams", "providers", "telemetry")


class Notification(NamedTuple):
    """What arrived.

    Attributes:
        receiver: at which address, which is that of a receiver.
        group: the labels that all alerts in it have, by which they are grouped.
        alerts: the labels and annotations of each, and its status.
    """

    receiver: str
    group: dict[str, str]
    alerts: list[dict[str, Any]]


class Webhooks:
    """Addresses that take notifications.

    Attributes:
        url: of all, before the receiver.
        notifications: what has arrived.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.notifications: list[Notification] = []

    def files(self, folder: Path) -> None:
        """Write the files that have the addresses, as `alertmanager.yaml` reads them."""
        for receiver in RECEIVERS:
            (folder / receiver).write_text(f"{self.url}/{receiver}", encoding="utf-8")

    def alerts(self) -> Iterator[tuple[Notification, dict[str, Any]]]:
        """Each alert that has arrived, with its notification."""
        for notification in [*self.notifications]:
            for alert in notification.alerts:
                yield notification, alert


@contextmanager
def webhooks() -> Iterator[Webhooks]:
    """Serve the addresses."""
    found: list[Notification] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.append(Notification(self.path.strip("/"), body["groupLabels"], body["alerts"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        taken = Webhooks(f"http://127.0.0.1:{server.server_port}")
        taken.notifications = found
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
