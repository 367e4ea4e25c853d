"""The fuzzer finds what it is for: faults that are planted, one after another."""

from __future__ import annotations

from typing import Any

import pytest

from differential.endpoints import CORE
from differential.plants import PLANTS, hold_all
from loopback import ModelServer

CHAT = [endpoint for endpoint in CORE if endpoint.name == "chat"]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
def test_a_planted_fault_is_found(server: ModelServer, plant: Any) -> None:
    """Within few cases, and the message has what differs."""
    with pytest.raises(AssertionError):
        hold_all(CHAT, server, plant)
