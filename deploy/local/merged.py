"""`deploy/collector/all.yaml` is made of the files beside it, as the Collector merges them: maps entry by entry, all else as the last has it.

`python deploy/local/merged.py` writes it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "collector"
PARTS = ("receive", "redact", "sample", "span-metrics", "derived", "dropped", "prometheus", "traces", "logs")
"""The files of `all.yaml`, in their order."""
_HEAD = f"""\
# Everything for Prometheus, Tempo or Jaeger, and Loki, in one file: made of {", ".join(PARTS)}, where each setting is explained.
# `python deploy/local/merged.py` writes it; do not change it by hand. Further backends are added by their files:
#
#   otelcol --config all.yaml
#   otelcol --config all.yaml --config datadog.yaml
"""


def merge(first: Any, second: Any) -> Any:
    """Return two values as the Collector merges them."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {key: merge(first[key], value) if key in first else value for key, value in second.items()}
    return second


def merged() -> str:
    """Return what `all.yaml` has to be."""
    whole: Any = {}
    for part in PARTS:
        whole = merge(whole, yaml.safe_load((FOLDER / f"{part}.yaml").read_text(encoding="utf-8")))
    return _HEAD + yaml.safe_dump(whole, sort_keys=False, width=140, allow_unicode=True)


def main() -> int:
    """Write the file; return the exit status."""
    (FOLDER / "all.yaml").write_text(merged(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
