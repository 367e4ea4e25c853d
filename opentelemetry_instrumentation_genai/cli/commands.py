"""The commands by name. Each is imported when it is used, so that one does not need what another needs."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, cast

import click

from .._conventions.scope import __version__


class _Row(NamedTuple):
    module: str
    summary: str


_COMMANDS: dict[str, _Row] = {
    "demo": _Row(".demo.command", "Show what is recorded, with programs and a model server on this machine."),
    "run": _Row(".run", "Run an application, and show its conversations in the terminal."),
    "doctor": _Row(
        ".doctor.command", "Look at what would be recorded here, where it would go, and why if nothing arrives."
    ),
    "config": _Row(".config", "Show all settings: value, where it comes from, and meaning."),
    "view": _Row(".view.command", "Show the traces of applications in the browser, while they run."),
}
"""Name -> the module below this package with its `command`, and what the list of commands has beside its name."""


class _Commands(click.Group):
    """A group of commands that are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        row = _COMMANDS.get(cmd_name)
        return None if row is None else cast("click.Command", import_module(row.module, __package__).command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries, without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.summary) for name, row in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """OpenTelemetry for GenAI SDKs: see what is recorded, in the terminal and in the browser, and why if nothing is."""
