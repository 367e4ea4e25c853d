"""How many cases a test of the fuzzer has, and what they are drawn from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

_CASES = int(os.environ.get("FUZZ_CASES", "150"))  # `tox -e fuzz` sets it
_SHARE = 1_000
SHARES = -(-_CASES // _SHARE)
"""How many tests the cases are shared between."""
fuzzed: Callable[[Any], Any] = settings(
    max_examples=min(_CASES, _SHARE),
    deadline=None,
    database=None,
    # The same cases each time, unless many were asked for.
    derandomize="FUZZ_CASES" not in os.environ,
    suppress_health_check=[*HealthCheck],
    report_multiple_bugs=False,
)
"""Decorates a test, which then runs with the cases of one share."""
