"""The limits of panels: from where on a value is a matter of concern, as colours and as a sentence.

Where an alert of `deploy/prometheus` watches the same, red begins where that fires, and orange at half of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import ThresholdsConfig

_FILE = Path(__file__).parents[2] / "deploy" / "prometheus" / "thresholds.yaml"
THRESHOLDS: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
"""What the alerts compare with."""
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
        alert: the alert that fires at the second, after some minutes; empty if there is none.
    """

    orange: float
    red: float
    falling: bool = False
    alert: str = ""

    def sentence(self, unit: str) -> str:
        """Return them in words."""
        word = "below" if self.falling else "from"
        alert = f", as the alert {self.alert}" if self.alert else ""
        return f"Orange {word} {_shown(self.orange, unit)}, red {word} {_shown(self.red, unit)}{alert}."


def of_alert(alert: str, threshold: str) -> Limits:
    """Return the limits that fit an alert.

    Args:
        alert: its name.
        threshold: the name of what it compares with.
    """
    red = float(THRESHOLDS[threshold])
    return Limits(red / 2, red, alert=alert)


ERROR_SHARE = of_alert("GenAIErrorShareHigh", "error_share")
RATE_LIMITED = of_alert("GenAIRateLimited", "rate_limited_share")
DURATION = of_alert("GenAILatencyHigh", "latency_p95_seconds")
FIRST_CHUNK = of_alert("GenAITimeToFirstTokenHigh", "first_chunk_p95_seconds")
TRUNCATED = of_alert("GenAITruncationJump", "truncated_share")


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
