"""The fuzzer finds what it is for: faults that are planted, one after another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from differential.cases import Case, cases, differences
from differential.plants import PLANTS
from loopback import ModelServer

MOST = 60  # cases, of which the first that differs is enough


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails within us is dropped and logged, as it is outside of tests."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard.strict", False)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
def test_a_planted_fault_is_found(server: ModelServer, plant: Any) -> None:
    """Within few cases, and the message has what differs."""

    @settings(
        max_examples=MOST, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=[*HealthCheck], report_multiple_bugs=False,
    )  # fmt: skip
    @given(case=cases(endpoints=("chat",), ways=("sync",)))
    def hold(case: Case) -> None:
        assert [] == differences(case, server, plant)

    with pytest.raises(AssertionError):
        hold()
