"""One call, made by a further SDK alone and by the instrumented one: application and server see the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from differential.cases import Case, cases, lasting_differences
from differential.clouds import BEDROCK, GOOGLE
from differential.plants import SENT, hold_all
from differential.rows import OF_FURTHER_SDKS
from differential.sharing import SHARES, fuzzed
from loopback import ModelServer

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("share", range(SHARES))
@fuzzed
@given(case=cases(OF_FURTHER_SDKS))
def test_no_case_differs(server: ModelServer, share: int, case: Case) -> None:
    """Whatever is given, whatever is answered, and however it is read."""
    assert [] == lasting_differences(case, server)


@pytest.mark.parametrize("share", range(-(-SHARES // 2)))
@fuzzed
@given(case=cases(GOOGLE))
def test_no_case_of_google_differs(server: ModelServer, share: int, case: Case) -> None:
    """The same for Google's SDK."""
    assert [] == lasting_differences(case, server)


@pytest.mark.parametrize("share", range(-(-SHARES // 2)))
@fuzzed
@given(case=cases(BEDROCK))
def test_no_case_of_bedrock_differs(server: ModelServer, share: int, case: Case) -> None:
    """The same for botocore."""
    assert [] == lasting_differences(case, server)


@pytest.mark.parametrize("plant", SENT.values(), ids=SENT.keys())
@pytest.mark.parametrize("endpoints", [OF_FURTHER_SDKS, GOOGLE, BEDROCK], ids=["further", "google", "bedrock"])
def test_a_planted_fault_is_found(server: ModelServer, endpoints: Any, plant: Any) -> None:
    """Within few cases, and the message has what differs."""
    with pytest.raises(AssertionError):
        hold_all(endpoints, server, plant)
