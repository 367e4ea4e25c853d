"""What the tests of frameworks share."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest

from opentelemetry_instrumentation_genai._call.call import Call


@pytest.fixture(autouse=True)
def clients_that_are_never_closed() -> Iterator[None]:
    """The frameworks close no client that they made: what is left open is collected here, where nobody looks at its warnings."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def nothing_stays(clients_that_are_never_closed: None) -> Iterator[None]:
    """Calls that are over, of models, agents and tools, however they ended, are not kept by anything of ours."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
        gc.collect()  # what the first one closed, such as a generator, leaves others to the second
    assert [] == [kept for kept in gc.get_objects() if type(kept) is Call]
