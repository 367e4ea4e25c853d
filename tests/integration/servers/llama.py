"""llama.cpp's `llama-server`: the one on PATH, else Debian sid's, with its own C library, so that it runs on older releases."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from servers import debian, model
from servers.base import Server
from servers.running import HOST, Running, free_port


class Llama(Server):
    """The server that most of the suite talks to: it starts in less than a second."""

    name = "llama"
    takes = "10 s, 12 MB, and Debian's apt; a llama-server on PATH does as well"

    def installed(self) -> bool:
        """Unpacked, or on PATH."""
        return bool(shutil.which("llama-server")) or (self.folder / "installed").exists()

    def install(self) -> None:
        """Unpacks Debian's."""
        if not debian.available():
            raise FileNotFoundError("This is no Debian: put a llama-server of llama.cpp on PATH.")
        # What asks questions, and what fetches models, is not needed.
        debian.unpack("llama.cpp-tools", "sid", self.folder, {"debconf", "cdebconf", "curl", "wget"})
        (self.folder / "installed").touch()

    def start(self, log: Path, *arguments: str) -> Running:
        """Serves the tiny model, for embeddings too, with its metrics; `arguments` come to those of the program."""
        port = free_port()
        program, environment = self._program()
        command = [
            *program,
            "--model",
            model.GGUF,
            "--alias",
            model.NAME,
            "--host",
            HOST,
            "--port",
            str(port),
            "--offline",
        ]
        command += ["--jinja", "--ctx-size", "4096", "--parallel", "2", "--threads", "2", "--metrics"]
        command += ["--embeddings", "--pooling", "mean", *arguments]
        return Running(command, port, "/health", log, environment=environment)

    def _program(self) -> tuple[list[str | Path], dict[str, str]]:
        """How it is called, and the variables that it needs."""
        if not (self.folder / "installed").exists():
            return [shutil.which("llama-server") or "llama-server"], {}
        root = self.folder / "root"
        (libraries,) = root.glob("usr/lib/*-linux-gnu")
        (loader,) = libraries.glob("ld-linux-*.so.*")
        path = os.pathsep.join(map(str, (libraries, libraries / "llama")))
        # Its folder of backends is compiled in; of those unpacked, the one that runs on every processor in use.
        backends = sorted(libraries.glob("ggml/*/libggml-cpu-*.so"))
        chosen = next((backend for backend in backends if "sse42" in backend.name), backends[0])
        command: list[str | Path] = [loader, "--library-path", path, root / "usr/bin/llama-server"]
        return command, {"GGML_BACKEND_PATH": str(chosen)}
