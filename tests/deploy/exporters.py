"""vLLM and dcgm-exporter, as far as Prometheus sees them: they serve what `expositions` has, and go on from there."""

from __future__ import annotations

import math
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

FOLDER = Path(__file__).with_name("expositions")
_HOUR = 3600.0  # seconds of service in which the counters of the files came together
_TYPE = re.compile(r"# TYPE (\S+) (\S+)")


class Exporter(NamedTuple):
    """An exporter that is served.

    Attributes:
        name: of the file, and of the job by which Prometheus scrapes it.
        address: host and port, with its metrics at `/metrics`.
    """

    name: str
    address: str


def exposition(name: str, seconds: float) -> str:
    """What an exporter says some seconds after the state in its file: counters go on at the pace of their hour, gauges go up and down.

    Args:
        name: `vllm` or `dcgm`.
        seconds: since then. The pace is not steady: it goes up and down as well.
    """
    grown = 1 + (seconds + 25 * math.sin(seconds / 50) + 6 * math.sin(seconds / 13)) / _HOUR
    lines, kind = [], ""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if found := _TYPE.match(line):
            kind = found[2]
        if line.startswith("#"):
            lines.append(line)
            continue
        series, _, value = line.rpartition(" ")
        lines.append(f"{series} {float(value) * (_swing(series, seconds) if kind == 'gauge' else grown):.12g}")
    return "\n".join(lines) + "\n"


def _swing(series: str, seconds: float) -> float:
    """What a gauge is multiplied by at a time; each goes its own way."""
    phase = zlib.crc32(series.encode()) % 100
    return 1 + 0.09 * math.sin(seconds / 50 + phase / 90) + 0.05 * math.sin(seconds / 17 + phase)


@contextmanager
def exporters(*names: str) -> Iterator[list[Exporter]]:
    """Serve exporters on free ports of this machine, as long as the block lasts."""
    began = time.monotonic()

    def serving(name: str) -> type[BaseHTTPRequestHandler]:
        class Metrics(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exposition(name, time.monotonic() - began).encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Logs nothing."""

        return Metrics

    servers = {name: ThreadingHTTPServer(("127.0.0.1", 0), serving(name)) for name in names}
    for server in servers.values():
        Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield [Exporter(name, f"127.0.0.1:{server.server_address[1]}") for name, server in servers.items()]
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()
