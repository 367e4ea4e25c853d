"""One board: its panels in rows, from left to right, and the JSON that Grafana reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, GridPos

from .variables import common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import VariableModel

    from .panels import Place

COLUMNS = 24
TAG = "opentelemetry-genai"


class Board:
    """A board.

    Args:
        name: of its file, and in its URL.
        title: what is shown of it in Grafana.
        about: what question it answers.
        variables: those of its own, after the common ones.
        common_variables: whether it has the common ones; else its own are all.
    """

    def __init__(
        self,
        name: str,
        title: str,
        about: str,
        variables: Sequence[Builder[VariableModel]] = (),
        *,
        common_variables: bool = True,
    ) -> None:
        self.name = name
        self._made = (
            build.Dashboard(f"GenAI / {title}")
            .uid(f"genai-{name}")
            .description(about)
            .tags([TAG])
            .time("now-1h", "now")
            .refresh("30s")
            .timezone("browser")
            .editable()
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .link(
                build.DashboardLink("GenAI boards")
                .type(DashboardLinkType.DASHBOARDS)
                .tags([TAG])
                .as_dropdown(True)
                .include_vars(True)
                .keep_time(True)
            )
        )
        for variable in [*(common() if common_variables else []), *variables]:
            self._made.with_variable(variable)
        self._number = 0
        self._top = 0

    def row(self, title: str, *places: Place) -> Board:
        """Add panels below a heading, from left to right, in as many lines as they take."""
        self._number += 1
        self._made.with_row(build.Row(title).id(self._number).grid_pos(GridPos(1, COLUMNS, 0, self._top)))
        self._top += 1
        left, height = 0, 0
        for place in places:
            if left + place.width > COLUMNS:
                left, self._top, height = 0, self._top + height, 0
            self._number += 1
            place.panel.id(self._number).grid_pos(GridPos(place.height, place.width, left, self._top))
            self._made.with_panel(place.panel)
            left, height = left + place.width, max(height, place.height)
        self._top += height
        return self

    def model(self) -> dict[str, Any]:
        """Return the board as Grafana's JSON model, in plain values."""
        model: dict[str, Any] = json.loads(json.dumps(self._made.build(), cls=JSONEncoder))
        # The SDK writes the first for every kind of variable, though they are those of intervals; newer releases of Grafana do not have
        # the second, nor do the tables have footers.
        for variable in model["templating"]["list"]:
            for name in ("auto", "auto_min", "auto_count"):
                variable.pop(name, None)
        for panel in model["panels"]:
            panel.get("options", {}).pop("footer", None)
        return model


def written(model: dict[str, Any]) -> str:
    """Return the text of a board's file."""
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"
