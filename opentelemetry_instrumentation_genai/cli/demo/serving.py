"""The model server alone, for any SDK."""

from __future__ import annotations

import errno
import signal
import socket
import sys

import click
import uvicorn

from .environment import addresses
from .server.model_server import model_server
from .server.tally import Tally

_ADVICE = """
It has every model, but for those with `missing` in their name; gpt-4o-mini is busy at the first try of a call (429).
An answer takes 80 ms until it begins, and 20 ms for each piece of a stream. Of the tools, those are called, once,
that have a word of the question in their name, or else the first. Ctrl-C ends it.

  opentelemetry-genai run --content -- python app.py
"""


def serve_model(port: int) -> None:
    """Serve the model server on a port of this machine until it is interrupted.

    Args:
        port: the port; 0 for any that is free.
    """
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"Port {port} is in use: choose another with --port, or --port 0 for any."
            ) from None
        raise click.ClickException(f"Port {port} cannot be used: {error.strerror}.") from None
    _serve(listener)


def _serve(listener: socket.socket) -> None:
    app = model_server(Tally(any_model=True))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    # Before anyone is asked to type Ctrl-C: an exception would strike while the server starts.
    signal.signal(signal.SIGINT, server.handle_exit)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    click.echo(f"A model server that speaks the APIs of OpenAI, Anthropic, Ollama and others, on {url}\n")
    for name, value in addresses(url).items():
        click.echo(f"  export {name}={value}")
    click.echo(_ADVICE)
    sys.stdout.flush()
    server.run(sockets=[listener])
