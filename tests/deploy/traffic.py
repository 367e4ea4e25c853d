"""The seeded load of the demonstration, sent to a Collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import opentelemetry_instrumentation_genai

# What goes by the clock goes faster: nothing here waits for minutes.
QUICK = {
    # Longer than the longest request.
    "DECISION_WAIT": "10s",
    "METRICS_INTERVAL": "1s",
    # Thresholds that some of the load's requests pass.
    "SLOW_MS": "1500",
    "EXPENSIVE_USD": "0.0005",
    "SAMPLED_PERCENT": "25",
}
QUICK_FILES = {
    "scrape_interval: 15s": "scrape_interval: 1s",
    "evaluation_interval: 15s": "evaluation_interval: 1s",
    # Of groups of rules.
    "  interval: 5m": "  interval: 2s",
    "  interval: 1m": "  interval: 2s",
}
PRICES = Path(opentelemetry_instrumentation_genai.__file__).parent / "cli" / "demo" / "prices.json"
# Everything that the plugin can emit without content, by the names of both generations.
EVERYTHING = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental/dup",
    "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
    "OTEL_INSTRUMENTATION_GENAI_METRICS": "extended",
    "OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTES": "team,tenant",
    "OTEL_INSTRUMENTATION_GENAI_PRICES": f"file:{PRICES}",
}


def load(
    endpoint: str,
    report: Path,
    *,
    rate: float,
    seconds: float,
    seed: int = 7,
    faults: Sequence[str] = (),
    **environment: str,
) -> dict[str, Any]:
    """Make the traffic of a seed, and return what was sent.

    Args:
        endpoint: where its telemetry goes, by OTLP over HTTP.
        report: the file that the load writes.
        rate: requests in a second.
        seconds: how long.
        seed: which requests.
        faults: what goes wrong.
        environment: variables beside those of `EVERYTHING`.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    subprocess.run(
        [
            *(
                Path(sys.executable).with_name("opentelemetry-genai"),
                "demo",
                "--load",
                str(rate),
                "--for",
                f"{seconds:g}s",
            ),
            *("--seed", str(seed), "--report", report),
            *(word for fault in faults for word in ("--fault", fault)),
        ],
        env={
            **inherited,
            **EVERYTHING,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "NO_PROXY": "127.0.0.1",
            **environment,
        },
        check=True,
        timeout=seconds + 300,
        stdout=subprocess.DEVNULL,
    )
    return json.loads(report.read_text(encoding="utf-8"))
