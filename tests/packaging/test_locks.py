"""What tests install is locked: the files in `locks` have all that pyproject.toml asks for, so that no new lock is forgotten."""

import re
import sys
from configparser import ConfigParser
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
ENVIRONMENTS = [
    {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0", "sys_platform": platform}
    for minor in range(10, 15)
    for platform in ("linux", "darwin", "win32")
]


def commands():
    """What `tox -e lock` runs: for each lock, the groups and whether the project itself is resolved with them."""
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    for line in tox["testenv:lock"]["commands"].strip().splitlines():
        (name,) = re.findall(r"locks\{/\}(\S+)\.txt", line)
        yield name, re.findall(r"--group (\S+)", line), "pyproject.toml" in line


def group(name):
    """The requirements of a group and of those that it includes."""
    for entry in GROUPS[name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from group(entry["include-group"])


def included(name):
    """The name of a group, and the names of those that it includes."""
    yield name
    for entry in GROUPS[name]:
        if not isinstance(entry, str):
            yield from included(entry["include-group"])


LOCKS = {name: (groups, project) for name, groups, project in commands()}
BY_LOCK = pytest.mark.parametrize("lock", LOCKS)


def text(lock):
    """A lock, with each requirement on one line."""
    return (ROOT / "locks" / f"{lock}.txt").read_text().replace("\\\n", "")


def pins(lock):
    """The requirements of a lock."""
    lines = [line for line in text(lock).splitlines() if not line.startswith("#")]
    return [Requirement(line.partition("--hash")[0]) for line in lines]


def wanted(lock):
    """What pyproject.toml asks for where this lock is installed."""
    groups, project = LOCKS[lock]
    of_project = PROJECT["project"]["dependencies"] if project else ()
    return [*map(Requirement, of_project), *chain.from_iterable(map(group, groups))]


def applies(requirement, environment):
    """Whether a requirement counts there."""
    return requirement.marker is None or requirement.marker.evaluate(environment)


def missing(requirements, locked):
    """The requirements that the versions of a lock do not satisfy on every supported Python and platform."""
    for environment in ENVIRONMENTS:
        versions = {
            canonicalize_name(pin.name): next(iter(pin.specifier)).version
            for pin in locked
            if applies(pin, environment)
        }
        for requirement in requirements:
            version = versions.get(canonicalize_name(requirement.name))
            met = version is not None and requirement.specifier.contains(version, prereleases=True)
            if applies(requirement, environment) and not met:
                where = f"Python {environment['python_version']} on {environment['sys_platform']}"
                yield f"{requirement}, locked: {version}, {where}: say `make lock`"


@BY_LOCK
def test_a_lock_has_what_its_groups_ask_for(lock):
    """Each requirement of the groups, on every supported Python, in a version that it allows."""
    assert [] == list(missing(wanted(lock), pins(lock)))


def test_every_group_is_locked():
    """No group of pyproject.toml is installed from no lock."""
    assert GROUPS.keys() == set(chain.from_iterable(included(name) for groups, _ in LOCKS.values() for name in groups))


def test_what_builds_the_wheel_and_what_extras_bring_are_locked():
    """They are installed beside the groups of the newest versions."""
    extras = chain.from_iterable(PROJECT["project"]["optional-dependencies"].values())
    requirements = map(Requirement, [*PROJECT["build-system"]["requires"], *extras])
    newest = [pin for lock in ("latest", "frameworks", "sdks") for pin in pins(lock)]

    assert [] == list(missing(list(requirements), newest))


def test_a_forgotten_lock_is_found():
    """A new requirement, and a bound above the locked version, are."""
    requirements = [Requirement("no-such-distribution"), Requirement("openai>=1000")]

    assert len(requirements) * len(ENVIRONMENTS) == len(list(missing(requirements, pins("latest"))))


@BY_LOCK
def test_a_lock_has_one_version_and_its_hashes(lock):
    """Each line is one exact version with hashes; no index, no folder and no other option of a machine is in it."""
    head, *lines = text(lock).split("\n", 2)[1:]

    assert "#    tox -e lock" == head
    for line in "".join(lines).strip().splitlines():
        assert re.fullmatch(
            r"[\w.-]+(\[[\w,-]+\])?==[\w.!+-]+( ; [^/@]+?)?( +--hash=sha256:[0-9a-f]{64})+", line.strip()
        )
