"""A stack that several services send to, each by the names of one generation, and from which vLLM and a GPU are scraped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from stack import Stack

from asking import value
from exporters import Exporter, exporters
from traffic import load

INSTANCES = {"vllm": "vllm-0:8000", "dcgm": "gpu-node-1:9400"}


class Service(NamedTuple):
    """A service that makes the load.

    Attributes:
        name: its `service.name`.
        environment: its `deployment.environment.name`.
        generation: of the names, as `OTEL_SEMCONV_STABILITY_OPT_IN` has it; empty for v1.41.
        rate: requests in a second.
        seed: which requests.
        faults: what goes wrong with them.
    """

    name: str
    environment: str
    generation: str
    rate: float
    seed: int
    faults: tuple[str, ...] = ()


class Filled(NamedTuple):
    """A stack with the load of services.

    Attributes:
        stack: which runs.
        reports: service -> what it says that it sent.
        start: when the load began, in seconds since 1970.
        end: when all of it had arrived.
    """

    stack: Stack
    reports: Mapping[str, dict[str, Any]]
    start: float
    end: float


@contextmanager
def filled(
    folder: Path, services: list[Service], seconds: float, *, interval: int, environment: Mapping[str, str], **more: Any
) -> Iterator[Filled]:
    """Start a stack, send the load of services at the same time, and wait until it has arrived.

    Args:
        folder: for all files.
        services: which.
        seconds: how long they send.
        interval: the seconds between two exports of metrics, and between two scrapes.
        environment: of the Collector.
        more: for the stack.
    """
    with exporters(*INSTANCES) as served:
        intervals = {f"{kind}_interval: 15s": f"{kind}_interval: {interval}s" for kind in ("scrape", "evaluation")}
        replace = {**intervals, "scrape_configs:\n": "scrape_configs:\n" + "".join(map(_job, served))}
        with Stack(folder / "stack", environment=environment, replace=replace, **more) as stack:
            start = time.time()
            with ThreadPoolExecutor(len(services)) as at_once:
                sent = {one.name: at_once.submit(_send, stack, folder, one, seconds, interval) for one in services}
                reports = {name: future.result() for name, future in sent.items()}
            end = time.time()
            _wait(stack, interval)
            yield Filled(stack, reports, start, end)


def _wait(stack: Stack, interval: int) -> None:
    """Wait until nothing more arrives."""
    names = ("gen_ai_client_operation_duration_seconds_count", "gen_ai_client_inference_duration_seconds_count")
    counted = f"sum({' or '.join(names)})"
    last, now = -1.0, value(stack, counted)
    for _ in range(30):
        last = now
        time.sleep(2 * interval + 1)
        now = value(stack, counted)
        if now == last:
            return


def _job(exporter: Exporter) -> str:
    labels = f"{{instance: '{INSTANCES[exporter.name]}'}}"
    return (
        f"  - {{job_name: {exporter.name}, static_configs: [{{targets: ['{exporter.address}'], labels: {labels}}}]}}\n"
    )


def _send(stack: Stack, folder: Path, service: Service, seconds: float, interval: int) -> dict[str, Any]:
    return load(
        stack.otlp_http,
        folder / f"{service.name}.json",
        rate=service.rate,
        seconds=seconds,
        seed=service.seed,
        faults=service.faults,
        OTEL_SERVICE_NAME=service.name,
        OTEL_RESOURCE_ATTRIBUTES=f"deployment.environment.name={service.environment}",
        OTEL_SEMCONV_STABILITY_OPT_IN=service.generation,
        OTEL_METRIC_EXPORT_INTERVAL=str(interval * 1000),
        OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTES="team,tenant",
    )
