"""`opentelemetry-genai demo`: what the instrumentation records of programs with several SDKs, without a key and without a network."""

from __future__ import annotations

import sys

import click


@click.command("demo", short_help="Show what is recorded, with programs and a model server on this machine.")
@click.option("--serve", is_flag=True, help="Run the model server alone, for an application of your own.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8085,
    show_default=True,
    help="The port of --serve; 0 for any that is free.",
)
def command(serve: bool, port: int) -> None:
    """Run programs under opentelemetry-instrument, and show what is recorded of their calls.

    They call a model server on this machine: nothing leaves it, and no key is needed.
    """
    if serve:
        from .serving import serve_model

        serve_model(port)
        return
    from .demonstration import demonstrate

    sys.exit(demonstrate())
