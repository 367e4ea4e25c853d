"""`python deploy/local`: Collector, Prometheus, Jaeger and Alertmanager on this machine without containers, a demo load, and what to open."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from process import NotRunningError, free_ports, is_taken
from stack import PORTS, Stack
from tools import MissingToolError, missing, tool

if TYPE_CHECKING:
    from collections.abc import Sequence

# As a user would set them: without content, with costs if the prices are there.
_LOAD = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRIC_EXPORT_INTERVAL": "5000",
    "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
    "OTEL_INSTRUMENTATION_GENAI_METRICS": "extended",
    "OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTES": "team,tenant",
}
_NEEDED = ("otelcol", "prometheus", "jaeger", "alertmanager")


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python deploy/local", description=__doc__)
    parser.add_argument("--load", type=float, default=5.0, metavar="RATE", help="requests in a second; 0 for none (5)")
    parser.add_argument(
        "--for", dest="duration", default="10m", metavar="DURATION", help="how long the load goes on (10m)"
    )
    parser.add_argument("--seed", type=int, default=7, help="which requests (7)")
    parser.add_argument("--free-ports", action="store_true", help="take ports that are free, not the usual ones")
    parser.add_argument("--folder", type=Path, help="where data and logs are kept; a temporary folder without it")
    return parser.parse_args(words)


def _ports(*, free: bool) -> dict[str, int]:
    """Return the ports to take: any that are free, or the usual ones.

    Raises:
        NotRunningError: something listens on one of the usual ones.
    """
    if free:
        return dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    taken = [f"{port} ({name.replace('_', ' ')})" for name, port in PORTS.items() if is_taken(port)]
    if taken:
        raise NotRunningError(
            f"Something listens on port {', '.join(taken)} already: stop it, or start this with --free-ports. "
            "`ss -ltnp` shows what it is."
        )
    return PORTS


def _command() -> str:
    """Return the path of the command that makes the load.

    Raises:
        MissingToolError: it is not installed.
    """
    found = shutil.which("opentelemetry-genai", path=str(Path(sys.executable).parent))
    if found is None:
        raise MissingToolError(
            f"opentelemetry-genai is not installed beside {sys.executable}: pip install "
            "'opentelemetry-instrumentation-genai[cli,openai]', or start this with --load 0 and send telemetry of your own."
        )
    return found


def _show(stack: Stack, load: float) -> None:
    """Say what there is, and what to open."""
    print(
        f"""
Running, until Ctrl-C. Data and logs are in {stack.folder}.

  Send to     {stack.otlp_http} (http/protobuf) or {stack.otlp_grpc} (grpc)
  Prometheus  {stack.prometheus}/api/v1/query?query=sum(gen_ai_client_operation_duration_seconds_count)
  rules       {stack.prometheus}/api/v1/rules
  Jaeger      {stack.jaeger}/api/services and {stack.jaeger}/api/traces?service=weekend-planner&limit=20
  alerts      {stack.alertmanager}/#/alerts
  Collector   {stack.collector_metrics}
  log records {stack.folder / "logs.jsonl"}

Prometheus and Jaeger have no pages here, which are no part of their Go modules: the addresses answer JSON. The boards want a Grafana
whose Prometheus is {stack.prometheus}; deploy/README.md has one in containers.

An application of yours sends here with

  OTEL_EXPORTER_OTLP_ENDPOINT={stack.otlp_http} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf opentelemetry-instrument python app.py
""",
        flush=True,
    )
    if load:
        print(
            "The demo load runs. Traces are there 30 s after they began, when the Collector has decided which to keep.",
            flush=True,
        )


def _run(stack: Stack, options: argparse.Namespace, ended: threading.Event) -> None:
    """Make the load, if there is to be one, and wait for the end; what ends by itself is an error."""
    load = None
    if options.load:
        words = [
            _command(),
            "demo",
            "--load",
            str(options.load),
            "--for",
            options.duration,
            "--seed",
            str(options.seed),
        ]
        prices = "file:" + str(_prices())
        environment = {
            **_LOAD,
            "OTEL_INSTRUMENTATION_GENAI_PRICES": prices,
            "OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http,
        }
        # A group of its own: Ctrl-C is for this program, which ends the other.
        load = subprocess.Popen(words, env={**os.environ, **environment}, start_new_session=True)
    try:
        while not ended.wait(1):
            for name in ("collector", "prometheus", "jaeger", "alertmanager"):
                stack.process(name).pid  # noqa: B018 - it raises if the process has ended
            if load is not None and load.poll():
                raise NotRunningError(f"The load ended with status {load.returncode}.")
    finally:
        if load is not None and load.poll() is None:
            load.terminate()
            load.wait(20)


def _prices() -> Path:
    """Return the prices of the demonstration's models."""
    import opentelemetry_instrumentation_genai

    return Path(opentelemetry_instrumentation_genai.__file__).parent / "cli" / "demo" / "prices.json"


def main(words: Sequence[str]) -> int:
    """Run it; return the exit status."""
    options = _arguments(words)
    ended = threading.Event()
    try:
        if options.load:
            _command()
        if any(name in _NEEDED for source in missing() for name in source.names):
            print("The programs are built first, once; Ctrl-C ends it.", file=sys.stderr)
        for name in _NEEDED:
            tool(name)
        ports = _ports(free=options.free_ports)
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: ended.set())
        with Stack(options.folder, ports=ports) as stack:
            _show(stack, options.load)
            _run(stack, options, ended)
    except KeyboardInterrupt:
        return 130
    except (MissingToolError, NotRunningError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
