"""Compare the environment that runs this with the lock that it was installed from, whose name is in ``LOCK``.

LOCK=latest python locks/check.py             fails where a version is another one, or a distribution is not in the lock
LOCK=latest python locks/check.py --report    prints the differences, and never fails
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from importlib.metadata import distributions
from pathlib import Path

# What is tested, and what an environment brings by itself.
NOT_LOCKED = {"opentelemetry-instrumentation-genai", "pip"}
PIN = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)


def normalized(name: str) -> str:
    """Return the one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> dict[str, set[str]]:
    """Return the versions of each distribution; there are several where Pythons or platforms differ."""
    versions = defaultdict(set)
    for name, version in PIN.findall(path.read_text()):
        versions[normalized(name)].add(version)
    return versions


def differences(locked: dict[str, set[str]]) -> list[str]:
    """Return a line for each installed distribution that is not as the lock has it."""
    installed = {normalized(found.name): found.version for found in distributions()}
    return [
        f"{name} {version}, locked: {' or '.join(sorted(locked.get(name, ()))) or 'not at all'}"
        for name, version in sorted(installed.items())
        if name not in NOT_LOCKED and version not in locked.get(name, ())
    ]


def main(lock: str, *options: str) -> int:
    """Print the differences; the exit code is 1 if there are some, and they are not only reported."""
    found = differences(read_lock(Path(__file__).with_name(f"{lock}.txt")))
    for line in found:
        print(line)
    return int(bool(found) and "--report" not in options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
