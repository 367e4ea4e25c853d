"""`opentelemetry-genai config`: all settings with their values, where these come from, and what they are for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .._conventions.sdks import INSTRUMENTED
from .examples import environment, yaml
from .settings import settings

if TYPE_CHECKING:
    from .settings import Setting

_NOTE = (
    "A keyword of instrument() in the application has precedence over these values; keywords cannot be seen from here. "
    "opentelemetry-genai config --example yaml (or env) prints a complete example."
)
_PIPED = 200  # columns where the output is no terminal


@click.command(name="config")
@click.option(
    "--for",
    "sdk",
    type=click.Choice(INSTRUMENTED),
    help="The settings of one SDK, which its own section of the declarative file may change.",
)
@click.option(
    "--example",
    type=click.Choice(["yaml", "env"]),
    help="Print a complete example: a declarative file, or environment variables.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
def command(sdk: str | None, example: str | None, *, as_json: bool) -> None:
    """Show all settings: value, where it comes from, and meaning. Secrets are not shown."""
    if example is not None:
        click.echo(yaml() if example == "yaml" else environment(), nl=False)
        return
    rows = settings(sdk or "")
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    console.print(_table(rows))
    console.print(Text(_NOTE, "dim"), soft_wrap=not console.is_terminal)


def _table(rows: list[Setting]) -> Table:
    table = Table("setting", "value", "from, and meaning", box=None, pad_edge=False)
    for row in rows:
        is_set = row.source != "default"
        what = Text(f"{row.source}. ", "bold" if is_set else "dim")
        if row.problem:
            what.append(f"{row.problem}. ", "bold red")
        what.append(row.meaning, "not bold not dim")
        table.add_row(Text(row.name, "bold" if is_set else ""), Text(row.value, overflow="fold"), what)
    return table
