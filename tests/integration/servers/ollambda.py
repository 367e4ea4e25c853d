"""Ollambda, which speaks Ollama's API in front of a llama-server."""

from __future__ import annotations

from pathlib import Path

from servers.base import PythonServer
from servers.running import HOST, Running, free_port


class Ollambda(PythonServer):
    """It answers the streamed chats of Ollama's SDK, with tools; Ollama itself is in no package index."""

    name = "ollambda"
    takes = "15 s, 70 MB, Python 3.13 or 3.14"
    # Its server of HTTP needs `packaging`, and does not say so.
    requirements = ("ollambda==0.3.4", "packaging")
    pythons = ("python3.13", "python3.14")

    def start(self, log: Path, upstream_port: int) -> Running:
        """Serves what the llama-server on a port of this machine does."""
        port = free_port()
        environment = {
            "OLLAMBDA_HOST": HOST,
            "OLLAMBDA_PORT": str(port),
            "OLLAMBDA_PROXY_IP": HOST,
            "OLLAMBDA_PROXY_PORT": str(upstream_port),
            "OLLAMBDA_STORAGE_DIR": str(log.parent),
        }
        return Running([self.bin / "ollambda"], port, "/api/version", log, environment=environment, seconds=60)
