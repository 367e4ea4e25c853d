"""Sum up what all tox environments did: a line for each, and `N passed, N failed, N skipped` to end with.

An environment that reports no tests (lint, types, coverage) counts as one check; one whose Python is not there, as skipped.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET


class Counts(NamedTuple):
    """How many tests, or checks, ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_junit(path: Path) -> Counts:
    """Count the tests of one environment."""
    suites = list(ET.parse(path).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return Counts(max(total - failures - errors - skipped, 0), failures + errors, skipped)


def read_environment(junit: Path, result: dict[str, Any]) -> Counts:
    """Count the tests of one environment, or the environment itself where it ran none or failed around them."""
    if result["skipped"]:
        return Counts(skipped=1)
    ok = bool(result["success"])
    counts = read_junit(junit) if junit.exists() else Counts(passed=int(ok))
    return counts if ok or counts.failed else counts._replace(failed=1)


def main(reports: Path) -> int:
    """Print the summary; the exit code is 0 if something passed and nothing failed."""
    environments: dict[str, Any] = {}
    for name in ("tox", "operations"):  # `make test`, and `make operations` if it ran
        if (path := reports / f"{name}.json").exists():
            environments |= json.loads(path.read_text())["testenvs"]
    counted = {
        name: read_environment(reports / f"{name}.xml", environment["result"])
        for name, environment in environments.items()
        if not name.startswith(".") and "result" in environment
    }
    print()
    for name, counts in counted.items():
        print(f"{name:<16}{counts}")
    total = Counts(*map(sum, zip(*counted.values(), strict=True)))
    print(total, flush=True)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
