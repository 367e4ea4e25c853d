"""`opentelemetry-genai view`: the servers, what the terminal has of them, and their end."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import webbrowser
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from .schema import NoStoreError
from .serving import Port, PortInUseError, Ports, Serving
from .store import Store, is_searchable

if TYPE_CHECKING:
    from collections.abc import Generator

_PORT: Final = click.IntRange(0, 65535)


@click.command("view")
@click.option("--open", "is_opened", is_flag=True, help="Open the page in a browser.")
@click.option("--port", type=_PORT, default=8765, show_default=True, help="Port of the page; 0 for a free one.")
@click.option("--otlp-http-port", type=_PORT, default=4318, show_default=True, help="Port for OTLP over HTTP.")
@click.option("--otlp-grpc-port", type=_PORT, default=4317, show_default=True, help="Port for OTLP over gRPC.")
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps what is received. Without it, a temporary file is removed at the end.",
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Spans and log records that are kept; the oldest traces are dropped first.",
)
@click.option(
    "--keep-mb", type=click.IntRange(1), default=1024, show_default=True, help="Megabytes of them that are kept."
)
def command(**options: Any) -> None:
    """Show the traces of applications in the browser, while they run.

    It listens on 127.0.0.1 alone for OTLP over HTTP and gRPC. Nothing leaves this machine, and the address of the page has a token
    without which other users of the machine get nothing.
    """
    if not is_searchable():
        raise click.ClickException("The SQLite of this Python cannot search in texts (FTS5): use another Python.")
    try:
        with _stored(options) as store:
            _serve(store, _ports(click.get_current_context()), is_opened=options["is_opened"])
    except (NoStoreError, PortInUseError) as error:
        raise click.ClickException(str(error)) from error


def _serve(store: Store, ports: Ports, *, is_opened: bool) -> None:
    serving = Serving(store, ports)
    # They let it end by itself, which removes the temporary file: an exception would strike wherever it runs.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: serving.stop())
    _introduce(serving)
    with _opened(serving.url) if is_opened else nullcontext():
        serving.run()
    click.echo("\nStopped.")


def _introduce(serving: Serving) -> None:
    for note in serving.notes:
        click.echo(note, err=True)
    click.echo(f"Traces are shown at {serving.url}\n")
    click.echo("An application exports to it with")
    for name, value in serving.environment.items():
        click.echo(f"  export {name}={value}")
    click.echo(f"\nThe last line records messages. OTLP over gRPC: http://127.0.0.1:{serving.grpc}")
    click.echo("Stop with Ctrl+C.")


@contextmanager
def _opened(url: str) -> Generator[None, None, None]:
    """Open a page in a browser, by way of a file that is there as long as the command runs."""
    with tempfile.TemporaryDirectory(prefix="opentelemetry-genai-") as folder:
        if not _is_opened(_leading_to(url, Path(folder))):
            click.echo("There is no browser to open: open the address above in one.", err=True)
        yield


def _leading_to(url: str, folder: Path) -> str:
    """Return the address of a file that leads to a page: arguments of a browser can be read by all users, the file by its owner alone."""
    file = folder / "open.html"
    text = f'<!doctype html><title>Traces</title><meta http-equiv="refresh" content="0; url={url}"><a href="{url}">Traces</a>'
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as written:
        written.write(text)
    return file.as_uri()


def _is_opened(url: str) -> bool:
    """Open a browser; never one that takes over the terminal, and none where there is no terminal."""
    if not sys.stdout.isatty():
        return False
    try:
        browser = webbrowser.get()
        return type(browser) is not webbrowser.GenericBrowser and browser.open(url)
    except webbrowser.Error:
        return False


@contextmanager
def _stored(options: dict[str, Any]) -> Generator[Store, None, None]:
    bounds = {"keep": options["keep"], "keep_bytes": options["keep_mb"] * 1024 * 1024}
    folder = None if options["db"] else tempfile.mkdtemp(prefix="opentelemetry-genai-")
    path = options["db"] or Path(str(folder)) / "view.db"
    try:
        store = Store(path, lasting=folder is None, **bounds)
        try:
            yield store
        finally:
            store.close()
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _ports(context: click.Context) -> Ports:
    return Ports(
        page=_port(context, "the page", "port"),
        http=_port(context, "OTLP over HTTP", "otlp_http_port"),
        grpc=_port(context, "OTLP over gRPC", "otlp_grpc_port"),
    )


def _port(context: click.Context, purpose: str, name: str) -> Port:
    is_demanded = context.get_parameter_source(name) is not ParameterSource.DEFAULT
    return Port(purpose, context.params[name], f"--{name.replace('_', '-')}", is_demanded)
