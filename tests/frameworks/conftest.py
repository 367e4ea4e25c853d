"""What the tests of frameworks share."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def clients_that_are_never_closed() -> Iterator[None]:
    """The frameworks close no client that they made: what is left open is collected here, where nobody looks at its warnings."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
