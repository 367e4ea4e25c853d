"""What the tests of the fuzzer have in common."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

collect_ignore = [] if find_spec("letta_client") else ["test_sdk_differences.py"]


@pytest.fixture(autouse=True)
def no_collection_within_a_call() -> None:
    """One test makes calls for minutes: the collector runs as ever."""


@pytest.fixture(autouse=True)
def in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails within us is dropped and logged, as it is outside of tests."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard.strict", False)
