"""Which versions of the SDKs the environments of tox test, on which Python, and how these ended; `supported.py` makes tables of it.

    python docs/tested.py reports      keep what `make test` has left in `reports`, for the tables

The versions are those of `locks` and `tox.ini`. Of results only environments that passed are kept, in `tested.json` beside this page, each
with the digest of its lock: with another lock they do not count any more.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("tested.json")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Extras that are not for an SDK.
NO_SDKS = ("cli", "instruments-any", "prices", "upload")
# These are in all environments, for the tests of the others; they are tested in those of a Python.
EVERYWHERE = ("openai", "anthropic", "ollama")
# In the environments of all tests, since it signs requests of other SDKs; tested in these.
BOTO3 = ("sdks", "clouds-oldest")


@dataclass(frozen=True)
class Environment:
    """One of tox.

    Attributes:
        name: by which tox knows it.
        python: such as `3.12`; empty where it is the one that runs tox.
        lock: the name of its lock.
        group: the dependency group that it installs.
    """

    name: str
    python: str
    lock: str
    group: str

    @property
    def digest(self) -> str:
        """What changes with its versions."""
        return hashlib.sha256((ROOT / "locks" / f"{self.lock}.txt").read_bytes()).hexdigest()[:16]

    def versions(self) -> dict[str, str]:
        """The SDKs that it tests, each with its version."""
        wanted = {canonicalize_name(Requirement(one).name) for one in _group(self.group) if isinstance(one, str)}
        wanted |= {"boto3"} if self.name in BOTO3 else set()
        wanted &= supported().keys()
        if not self.name.startswith("py"):
            wanted -= set(EVERYWHERE)
        python = self.python or "3.12"
        where = {"python_version": python, "python_full_version": f"{python}.0"}
        pins = [pin for pin in _pins(self.lock) if pin.name in wanted and _applies(pin, where)]
        return {pin.name: next(iter(pin.specifier)).version for pin in pins}


def supported() -> dict[str, str]:
    """The distributions of SDKs, with the versions that are supported."""
    extras = PROJECT["project"]["optional-dependencies"]
    requirements = [Requirement(one) for name, some in extras.items() if name not in NO_SDKS for one in some]
    return {
        canonicalize_name(one.name): ", ".join(sorted(map(str, one.specifier), reverse=True)) for one in requirements
    }


def environments() -> list[Environment]:
    """Those of `make test` that test SDKs."""
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    found = []
    for name in _names(tox["tox"]["env_list"]):
        section = f"testenv:{name}"
        if python := re.match(r"py3(\d+)-(\w+)", name):
            found.append(Environment(name, f"3.{python[1]}", python[2], python[2]))
        elif tox.has_section(section) and "dependency_groups" in tox[section]:
            own = tox[section]
            lock = re.findall(r"locks\{/\}(\S+)\.txt", own.get("constraints", ""))
            base = own.get("base_python", "").removeprefix("python")
            found.append(Environment(name, base, lock[0] if lock else "latest", own["dependency_groups"]))
    return [one for one in found if one.versions()]


def results() -> dict[str, Any]:
    """What is kept of each environment, if it passed with the lock that there is."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {one.name: kept[one.name] for one in environments() if kept.get(one.name, {}).get("lock") == one.digest}


def read(reports: Path) -> dict[str, Any]:
    """What `make test` left of the environments that passed and have tests.

    Raises:
        ValueError: an environment was installed with other versions than those of its lock.
    """
    found: dict[str, Any] = {}
    made = json.loads((reports / "tox.json").read_text(encoding="utf-8"))["testenvs"]
    for one in environments():
        report, file = made.get(one.name, {}), reports / f"{one.name}.xml"
        if not report.get("result", {}).get("success") or report["result"]["skipped"] or not file.exists():
            continue
        installed = {line for line in report["installed_packages"] if line.partition("==")[0] in one.versions()}
        if installed != {f"{name}=={version}" for name, version in one.versions().items()}:
            raise ValueError(f"{one.name} had {sorted(installed)}, its lock has {one.versions()}")
        python = ".".join(map(str, report["python"]["version_info"][:2]))
        found[one.name] = {"lock": one.digest, "python": python, **_counted(file)}
    return found


def _counted(file: Path) -> dict[str, int]:
    """How many tests of a report passed and how many were skipped: none failed, where the environment passed."""
    suites = list(ET.parse(file).getroot().iter("testsuite"))  # noqa: S314 - of our own tests
    tests, skipped = (sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "skipped"))
    return {"passed": tests - skipped, "skipped": skipped}


def _names(env_list: str) -> list[str]:
    """The names of a list, with `py3{10,11}-latest` written out."""
    lines = [line.strip() for line in env_list.splitlines() if line.strip() and not line.strip().startswith("#")]
    names = []
    for line in lines:
        before, brace, rest = line.partition("{")
        inside, _, after = rest.partition("}")
        names += [before + one + after for one in inside.split(",")] if brace else [line]
    return names


def _group(name: str) -> list[Any]:
    found: list[Any] = PROJECT["dependency-groups"][name]
    return found


def _pins(lock: str) -> list[Requirement]:
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8").replace("\\\n", "")
    return [Requirement(line.partition("--hash")[0]) for line in text.splitlines() if line and not line.startswith("#")]


def _applies(requirement: Requirement, where: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**where, "sys_platform": "linux"})


if __name__ == "__main__":
    known = results() | read(Path(sys.argv[1]))
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
