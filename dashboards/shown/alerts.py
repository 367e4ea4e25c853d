"""The list of the alerts in Prometheus, as a board of its own that no Grafana has: its picture is in the documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Prometheus

Json = dict[str, Any]
_EITHER = re.compile(r"\{\{ if .*?\}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}")
_LABEL = re.compile(r"\{\{ \$labels\.(?:gen_ai_)?(\w+) \}\}")
_VALUE = re.compile(r"\{\{ [^}]*\$value[^}]*\}\}")
_ORDER = ("firing", "pending", "inactive")


def alerts(prometheus: Prometheus) -> list[Json]:
    """Return a row for each alert, those that fire first."""
    groups = prometheus.ask("rules", type="alert")["groups"]
    found = [_row(rule) for group in groups for rule in group["rules"]]
    return sorted(found, key=lambda row: _ORDER.index(row["state"]))


def as_board(number: int) -> Json:
    """Return the board that the page draws the list by.

    Args:
        number: of alerts.
    """
    where = {"x": 0, "y": 0, "w": 24, "h": round(number * 0.66) + 2}
    panel = {"id": 1, "type": "alerts", "title": "Alerts of deploy/prometheus/alerts.yaml", "gridPos": where}
    about = "What fires, what is about to, and what is quiet."
    return {"title": "GenAI / Alerts", "description": about, "templating": {"list": []}, "panels": [panel]}


def _row(rule: Json) -> Json:
    """Return what is shown of an alert; of one that fires, the summary of its first one."""
    active = [one for one in rule["alerts"] if one["state"] == rule["state"]]
    summary = active[0]["annotations"]["summary"] if active else _readable(rule["annotations"]["summary"])
    return {
        "name": rule["name"],
        "state": rule["state"],
        "severity": rule["labels"].get("severity", ""),
        "seconds": rule["duration"],
        "count": len(active),
        "says": summary,
    }


def _readable(template: str) -> str:
    """Return a summary with names in place of the values that an alert puts there."""
    return _VALUE.sub("<value>", _LABEL.sub(r"<\1>", _EITHER.sub(r"\1 or \2", template)))
