"""Write recording.yaml and alerts.yaml from thresholds.yaml: `python deploy/prometheus/rules.py`.

`--thresholds FILE` takes other thresholds, `--output FOLDER` writes elsewhere, and `--scale N` divides every duration by N, such as to see
in minutes what takes a day. It needs PyYAML.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import alerts
import recordings
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
THRESHOLDS = HERE / "thresholds.yaml"
_HEAD = "# Written by rules.py from thresholds.yaml: change these, and run `python deploy/prometheus/rules.py`.\n"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# A range, a subquery with its step, an offset.
_DURATIONS = re.compile(r"(?<=\[)\d+[smhdw](?=[\]:])|(?<=:)\d+[smhdw](?=\])|(?<=offset )\d+[smhdw]")


# Where the buckets of the histograms end that thresholds are compared with.
_SECONDS_BUCKETS = [round(0.01 * 2**n, 2) for n in range(14)]
_CALLS_BUCKETS = [2**n for n in range(8)]


class ThresholdError(ValueError):
    """A threshold is missing, unknown, or not what it can be; the message says which."""


def checked(thresholds: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return thresholds that have all that the rules need.

    Args:
        thresholds: the content of a file.

    Raises:
        ThresholdError: something is missing, unknown, or between two buckets.
    """
    known = load()
    for name, there, wanted in (
        ("", thresholds, known),
        *((f"{part}.", thresholds.get(part, {}), known[part]) for part in ("cost_budget", "token_budget", "slo")),
    ):
        for missing in sorted(wanted.keys() - there.keys()):
            raise ThresholdError(f"{name}{missing} is missing.")
        for unknown in sorted(there.keys() - wanted.keys()):
            raise ThresholdError(f"{name}{unknown} is unknown; there are {', '.join(wanted)}.")
    for name, value, buckets in (
        ("slo.seconds", thresholds["slo"]["seconds"], _SECONDS_BUCKETS),
        ("agent_calls", thresholds["agent_calls"], _CALLS_BUCKETS),
    ):
        if value not in buckets:
            raise ThresholdError(
                f"{name} is {value}: it has to be the end of a bucket, one of {', '.join(map(str, buckets))}."
            )
    return thresholds


class _Dumper(yaml.SafeDumper):
    """Writes expressions of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def files(thresholds: Mapping[str, Any], scale: int = 1) -> dict[str, str]:
    """Return the text of each file, by its name.

    Args:
        thresholds: the content of thresholds.yaml.
        scale: what every duration is divided by.
    """
    made = {"recording.yaml": recordings.groups(thresholds), "alerts.yaml": alerts.groups(thresholds)}
    return {
        name: _HEAD
        + yaml.dump({"groups": scaled(groups, scale)}, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
        for name, groups in made.items()
    }


def scaled(groups: list[dict[str, Any]], scale: int) -> list[dict[str, Any]]:
    """Return groups whose durations are divided; the names of what is recorded stay.

    Args:
        groups: of rules.
        scale: what durations are divided by.
    """
    if scale == 1:
        return groups
    return [
        {
            **group,
            **({"interval": _divided(group["interval"], scale)} if "interval" in group else {}),
            "rules": [_scaled(rule, scale) for rule in group["rules"]],
        }
        for group in groups
    ]


def _scaled(rule: dict[str, Any], scale: int) -> dict[str, Any]:
    expression = _DURATIONS.sub(lambda found: _divided(found[0], scale), rule["expr"])
    return {**rule, "expr": expression, **({"for": _divided(rule["for"], scale)} if "for" in rule else {})}


def _divided(duration: str, scale: int) -> str:
    return f"{round(int(duration[:-1]) * _SECONDS[duration[-1]] * 1000 / scale)}ms"


def load(path: Path = THRESHOLDS) -> Any:
    """Return the thresholds in a file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def main(words: Sequence[str] | None = None) -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description="Write recording.yaml and alerts.yaml from thresholds.yaml.")
    parser.add_argument("--thresholds", type=Path, default=THRESHOLDS)
    parser.add_argument("--output", type=Path, default=HERE)
    parser.add_argument("--scale", type=int, default=1)
    given = parser.parse_args(words)
    try:
        thresholds = checked(load(given.thresholds))
    except (ThresholdError, yaml.YAMLError, OSError) as error:
        parser.error(f"{given.thresholds}: {error}")
    for name, text in files(thresholds, given.scale).items():
        (given.output / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
