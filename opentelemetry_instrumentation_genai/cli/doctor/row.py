"""A row of the catalogue of findings."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """The texts of one finding.

    Attributes:
        level: `ok`, `info`, `warning` or `problem`; one problem makes the exit status 1.
        what: what is true.
        todo: what to do; empty where there is nothing to do.
    """

    level: str
    what: str
    todo: str = ""
