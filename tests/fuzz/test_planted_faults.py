"""The fuzzer finds what it is for: faults that are planted, one after another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from differential.cases import Case, cases, differences
from differential.endpoints import CORE
from differential.plants import PLANTS
from loopback import ModelServer

CHAT = [endpoint for endpoint in CORE if endpoint.name == "chat"]
MOST = 60  # cases, of which the first that differs is enough


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
def test_a_planted_fault_is_found(server: ModelServer, plant: Any) -> None:
    """Within few cases, and the message has what differs."""

    @settings(
        max_examples=MOST, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=[*HealthCheck], report_multiple_bugs=False,
    )  # fmt: skip
    @given(case=cases(CHAT, ways=("sync",)))
    def hold(case: Case) -> None:
        assert [] == differences(case, server, plant)

    with pytest.raises(AssertionError):
        hold()
