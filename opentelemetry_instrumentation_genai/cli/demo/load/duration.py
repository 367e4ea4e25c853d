"""A duration on the command line."""

from __future__ import annotations

import re

import click

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds_of(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Return the seconds of a duration such as `90s`, `10m` or `1h`.

    Raises:
        BadParameter: it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", value)
    if found is None or not float(found[1]):
        raise click.BadParameter(f"{value!r} is no duration: it is written as 90s, 10m or 1h.")
    return float(found[1]) * _UNITS[found[2]]
