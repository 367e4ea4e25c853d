"""One call, made by the bare SDK and by the instrumented one: application and server see the same."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from differential.cases import OURS_LOGGED, Case, cases, differences
from loopback import ModelServer

CASES = int(os.environ.get("FUZZ_CASES", "150"))
"""How many cases there are; `tox -e fuzz` sets it."""
SEEDED = "FUZZ_CASES" in os.environ
SHARE = 1_000
"""How many of them are one test."""


@pytest.fixture(autouse=True)
def no_collection_within_a_call() -> None:
    """One test makes calls for minutes: the collector runs as ever."""


@pytest.fixture
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails within us is dropped and logged, as it is outside of tests."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard.strict", False)


def lasting_differences(case: Case, server: ModelServer) -> list[str]:
    """What differs in a case three times in a row.

    When a connection is cut, and when a stream is collected, depends on the moment, also of two bare calls. What we log of ourselves
    counts at once: it is logged only once.
    """
    found = differences(case, server)
    for _ in range(2):
        if found and not any(line.startswith(OURS_LOGGED) for line in found):
            found = differences(case, server)
    return found


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("share", range(-(-CASES // SHARE)))
@settings(
    max_examples=min(CASES, SHARE),
    deadline=None,
    database=None,
    derandomize=not SEEDED,
    suppress_health_check=[*HealthCheck],
    report_multiple_bugs=False,
)
@given(case=cases())
def test_no_case_differs(as_in_production: None, server: ModelServer, share: int, case: Case) -> None:
    """Whatever is given, whatever is answered, and however it is read."""
    assert [] == lasting_differences(case, server)
