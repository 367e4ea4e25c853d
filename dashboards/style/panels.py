"""The kinds of panels: each has a title, a description that names its metrics and limits, a unit, and words for no traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard as build,
    heatmap,
    logs,
    loki,
    prometheus,
    stat,
    table,
    tempo,
    text,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    HeatmapCellLayout,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.tempo import SearchTableType
from grafana_foundation_sdk.models.text import TextMode

from .limits import Limits, thresholds
from .queries import metrics_of
from .variables import LOGS, PROMETHEUS, TRACES

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "No traffic"
COUNT = "locale"
"""The unit of what is counted in a range: 12,345."""


class Query(NamedTuple):
    """A query of a panel.

    Attributes:
        promql: what is asked.
        legend: what each series is called.
        exemplars: whether the exemplars of the histogram are shown, which lead to traces.
    """

    promql: str
    legend: str = "__auto"
    exemplars: bool = False


class Column(NamedTuple):
    """A column of a table with a value.

    Attributes:
        name: what it is called.
        promql: the value of each row.
        unit: the value's.
        limits: its limits; None if it has none.
    """

    name: str
    promql: str
    unit: str
    limits: Limits | None = None


class Place(NamedTuple):
    """A panel, and how large it is on the grid of 24 columns.

    Attributes:
        panel: the builder of the foundation SDK.
        width: in columns.
        height: in rows.
    """

    panel: Any
    width: int
    height: int

    def tall(self, height: int) -> Place:
        """Return it with another height."""
        return self._replace(height=height)


def numbers(
    title: str,
    about: str,
    unit: str,
    query: str,
    *,
    limits: Limits | None = None,
    width: int = 4,
    decimals: int | None = None,
) -> Place:
    """Return a panel of one number with its course."""
    panel = _number(title, about, unit, query, limits).graph_mode(BigValueGraphMode.AREA)
    return Place(_rounded(panel.with_target(_target(Query(query, title), 0).range()), decimals), width, 4)


def sums(
    title: str,
    about: str,
    unit: str,
    query: str,
    *,
    limits: Limits | None = None,
    width: int = 4,
    decimals: int | None = None,
) -> Place:
    """Return a panel of one number about the whole range of time."""
    panel = _number(title, about, unit, query, limits).graph_mode(BigValueGraphMode.NONE)
    return Place(_rounded(panel.with_target(_target(Query(query, title), 0).instant()), decimals), width, 4)


def _number(title: str, about: str, unit: str, query: str, limits: Limits | None) -> stat.Panel:
    plain = "text" if limits is None else "green"
    panel: stat.Panel = _panel(stat.Panel(), title, about, unit, [query], limits=limits, plain=plain)
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    return panel.reduce_options(last).color_mode(BigValueColorMode.VALUE)


def series(
    title: str,
    about: str,
    unit: str,
    queries: Sequence[Query],
    *,
    stacked: bool = False,
    limits: Limits | None = None,
    most: float | None = None,
    width: int = 12,
) -> Place:
    """Return a panel of lines over time.

    Args:
        title: what it shows.
        about: what it means, in a sentence or two.
        unit: of the values.
        queries: of the lines.
        stacked: whether they add up, and are shown as areas.
        limits: shown as lines.
        most: the top of the axis, where there is one.
        width: in columns.
    """
    panel = (
        _panel(
            timeseries.Panel(), title, about, unit, [query.promql for query in queries], limits=limits, plain="green"
        )
        .draw_style(GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(30 if stacked else 0)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .min(0)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL if stacked else StackingMode.NONE).group("A"))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .calcs(["mean", "lastNotNull"])
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .color_scheme(build.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(
                GraphThresholdsStyleMode.OFF if limits is None else GraphThresholdsStyleMode.DASHED
            )
        )
    )
    for number, query in enumerate(queries):
        panel.with_target(_target(query, number).range())
    return Place(panel if most is None else panel.max(most), width, 8)


def bars(title: str, about: str, unit: str, query: Query, *, limits: Limits | None = None, width: int = 8) -> Place:
    """Return a panel of bars about the whole range of time, the longest first."""
    panel = (
        _panel(bargauge.Panel(), title, about, unit, [query.promql], limits=limits, plain="blue")
        .with_target(_target(query._replace(promql=f"sort_desc({query.promql})"), 0).instant())
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .show_unfilled(True)
        .min(0)
    )
    return Place(_rounded(panel, 0 if unit == COUNT else None), width, 6)


def heat(title: str, about: str, unit: str, query: str, *, width: int = 12) -> Place:
    """Return a panel of the buckets of a histogram over time."""
    panel = (
        _panel(heatmap.Panel(), title, about, unit, [query], plain="green")
        .with_target(_target(Query(query, "{{le}}", exemplars=True), 0).range().format(PromQueryFormat.HEATMAP))
        .calculate(False)
        .rows_frame(common_rows())
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").exponent(0.5).steps(64))
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .cell_values(heatmap.CellValues().unit("reqps"))
        .show_legend()
    )
    return Place(panel, width, 8)


def common_rows() -> heatmap.RowsHeatmapOptions:
    """Return how the rows of a heatmap are named: by their upper bounds."""
    return heatmap.RowsHeatmapOptions().layout(HeatmapCellLayout.LE)


def rows(title: str, about: str, by: dict[str, str], columns: Sequence[Column], *, width: int = 24) -> Place:
    """Return a table about the whole range of time, with a row for each value of labels.

    Args:
        title: what it shows.
        about: what it means.
        by: label -> what its column is called.
        columns: the values. The first one orders the rows.
        width: in columns of the grid.
    """
    panel = _panel(table.Panel(), title, about, columns[0].unit, [column.promql for column in columns], plain="text")
    names = dict(by)
    for number, column in enumerate(columns):
        panel.with_target(_target(Query(column.promql), number).instant().format(PromQueryFormat.TABLE))
        names[f"Value #{_letter(number)}"] = column.name
        panel.override_by_name(column.name, _of_column(column))
    order = {name: place for place, name in enumerate(names)}
    panel.transformations(
        [
            DataTransformerConfig(id_val="merge", options={}),
            DataTransformerConfig(
                id_val="organize",
                options={"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names},
            ),
        ]
    )
    panel.sort_by([common.TableSortByFieldState().display_name(columns[0].name).desc(True)])
    about_limits = [f"{column.name}: {column.limits.sentence(column.unit)}" for column in columns if column.limits]
    made = panel.build()
    panel.description(" ".join([made.description or "", *about_limits]))
    return Place(panel, width, 7)


def _of_column(column: Column) -> list[DynamicConfigValue]:
    found = [DynamicConfigValue(id_val="unit", value=column.unit), DynamicConfigValue(id_val="noValue", value="-")]
    if column.unit == COUNT:
        # A count, which `increase` extrapolates.
        found.append(DynamicConfigValue(id_val="decimals", value=0))
    if column.limits is not None:
        found += [
            DynamicConfigValue(id_val="thresholds", value=thresholds(column.limits, "text").build()),
            DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
        ]
    return found


def found_traces(title: str, about: str, traceql: str, *, width: int = 24) -> Place:
    """Return a table of the traces that are found."""
    panel = table.Panel().title(title).description(about).datasource(TRACES).no_value("No trace")
    query = (
        tempo.TempoQuery().query_type("traceql").query(traceql).limit(50).table_type(SearchTableType.TRACES).ref_id("A")
    )
    return Place(panel.with_target(query), width, 7)


def one_trace(title: str, about: str, identity: str, *, width: int = 24) -> Place:
    """Return the spans of one trace."""
    panel = build.Panel().type("traces").title(title).description(about).datasource(TRACES)
    return Place(panel.with_target(tempo.TempoQuery().query_type("traceql").query(identity).ref_id("A")), width, 8)


def lines(title: str, about: str, logql: str, *, width: int = 24) -> Place:
    """Return the log records that are found."""
    panel = logs.Panel().title(title).description(about).datasource(LOGS).no_value("No event")
    panel.show_time(True).wrap_log_message(True).enable_log_details(True)
    return Place(panel.with_target(loki.Dataquery().expr(logql).query_type("range").ref_id("A")), width, 7)


def words(title: str, markdown: str, *, width: int = 24, height: int = 3) -> Place:
    """Return a panel of text."""
    return Place(text.Panel().title(title).mode(TextMode.MARKDOWN).content(markdown), width, height)


def _panel(
    panel: Any, title: str, about: str, unit: str, queries: Sequence[str], *, limits: Limits | None = None, plain: str
) -> Any:
    """Set what all panels with values have."""
    metrics = ", ".join(f"`{name}`" for name in dict.fromkeys(name for query in queries for name in metrics_of(query)))
    described = [about, f"From {metrics}.", limits.sentence(unit) if limits else ""]
    nan = DashboardSpecialValueMapOptions(SpecialValueMatch.NA_N, ValueMappingResult(text=NOTHING, color="text"))
    return (
        panel.title(title)
        .description(" ".join(filter(None, described)))
        .datasource(PROMETHEUS)
        .unit(unit)
        .no_value(NOTHING)
        .mappings([SpecialValueMap(nan)])
        .thresholds(thresholds(limits, plain))
    )


def _rounded(panel: Any, decimals: int | None) -> Any:
    return panel if decimals is None else panel.decimals(decimals)


def _target(query: Query, number: int) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.promql).legend_format(query.legend).ref_id(_letter(number))
    return made.exemplar(True) if query.exemplars else made


def _letter(number: int) -> str:
    return "ABCDEFGHIJ"[number]
