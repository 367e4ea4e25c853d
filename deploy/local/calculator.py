"""What a fleet costs: series, bytes and Collectors, from what was measured (`sizes.json`).

    python deploy/local/calculator.py --services 200 --processes 4 --calls 500 --models 6 --content 3000

`--write` writes the table of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIZES = Path(__file__).with_name("sizes.json")
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
_DAY = 86_400
_SAMPLE = 1.7  # bytes of a sample on the disk of Prometheus, about
_SERIES = 4_000  # bytes of a series in its memory, about
_HTTP = 200  # bytes of the span of an HTTP client below a call, about


class Fleet(NamedTuple):
    """What is asked about.

    Attributes:
        services: how many.
        processes: of each service, on average: each has its own series.
        calls: of models a second, of all services together.
        models: that one process calls.
        errors: types of errors of each model.
        tenants: values of a tag that metrics have (METRIC_ATTRIBUTES); 1 for none.
        extended: whether METRICS=extended.
        content: characters of content of a call; 0 where it is not captured.
        events: whether there is a details event for each call.
        interval: seconds between two exports of metrics.
        kept: the share of traces that sampling keeps.
        wait: seconds that the sampling waits (DECISION_WAIT).
        capacity: calls a second that one core of a gateway takes.
    """

    services: int = 10
    processes: int = 2
    calls: float = 50
    models: int = 3
    errors: int = 2
    tenants: int = 1
    extended: bool = False
    content: int = 0
    events: bool = True
    interval: int = 60
    kept: float = 0.2
    wait: float = 30
    capacity: float = 1_800


class Cost(NamedTuple):
    """What it comes to.

    Attributes:
        series: active ones.
        memory: of Prometheus for them, in bytes.
        samples: a second.
        disk: of Prometheus for a day, in bytes.
        metrics: bytes of OTLP a second.
        spans: the same.
        events: the same.
        stored: bytes of traces that are kept a day, before the backend compresses them.
        waiting: traces in the memory of all gateways.
        cores: of gateways.
    """

    series: int
    memory: float
    samples: float
    disk: float
    metrics: float
    spans: float
    events: float
    stored: float
    waiting: int
    cores: float


def cost(fleet: Fleet, sizes: Mapping[str, Any]) -> Cost:
    """Return what a fleet costs.

    Args:
        fleet: which.
        sizes: what was measured.
    """
    of_model = sizes["series"]["model"] + sizes["more"]["extended"] * fleet.extended
    of_process = fleet.models * fleet.tenants * (of_model + fleet.errors * sizes["series"]["error"])
    series = fleet.services * fleet.processes * of_process
    samples = series / fleet.interval

    def each(signal: str) -> float:
        size = sizes[signal]
        return size["with"] + fleet.content / 1000 * size["thousand"] if fleet.content else size["without"]

    spans = fleet.calls * (each("span") + _HTTP)
    return Cost(
        series=series,
        memory=series * _SERIES,
        samples=samples,
        disk=samples * _DAY * _SAMPLE,
        metrics=samples * sizes["export"]["bytes"] / sizes["export"]["series"],
        spans=spans,
        events=fleet.calls * each("event") * fleet.events,
        stored=spans * fleet.kept * _DAY,
        waiting=round(fleet.calls * fleet.wait * 1.5),
        cores=fleet.calls / fleet.capacity,
    )


def rows(fleet: Fleet, found: Cost) -> list[tuple[str, str]]:
    """Return what is shown: names and figures."""
    return [
        ("services, processes of each", f"{fleet.services:,}, {fleet.processes:,}"),
        ("calls a second", f"{fleet.calls:,g}"),
        ("models of a process, errors of each, tenants", f"{fleet.models}, {fleet.errors}, {fleet.tenants}"),
        ("content of a call, characters", f"{fleet.content:,}" if fleet.content else "none"),
        ("series", f"{found.series:,}"),
        ("memory of Prometheus for them", _size(found.memory)),
        ("samples a second", f"{found.samples:,.0f}"),
        ("disk of Prometheus a day", _size(found.disk)),
        ("metrics by OTLP", f"{_size(found.metrics)}/s"),
        ("spans by OTLP", f"{_size(found.spans)}/s"),
        ("events by OTLP", f"{_size(found.events)}/s"),
        (f"traces kept a day ({fleet.kept:.0%})", _size(found.stored)),
        ("traces that wait at the gateways", f"{found.waiting:,}"),
        ("cores of gateways", f"{max(found.cores, 0.1):,.1f}"),
    ]


def _size(count: float) -> str:
    """Return bytes as a person says them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


EXAMPLES = (
    Fleet(),
    Fleet(services=100, processes=4, calls=1_000, models=5, errors=3, content=4_000),
    Fleet(services=1_000, processes=4, calls=10_000, models=5, errors=3),
    Fleet(services=1_000, processes=4, calls=10_000, models=5, errors=3, tenants=20, content=4_000),
)
"""Those of the table in docs/scale.md."""


def table(sizes: Mapping[str, Any]) -> str:
    """Return the table of the examples."""
    columns = [rows(fleet, cost(fleet, sizes)) for fleet in EXAMPLES]
    names = [re.sub(r" \(\d+%\)", "", name) for name, _ in columns[0]]
    lines = [f"| {name} | {' | '.join(column[place][1] for column in columns)} |" for place, name in enumerate(names)]
    return "\n".join([lines[0], "|---" * (len(columns) + 1) + "|", *lines[1:]]) + "\n"


def series_table(sizes: Mapping[str, Any]) -> str:
    """Return the table of the series of one model."""
    lines = [f"| `{metric}` | {count} |" for metric, count in sizes["series"]["by metric"].items()]
    more = [
        ("together, of a model of a process", sizes["series"]["model"]),
        ("each type of error", sizes["series"]["error"]),
        ("`METRICS=extended`, more", sizes["more"]["extended"]),
        ("the latest generation, in place of those of a model", sizes["more"]["latest"]),
    ]
    lines += [f"| {name} | {count} |" for name, count in more]
    return "\n".join(["| metric | series |", "|---|---|", *lines]) + "\n"


def write(page: Path, tables: Mapping[str, str]) -> None:
    """Write tables into a page, each between the lines `<!-- table: NAME -->` and `<!-- end -->`."""
    page.write_text(with_tables(page.read_text(encoding="utf-8"), tables), encoding="utf-8")


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """Return the text of a page with these tables."""
    for name, rows_of_it in tables.items():
        pattern = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        text = re.sub(pattern, lambda match, new=rows_of_it: match[1] + new + match[2], text, flags=re.DOTALL)
    return text


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python deploy/local/calculator.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    described = dict(re.findall(r"^        (\w+): (.+?\.)$", Fleet.__doc__ or "", re.MULTILINE))
    for name, default in Fleet()._asdict().items():
        flag = f"--{name}"
        text = f"{described.get(name, name)} ({default})".replace("%", "%%")
        if isinstance(default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default, help=text)
        else:
            parser.add_argument(flag, type=type(default), default=default, help=text)
    parser.add_argument("--write", action="store_true", help="write the table of docs/scale.md")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Show what a fleet costs; return the exit status."""
    options = vars(_arguments(words))
    sizes = json.loads(SIZES.read_text(encoding="utf-8"))
    if options.pop("write"):
        write(PAGE, {"examples": table(sizes), "series": series_table(sizes)})
        return 0
    fleet = Fleet(**options)
    for name, figure in rows(fleet, cost(fleet, sizes)):
        print(f"{name:<46}{figure:>16}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
