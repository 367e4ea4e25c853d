"""The series of metrics as a table."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from ..console.facts import FAINT, dollars, duration, shown

if TYPE_CHECKING:
    from .receiver import Point, Telemetry

_TELLING = (
    "gen_ai.operation.name",
    "mcp.method.name",
    "gen_ai.request.model",
    "gen_ai.token.type",
    "gen_ai.token.modality",
    "error.type",
)
_NONE = Text("-", FAINT)


def metric_table(telemetry: Telemetry) -> Table:
    """Return each series of the gen_ai metrics, with the trace of a call that it links to by exemplar."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, expand=True, header_style=FAINT
    )
    table.add_column("metric, and attributes of the series", ratio=1, overflow="fold")
    for column in ("count", "average", "sum", "exemplar"):
        table.add_column(column, justify="right", no_wrap=True)
    points = [point for point in telemetry.series() if point.metric.startswith(("gen_ai.", "mcp."))]
    for name, series in groupby(sorted(points, key=lambda point: point.metric), key=lambda point: point.metric):
        table.add_row(shown(name, "bold"))
        for point in sorted(series, key=_name):
            table.add_row(
                shown(f"  {_name(point)}", "red" if "error.type" in point.attributes else ""),
                f"{point.count:,}" if point.count else _NONE,
                _amount(point.total / point.count, point.unit) if point.count else _NONE,
                _amount(point.total, point.unit),
                shown(f"{min(point.exemplars)[:8]}…", FAINT) if point.exemplars else _NONE,
            )
    return table


def _name(point: Point) -> str:
    """Name a series by those attributes that distinguish it from the others in this demonstration."""
    return " · ".join(str(point.attributes[name]) for name in _TELLING if name in point.attributes)


def _amount(value: float, unit: str) -> Text:
    """Write a value with its unit."""
    if unit == "{USD}":
        return Text(dollars(value))
    return Text(duration(value) if unit == "s" else f"{value:,.0f}")
