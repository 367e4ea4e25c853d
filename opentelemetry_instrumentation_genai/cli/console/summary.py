"""The summary at the end: calls, tokens, cost, durations and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from .facts import FAINT, dollars, duration, joined, shown, tokens
from .lines import wrapped
from .tally import quantiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from .tally import Row, Tally

_NARROWEST = 76  # columns that the table needs
_COLUMNS = ("calls", "failed", "tokens in → out", "cost", "p50", "p95")


def summary(tally: Tally, width: int | None) -> Iterator[RenderableType]:
    """Return the lines and the table of what was counted.

    Args:
        tally: the counts; there is a call among them.
        width: the columns of the terminal; None where lines may have any length.
    """
    yield Text()
    yield Text("Summary", "bold")
    rows = [(shown(name), row) for name, row in tally.rows.items()]
    rows.append((Text("all calls of models", "bold"), tally.total))
    if width is None or width >= _NARROWEST:
        yield _table(rows)
    else:
        for name, row in rows:
            yield name
            yield from wrapped(joined(_words(row)), width, "  ", "  ")
    if tally.errors:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in tally.errors.most_common())
        yield from wrapped(Text.assemble("Errors by type: ", shown(kinds, "red")), width, "", "  ")


def _table(rows: list[tuple[Text, Row]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style=FAINT)
    table.add_column("", overflow="fold")
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for name, row in rows:
        table.add_row(name, *_cells(row))
    return table


def _cells(row: Row) -> Iterator[Text]:
    none = Text("-", FAINT)
    yield Text(f"{row.calls:,}")
    yield Text(f"{row.failed:,}", "red") if row.failed else none
    yield none if row.given is row.made is None else Text(tokens(row.given, row.made))
    yield none if row.cost is None else Text(dollars(row.cost))
    yield from (Text(duration(seconds)) if row.calls else none for seconds in quantiles(row))


def _words(row: Row) -> Iterator[Text]:
    yield Text(f"{row.calls:,} {'call' if row.calls == 1 else 'calls'}")
    if row.failed:
        yield Text(f"{row.failed:,} failed", "red")
    if not row.given is row.made is None:
        yield Text(f"{tokens(row.given, row.made)} tokens")
    if row.cost is not None:
        yield Text(dollars(row.cost))
    if row.calls:
        half, most = map(duration, quantiles(row))
        yield Text(f"p50 {half}")
        yield Text(f"p95 {most}")
