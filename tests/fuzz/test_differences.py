"""One call, made by the bare SDK and by the instrumented one: application and server see the same."""

from __future__ import annotations

import pytest
from hypothesis import given

from differential.cases import Case, cases, lasting_differences
from differential.endpoints import CORE
from differential.rows import FURTHER
from differential.sharing import SHARES, fuzzed
from loopback import ModelServer

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("share", range(SHARES))
@fuzzed
@given(case=cases(CORE))
def test_no_case_differs(server: ModelServer, share: int, case: Case) -> None:
    """Whatever is given, whatever is answered, and however it is read."""
    assert [] == lasting_differences(case, server)


@pytest.mark.parametrize("share", range(-(-SHARES // 2)))
@fuzzed
@given(case=cases(FURTHER))
def test_no_case_of_any_operation_differs(server: ModelServer, share: int, case: Case) -> None:
    """The same for every operation of the contract."""
    assert [] == lasting_differences(case, server)
