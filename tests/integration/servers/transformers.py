"""`transformers serve`, the model server within Hugging Face's library."""

from __future__ import annotations

from pathlib import Path

from servers import model
from servers.base import PythonServer
from servers.running import HOST, Running, free_port


class Transformers(PythonServer):
    """It speaks a dialect of its own: a response that nobody asked to stream comes as a stream."""

    name = "transformers"
    takes = "2 minutes, 1.2 GB, Python 3.10 to 3.12; starts in 10 s"
    requirements = ("transformers[serving]==5.23.0", "torch==2.13.0", "accelerate", "gguf")
    pythons = ("python3.11", "python3.12", "python3.10")

    def start(self, log: Path) -> Running:
        """Serves the tiny model, by the name of the folder that it is in."""
        port = free_port()
        model.directory(self.bin / "python", log.parent / model.NAME)
        command = [self.bin / "transformers", "serve", model.NAME, "--host", HOST, "--port", str(port)]
        return Running([*command, "--device", "cpu"], port, "/health", log, seconds=120)
