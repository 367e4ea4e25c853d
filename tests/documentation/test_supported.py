"""The page of what is instrumented has every endpoint that is followed, as the code has it."""

from __future__ import annotations

import json
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_is_true() -> None:
    """It is what `tox -e docs` would write."""
    text = (DOCS / "supported.md").read_text(encoding="utf-8")

    assert text == run_path(str(DOCS / "supported.py"))["page"](text)


class TestTested:
    """What is said of the versions that are tested."""

    @pytest.fixture
    def tested(self):
        """What reads locks and results."""
        return SimpleNamespace(**run_path(str(DOCS / "tested.py")))

    @pytest.fixture
    def reports(self, tested, tmp_path):
        """Writes what `make test` leaves of an environment: its versions, and how many tests did what."""

        def write(name: str, *, failed: int = 0, skipped_whole: bool = False, **versions: str) -> Path:
            (one,) = (one for one in tested.environments() if one.name == name)
            installed = [f"{sdk}=={version}" for sdk, version in {**one.versions(), **versions}.items()]
            result = {"success": not failed, "skipped": skipped_whole, "exit_code": failed}
            report = {"result": result, "installed_packages": installed, "python": {"version_info": [3, 12, 0, "", 0]}}
            (tmp_path / "tox.json").write_text(json.dumps({"testenvs": {name: report, "lint": {"result": result}}}))
            (tmp_path / f"{name}.xml").write_text(
                f'<testsuites><testsuite errors="0" failures="{failed}" skipped="2" tests="9"/></testsuites>'
            )
            return tmp_path

        return write

    def test_all_sdks_are_tested(self, tested):
        """Each one that an extra installs, in at least one environment; those of all tests on each supported Python."""
        found = [(one, sdk) for one in tested.environments() for sdk in one.versions()]

        assert {sdk for _, sdk in found} == tested.supported().keys()
        for sdk in ("openai", "anthropic", "ollama"):
            pythons = {one.python for one, name in found if name == sdk and one.lock == "latest"}
            assert pythons == {"3.10", "3.11", "3.12", "3.13", "3.14"}

    def test_the_oldest_are_the_floors(self, tested):
        """What an environment of the oldest versions tests is the lower bound of what is supported."""
        floors = {name: bounds.partition(",")[0].removeprefix(">=") for name, bounds in tested.supported().items()}
        oldest = {
            sdk: version
            for one in tested.environments()
            if "oldest" in one.lock
            for sdk, version in one.versions().items()
        }

        assert len(oldest) > 10
        assert {sdk: floors[sdk] for sdk in oldest} == oldest

    def test_a_run_that_passed(self, tested, reports):
        """It is kept with its numbers, and its lock."""
        (one,) = (one for one in tested.environments() if one.name == "sdks")

        assert tested.read(reports("sdks")) == {
            "sdks": {"lock": one.digest, "python": "3.12", "passed": 7, "skipped": 2}
        }

    @pytest.mark.parametrize("how", [{"failed": 1}, {"skipped_whole": True}])
    def test_a_run_that_did_not(self, tested, reports, how):
        """An environment that failed, or whose Python was not there, is not kept."""
        assert tested.read(reports("sdks", **how)) == {}

    def test_other_versions_than_those_of_the_lock(self, tested, reports):
        """Nothing is kept of them."""
        with pytest.raises(ValueError, match="sdks had"):
            tested.read(reports("sdks", groq="0.1"))

    def test_what_is_kept(self, tested):
        """Each result is of an environment that there is; those of another lock are not shown."""
        kept = json.loads((DOCS / "tested.json").read_text(encoding="utf-8"))
        names = {one.name for one in tested.environments()}

        assert kept.keys() <= names
        assert tested.results().keys() <= kept.keys()
        assert all(found["passed"] > 0 for found in kept.values())
