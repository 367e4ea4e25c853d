"""The programs that run and check what is in `deploy`, built from Go modules of pinned versions.

`go/NAME/go.mod` and `go.sum` say which versions; a program is built once for what these say, into a cache outside the tree:
`GENAI_OPERATIONS`, else `opentelemetry-genai/operations` in `$XDG_CACHE_HOME` or `~/.cache`. `python deploy/local/tools.py`
builds those that are not there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MODULES = Path(__file__).with_name("go")
CACHE = "GENAI_OPERATIONS"
_MINUTES = 30  # that one build may take at most


class MissingToolError(RuntimeError):
    """A program is not there and cannot be built; the message is a sentence that says why, and what to do."""


class Source(NamedTuple):
    """What one build makes.

    Attributes:
        module: its folder in `go`.
        programs: the packages of the programs; `.` for the one in the folder. A single one has the name of the module.
        takes: how long it takes if nothing is cached, in words.
        tags: what is left out of the programs.
    """

    module: str
    programs: Sequence[str]
    takes: str
    tags: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the programs."""
        return [self.module] if len(self.programs) == 1 else [program.rpartition("/")[2] for program in self.programs]

    @property
    def version(self) -> str:
        """What the programs are made from and how, as a short digest."""
        digest = hashlib.sha256(repr((self.programs, self.tags, _OPTIONS)).encode())
        for file in sorted((MODULES / self.module).iterdir()):
            digest.update(file.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def folder(self) -> Path:
        """Where the programs are when they are built."""
        return cache() / f"{self.module}-{self.version}"


_OPTIONS = ("-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags=-s -w")
_PROMETHEUS = "github.com/prometheus/prometheus/cmd"
_ALERTMANAGER = "github.com/prometheus/alertmanager/cmd"
SOURCES = (
    Source("otelcol", ["."], "4 minutes"),
    Source(
        "prometheus",
        [f"{_PROMETHEUS}/prometheus", f"{_PROMETHEUS}/promtool"],
        "3 minutes",
        # Of the ways to find what is scraped, those of clouds are most of the program.
        tags="remove_all_sd,enable_static_sd,enable_file_sd",
    ),
    Source("alertmanager", [f"{_ALERTMANAGER}/alertmanager", f"{_ALERTMANAGER}/amtool"], "1 minute"),
    Source("jaeger", ["github.com/jaegertracing/jaeger/cmd/jaeger"], "5 minutes"),
    Source("helm", ["helm.sh/helm/v3/cmd/helm"], "2 minutes"),
    Source("kustomize", ["sigs.k8s.io/kustomize/kustomize/v5"], "20 seconds"),
    # The library that Docker Compose reads its files with.
    Source("compose-spec", ["."], "20 seconds"),
    # The types of the Prometheus Operator.
    Source("monitoring-kinds", ["."], "20 seconds"),
)
NAMES = tuple(name for source in SOURCES for name in source.names)
"""The programs that there are."""


def cache() -> Path:
    """Return the folder of what is built."""
    named = os.environ.get(CACHE)
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "opentelemetry-genai" / "operations"


def tool(name: str) -> Path:
    """Return the path of a program, which is built first if it is not there.

    Args:
        name: one of `NAMES`.

    Raises:
        MissingToolError: there is none of that name, or it cannot be built.
    """
    source = next((source for source in SOURCES if name in source.names), None)
    if source is None:
        raise MissingToolError(f"There is no tool {name!r}; there are {', '.join(NAMES)}.")
    path = source.folder / name
    if not path.is_file():
        _build(source)
    return path


def missing() -> list[Source]:
    """Return what is not built yet."""
    return [source for source in SOURCES if not all((source.folder / name).is_file() for name in source.names)]


def _build(source: Source) -> None:
    """Build the programs of a module, and show how long it takes."""
    go = shutil.which("go")
    if go is None:
        raise MissingToolError(
            f"{' and '.join(source.names)} cannot be built: there is no Go here. Install Go 1.26 or newer from https://go.dev/dl/ "
            f"(on Debian: apt install golang), or set {CACHE} to a folder in which they are built already."
        )
    made = source.folder.with_name(f"{source.folder.name}.{os.getpid()}")
    made.mkdir(parents=True, exist_ok=True)
    log = made.with_suffix(".log")
    # One name is that of the file, several go into the folder.
    target = str(made / source.names[0]) if len(source.names) == 1 else f"{made}{os.sep}"
    tags = ["-tags", source.tags] if source.tags else []
    words = [go, "build", "-C", str(MODULES / source.module), *_OPTIONS, *tags, "-o", target, *source.programs]
    # What the environment of the caller asks of Go could change what is built.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    try:
        with (
            log.open("wb") as output,
            subprocess.Popen(words, stdout=output, stderr=output, env=environment) as process,
        ):
            _wait(process, source)
        if process.returncode:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise MissingToolError(
                f"{' and '.join(source.names)} cannot be built: {' '.join(last) or 'go says nothing'}"
            )
        shutil.rmtree(source.folder, ignore_errors=True)
        made.replace(source.folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        log.unlink(missing_ok=True)


def _wait(process: subprocess.Popen[bytes], source: Source) -> None:
    """Wait for the end of a build; a line says how long it has taken so far."""
    began = time.monotonic()
    for line in _lines(source):
        seconds = time.monotonic() - began
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{line} {seconds:.0f} s ")
        elif round(seconds) % 30 == 0:
            sys.stderr.write(f"{line} {seconds:.0f} s\n")
        sys.stderr.flush()
        try:
            process.wait(1)
            break
        except subprocess.TimeoutExpired:
            if seconds > _MINUTES * 60:
                process.kill()
    sys.stderr.write("\n" if sys.stderr.isatty() else "")


def _lines(source: Source) -> Iterator[str]:
    """Yield the line that shows a build, as often as it is wanted."""
    left = missing()
    at = f"{len(SOURCES) - len(left) + 1} of {len(SOURCES)}"
    while True:
        yield f"Building {' and '.join(source.names)} ({at}; the first time about {source.takes}) …"


def main(names: Sequence[str]) -> int:
    """Build what is named, or all, and print where each is; return the exit status."""
    try:
        for name in names or NAMES:
            print(f"{name:<13} {tool(name)}")
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
