"""`opentelemetry-genai demo`: what the instrumentation records of programs with several SDKs, without a key and without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .load.duration import seconds_of
from .load.faults import FAULTS


@click.command("demo", short_help="Show what is recorded, with programs and a model server on this machine.")
@click.option("--serve", is_flag=True, help="Run the model server alone, for an application of your own.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8085,
    show_default=True,
    help="The port of --serve; 0 for any that is free.",
)
@click.option(
    "--load", type=click.FloatRange(0, min_open=True), metavar="RATE", help="Make so many requests in a second."
)
@click.option(
    "--for",
    "seconds",
    callback=seconds_of,
    metavar="DURATION",
    default="1m",
    show_default=True,
    help="How long --load makes them.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Which requests --load makes.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Where --load writes what was sent, as JSON."
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=click.Choice([*FAULTS]),
    help="What goes wrong with --load; may be given several times.",
)
def command(
    *,
    serve: bool,
    port: int,
    load: float | None,
    seconds: float,
    seed: int,
    report: Path | None,
    faults: tuple[str, ...],
) -> None:
    """Run programs under opentelemetry-instrument, and show what is recorded of their calls.

    They call a model server on this machine: nothing leaves it, and no key is needed. With --load, there is traffic of models, tenants,
    latencies, errors, rate limits, truncations and cache hits instead, and its telemetry goes to OTEL_EXPORTER_OTLP_ENDPOINT.
    """
    if serve:
        from .serving import serve_model

        serve_model(port)
        return
    if load is not None:
        from .load.generator import generate

        sys.exit(generate(load, seconds, seed, report, faults))
    from .demonstration import demonstrate

    sys.exit(demonstrate())
