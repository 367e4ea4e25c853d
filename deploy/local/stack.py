"""Collector, Prometheus, Jaeger and Alertmanager together on loopback, with the files of `deploy`."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from process import HOST, Process, free_ports
from tools import tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

DEPLOY = Path(__file__).parents[1]
COLLECTOR = (DEPLOY / "collector" / "all.yaml", Path(__file__).with_name("collector.yaml"))
"""The Collector's files: everything, and what is different without containers."""
PORTS = {
    "otlp_grpc": 4317,
    "otlp_http": 4318,
    "collector_metrics": 8888,
    "exposition": 8889,
    "health": 13133,
    "prometheus": 9090,
    "alertmanager": 9093,
    "jaeger": 16686,
    "jaeger_otlp": 14317,
    "jaeger_grpc": 16685,
}
"""The ports that the files of `deploy` name."""
# Where the files name an address of this stack, by the name of a container or on this machine.
_ADDRESS = re.compile(r"\b(?:localhost|127\.0\.0\.1|collector|prometheus|alertmanager|jaeger):(\d{4,5})\b")


class Stack:
    """All four, from `with` to its end.

    The files of Prometheus and Alertmanager are copied into the folder, with the addresses of this stack in place of those that
    they name; the Collector and Jaeger read the files of `deploy`, with addresses by environment variables.

    Attributes:
        folder: everything that they write: data, logs, and the copies of their files.
        ports: the port of each name in `PORTS`.

    Args:
        folder: where; None for a temporary one, which is removed at the end.
        collector: the Collector's files, of which later ones win.
        environment: variables of the Collector beside the addresses, such as DECISION_WAIT.
        ports: the ports; None for any that are free.
        replace: text in the files of Prometheus and Alertmanager, and what stands there instead, such as the URL of a webhook.
        files: files of Prometheus and Alertmanager in the place of those in `deploy`: path there, such as `prometheus/alerts.yaml` -> text.
        without: what is not started, of `collector`, `prometheus`, `jaeger` and `alertmanager`.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        collector: Sequence[Path] = COLLECTOR,
        environment: Mapping[str, str] | None = None,
        ports: Mapping[str, int] | None = None,
        replace: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
    ) -> None:
        self.ports = dict(ports or zip(PORTS, free_ports(len(PORTS)), strict=True))
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="genai-operations-")
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self._files, self._environment, self._replace = collector, environment or {}, replace or {}
        self._others = files or {}
        makers = {
            "prometheus": self._make_prometheus,
            "jaeger": self._make_jaeger,
            "alertmanager": self._make_alertmanager,
            "collector": self._make_collector,
        }
        self._makers = {name: make for name, make in makers.items() if name not in without}
        self._processes: dict[str, Process] = {}

    @property
    def otlp_grpc(self) -> str:
        """Where the Collector takes OTLP over gRPC."""
        return self._url("otlp_grpc")

    @property
    def otlp_http(self) -> str:
        """Where the Collector takes OTLP over HTTP."""
        return self._url("otlp_http")

    @property
    def prometheus(self) -> str:
        """The URL of Prometheus."""
        return self._url("prometheus")

    @property
    def jaeger(self) -> str:
        """The URL of Jaeger, for questions."""
        return self._url("jaeger")

    @property
    def alertmanager(self) -> str:
        """The URL of Alertmanager."""
        return self._url("alertmanager")

    @property
    def exposition(self) -> str:
        """The URL of what the Collector exposes of the metrics that it has got."""
        return f"{self._url('exposition')}/metrics"

    @property
    def collector_metrics(self) -> str:
        """The URL of the Collector's own metrics."""
        return f"{self._url('collector_metrics')}/metrics"

    def process(self, name: str) -> Process:
        """Return one of the programs, such as to stop it and to start it again.

        Args:
            name: `collector`, `prometheus`, `jaeger` or `alertmanager`.
        """
        return self._processes[name]

    def __enter__(self) -> Self:
        """Start all.

        Raises:
            MissingToolError: one of them is not there.
            NotRunningError: one of them does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for name, make in self._makers.items():
                self._processes[name] = make()
                self._processes[name].start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        self.stop()

    def stop(self) -> None:
        """Stop all, those that send first."""
        for process in reversed(self._processes.values()):
            process.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    def addresses(self) -> dict[str, str]:
        """Return the variables by which the files of the Collector and of Jaeger find each other."""
        ports = self.ports
        return {
            "LISTEN": HOST,
            "OTLP_GRPC_PORT": str(ports["otlp_grpc"]),
            "OTLP_HTTP_PORT": str(ports["otlp_http"]),
            "METRICS_PORT": str(ports["collector_metrics"]),
            "EXPOSITION_PORT": str(ports["exposition"]),
            "HEALTH_PORT": str(ports["health"]),
            "JAEGER_QUERY_PORT": str(ports["jaeger"]),
            "JAEGER_GRPC_PORT": str(ports["jaeger_grpc"]),
            "JAEGER_OTLP_PORT": str(ports["jaeger_otlp"]),
            "PROMETHEUS_URL": self.prometheus,
            "TRACES_ENDPOINT": f"{HOST}:{ports['jaeger_otlp']}",
            "OUT": str(self.folder),
        }

    def _url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def _copy(self, name: str) -> Path:
        """Copy a folder of `deploy`, with the addresses of this stack; return the copy."""
        copy = self.folder / name
        shutil.copytree(DEPLOY / name, copy, dirs_exist_ok=True)
        for file in copy.rglob("*.yaml"):
            text = self._others.get(f"{name}/{file.name}", file.read_text(encoding="utf-8"))
            text = _ADDRESS.sub(self._here, text)
            for old, new in self._replace.items():
                text = text.replace(old, new)
            file.write_text(text, encoding="utf-8")
        return copy

    def _here(self, match: re.Match[str]) -> str:
        names = {str(port): name for name, port in PORTS.items()}
        name = names.get(match[1])
        return f"{HOST}:{self.ports[name]}" if name else match[0]

    def _make_prometheus(self) -> Process:
        words = [
            tool("prometheus"),
            f"--config.file={self._copy('prometheus') / 'prometheus.yaml'}",
            f"--storage.tsdb.path={self.folder / 'prometheus-data'}",
            f"--web.listen-address={HOST}:{self.ports['prometheus']}",
            "--web.enable-otlp-receiver",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
            "--enable-feature=exemplar-storage",
        ]
        return self._made("prometheus", words, f"{self.prometheus}/-/ready")

    def _make_jaeger(self) -> Process:
        words = [tool("jaeger"), "--config", DEPLOY / "jaeger" / "jaeger.yaml"]
        return self._made("jaeger", words, f"{self.jaeger}/api/services", self.addresses())

    def _make_alertmanager(self) -> Process:
        words = [
            tool("alertmanager"),
            f"--config.file={self._copy('alertmanager') / 'alertmanager.yaml'}",
            f"--storage.path={self.folder / 'alertmanager-data'}",
            f"--web.listen-address={HOST}:{self.ports['alertmanager']}",
            # It is the only one.
            "--cluster.listen-address=",
        ]
        return self._made("alertmanager", words, f"{self.alertmanager}/-/ready")

    def _make_collector(self) -> Process:
        words: list[str | Path] = [tool("otelcol")]
        for file in self._files:
            words += ["--config", Path(file).absolute()]
        return self._made("collector", words, self._url("health"), {**self.addresses(), **self._environment})

    def _made(
        self, name: str, words: Sequence[str | Path], ready: str, environment: Mapping[str, str] | None = None
    ) -> Process:
        return Process(name, words, self.folder / f"{name}.log", ready, environment=environment)
