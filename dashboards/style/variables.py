"""The variables of the boards, which every board has alike: what is chosen on one stays chosen on the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from .queries import DURATION, SERVICES

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import VariableModel

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
TRACES = DataSourceRef(type_val="tempo", uid="${traces}")
LOGS = DataSourceRef(type_val="loki", uid="${logs}")
_CALLS = f'__name__=~"({"|".join(DURATION)})_count"'


def source(name: str, label: str, kind: str) -> Builder[VariableModel]:
    """Return a variable that chooses a data source of one kind."""
    return build.DatasourceVariable(name).label(label).type(kind)


def values(name: str, label: str, series: str, of: str, about: str = "") -> Builder[VariableModel]:
    """Return a variable with the values of a label; all of them includes the series that have none.

    Args:
        name: by which queries use it.
        label: what is shown of it.
        series: the selector of the series that are looked at.
        of: the label.
        about: what it is; empty where the label says it.
    """
    made = (
        build.QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query({"query": f"label_values({series}, {of})", "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(text="All", value="$__all", selected=True))
    )
    return made.description(about) if about else made


def tag(name: str, label: str) -> Builder[VariableModel]:
    """Return a variable that chooses the tag by which something is shown, of those that metrics have."""
    return (
        build.QueryVariable(name)
        .label(label)
        .description(
            "A tag that OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTES puts onto metrics; without one there is one series."
        )
        .datasource(PROMETHEUS)
        .query({"query": "label_names()", "refId": name})
        .regex("/^(gen_ai_tag_.+)$/")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def text(name: str, label: str, about: str) -> Builder[VariableModel]:
    """Return a variable that is typed, or set by a link."""
    return build.TextBoxVariable(name).label(label).description(about).default_value("")


def common() -> list[Builder[VariableModel]]:
    """Return those of every board."""
    return [
        source("datasource", "Prometheus", "prometheus"),
        values("environment", "Environment", f"{{{_CALLS}}}", "deployment_environment_name"),
        values("service", "Service", f'{{{_CALLS}, deployment_environment_name=~"$environment"}}', "service_name"),
        values("provider", "Provider", f"{{{_CALLS}, {SERVICES}}}", "gen_ai_provider_name"),
        values(
            "model",
            "Model",
            f'{{{_CALLS}, {SERVICES}, gen_ai_provider_name=~"$provider"}}',
            "gen_ai_request_model",
            "The model that was requested.",
        ),
    ]


def hidden(variable: Builder[VariableModel]) -> Builder[VariableModel]:
    """Return a variable that is not shown, but handed on by links."""
    made = variable.build()
    made.hide = VariableHide.HIDE_VARIABLE
    return variable
