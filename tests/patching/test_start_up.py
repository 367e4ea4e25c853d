"""The start with `opentelemetry-instrument`: what it asks of a distribution is asked once, and the loader is as it was afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, entry_points
from typing import Any

import pytest
from opentelemetry.instrumentation.auto_instrumentation import _load
from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts

from opentelemetry_instrumentation_genai._patching import start_up
from opentelemetry_instrumentation_genai._patching.start_up import forget_checks, remember_checks

LOADER: Any = _load
OURS = "opentelemetry-instrumentation-genai"


class Counted(Distribution):
    """A distribution that counts how often its metadata are read.

    Args:
        requires: lines of its metadata.
        entry_points: those that it has.
    """

    def __init__(self, *requires: str, entry_points: str = "") -> None:
        self.read = 0
        self._entry_points = entry_points
        self._text = "\n".join(["Metadata-Version: 2.1", "Name: counted", "Version: 1", *requires])

    def read_text(self, filename: str) -> str | None:
        """The metadata, or the entry points."""
        if filename == "entry_points.txt":
            return self._entry_points
        self.read += 1
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        """No file."""
        raise FileNotFoundError(path)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    forget_checks()
    assert LOADER.get_dist_dependency_conflicts is get_dist_dependency_conflicts


def test_a_distribution_is_checked_once() -> None:
    """With the answer that the loader's own function gives; another distribution has an answer of its own."""
    missing = Counted('Requires-Dist: no-such-package; extra == "instruments"')
    other = Counted('Requires-Dist: pytest; extra == "instruments"')
    expected = str(get_dist_dependency_conflicts(missing))
    before = missing.read

    remember_checks()
    answers = [LOADER.get_dist_dependency_conflicts(missing) for _ in range(20)]

    assert {str(answer) for answer in answers} == {expected}
    assert missing.read == 2 * before, "read for the first answer, and not again"
    assert LOADER.get_dist_dependency_conflicts(other) is None
    assert LOADER.get_dist_dependency_conflicts(distribution(OURS)) is None


def test_of_our_own_distribution_one_sdk_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its requirements are not read if one of the SDKs is installed; without any, the loader's own answer counts."""
    ours = distribution(OURS).read_text("entry_points.txt") or ""
    requirement = 'Requires-Dist: no-such-package; extra == "instruments-any"'

    remember_checks()
    met = Counted(requirement, entry_points=ours)
    assert LOADER.get_dist_dependency_conflicts(met) is None
    assert met.read == 0

    monkeypatch.setattr(start_up, "SDKS", frozenset({"no_such_package"}))
    unmet = Counted(requirement, entry_points=ours)
    assert "no-such-package" in str(LOADER.get_dist_dependency_conflicts(unmet))


def test_it_can_be_called_twice() -> None:
    """Two distributions of ours in one environment, or a loader that starts twice, leave the loader as it was."""
    remember_checks()
    remember_checks()
    forget_checks()
    assert LOADER.get_dist_dependency_conflicts is get_dist_dependency_conflicts
    forget_checks()


def test_a_check_that_raises_is_none_of_ours() -> None:
    """What it raises goes on, and is asked again."""

    class Broken(Counted):
        def read_text(self, filename: str) -> str | None:
            raise OSError(filename)

    remember_checks()
    for _ in range(2):
        with pytest.raises(OSError, match="METADATA"):
            LOADER.get_dist_dependency_conflicts(Broken())


@pytest.mark.parametrize("function", [remember_checks, forget_checks])
def test_another_loader(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """A loader that is not there, or has no such function, is left alone, and nothing is raised."""
    with monkeypatch.context() as context:
        context.delitem(sys.modules, _load.__name__)
        function()
    with monkeypatch.context() as context:
        context.delattr(_load, "get_dist_dependency_conflicts")
        function()
        assert not hasattr(_load, "get_dist_dependency_conflicts")


def test_all_entry_points_of_ours_are_of_one_distribution() -> None:
    """As the loader gets them: so that one answer is enough."""
    found = [
        entry_point.dist
        for entry_point in entry_points(group="opentelemetry_instrumentor")
        if entry_point.name.startswith("genai_")
    ]
    assert len(found) > 10
    assert len({id(one) for one in found}) == 1
