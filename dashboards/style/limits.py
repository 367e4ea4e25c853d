"""The limits of panels: from where on a value is a matter of concern, as colours and as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import ThresholdsConfig

_SHOWN = {
    "s": "{:g} s",
    "percentunit": "{:.3g} %",
    "percent": "{:g} %",
    "celsius": "{:g} °C",
    "short": "{:g}",
    "none": "{:g}",
}


class Limits(NamedTuple):
    """From where on a value is orange, and from where on red.

    Attributes:
        orange: the first limit.
        red: the second.
        falling: whether the values below them are the bad ones.
    """

    orange: float
    red: float
    falling: bool = False

    def sentence(self, unit: str) -> str:
        """Return them in words."""
        word = "below" if self.falling else "from"
        return f"Orange {word} {_shown(self.orange, unit)}, red {word} {_shown(self.red, unit)}."


def thresholds(limits: Limits | None, plain: str) -> Builder[ThresholdsConfig]:
    """Return limits as the panel has them.

    Args:
        limits: None for one colour.
        plain: the colour if there are none.
    """
    if limits is None:
        steps = [Threshold(value=None, color=plain)]
    elif limits.falling:
        steps = [_step(None, "red"), _step(limits.red, "orange"), _step(limits.orange, "green")]
    else:
        steps = [_step(None, "green"), _step(limits.orange, "orange"), _step(limits.red, "red")]
    return build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _step(value: float | None, colour: str) -> Threshold:
    return Threshold(value=value, color=colour)


def _shown(value: float, unit: str) -> str:
    return _SHOWN.get(unit, "{:g} " + unit).format(value * 100 if unit == "percentunit" else value)
