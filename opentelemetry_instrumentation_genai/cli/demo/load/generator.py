"""`opentelemetry-genai demo --load`: a model server here, and traffic to it. The telemetry goes to the user's endpoint."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from ...run.process import run_to_its_end
from ..environment import PRICES, addresses
from ..parts import NEEDED, find_parts
from ..server.loopback import serve
from ..server.model_server import model_server
from ..server.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

# What boards and alerts are made of. The users are made up: their ids are no secret.
_DEFAULTS = {
    "OTEL_SERVICE_NAME": "weekend-planner",
    "OTEL_INSTRUMENTATION_GENAI_USER_ID": "raw",
    "OTEL_INSTRUMENTATION_GENAI_METRICS": "extended",
    "OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTES": "team,tenant",
    "OTEL_INSTRUMENTATION_GENAI_PRICES": f"file:{PRICES}",
}
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def generate(rate: float, seconds: float, seed: int, report: Path | None, faults: Sequence[str] = ()) -> int:
    """Make the traffic, and return the exit status.

    Args:
        rate: requests in a second, on average.
        seconds: how long requests are sent.
        seed: which requests.
        report: where to write what was sent; None for nowhere.
        faults: what goes wrong with more of them than usually.

    Raises:
        ClickException: there is no SDK, or no endpoint.
    """
    sdks = [sdk.extra for sdk in find_parts().shown if sdk.extra in NEEDED]
    if not sdks:
        raise click.ClickException(f"Traffic needs one of the SDKs {', '.join(NEEDED)}.")
    if not os.environ.get(_ENDPOINT):
        raise click.ClickException(
            f"{_ENDPOINT} is not set: it names where the telemetry goes, such as http://localhost:4318, then with "
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf."
        )
    instrument = shutil.which("opentelemetry-instrument", path=str(Path(sys.executable).parent))
    if instrument is None:
        raise click.ClickException(f"opentelemetry-instrument is not installed beside {sys.executable}.")
    with TemporaryDirectory(prefix="opentelemetry-genai-") as folder, serve(model_server(Tally())) as model:
        path = Path(folder) / "report.json"
        click.echo(
            f"{rate:g} requests in a second for {seconds:g} s, by {', '.join(sdks)}; the telemetry goes to {os.environ[_ENDPOINT]}"
        )
        words = [str(rate), str(seconds), str(seed), str(path), ",".join(faults), *sdks]
        status = run_to_its_end(
            [instrument, sys.executable, "-m", f"{__package__}.traffic", *words],
            {**_DEFAULTS, **os.environ, **addresses(model)},
        )
        _show(path)
        if report is not None and path.is_file():
            shutil.copyfile(path, report)
    return status


def _show(path: Path) -> None:
    """Show what the report counts."""
    if not path.is_file():
        return
    counts = json.loads(path.read_text(encoding="utf-8"))
    errors = ", ".join(f"{kind} {count:,}" for kind, count in counts["errors"].items()) or "none"
    tokens = ", ".join(f"{kind} {count:,}" for kind, count in counts["tokens"].items()) or "none"
    click.echo(f"{counts['requests']:,} requests; errors: {errors}; tokens: {tokens}")
