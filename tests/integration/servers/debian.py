"""Programs of another Debian release, unpacked into a private folder: nothing is installed, no service is started.

The mirror is the one that this machine's own apt is configured with.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from servers.base import run

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def available() -> bool:
    """Whether this machine is a Debian with an apt that can do it."""
    return _KEYRING.exists() and shutil.which("apt-get") is not None


def unpack(package: str, suite: str, folder: Path, without: Collection[str] = ()) -> Path:
    """Unpacks a package and everything that it depends on, its C library among it.

    Args:
        package: its name.
        suite: the release that it is taken from, as `sid`.
        folder: where it is unpacked, below `root`.
        without: dependencies that are left out, with all that only they need.

    Returns:
        The root of what was unpacked.
    """
    state, debs, root = folder / "apt", folder / "debs", folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    shutil.rmtree(debs, ignore_errors=True)
    debs.mkdir(parents=True)
    environment = _configured(state, suite)
    run("apt-get", "update", "-q", env=environment)
    needed = _needed(package, set(without), environment)
    run("apt-get", "download", "-q", *sorted(needed), cwd=debs, env=environment)
    for deb in sorted(debs.glob("*.deb")):
        run("dpkg-deb", "-x", deb, root)
    shutil.rmtree(state)
    shutil.rmtree(debs)
    return root


def _configured(state: Path, suite: str) -> dict[str, str]:
    """A configuration of apt with nothing but the suite, and the variable that names it."""
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (state / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    (state / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {suite} main\n", encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "",
    }
    configuration = state / "apt.conf"
    configuration.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()), encoding="utf-8")
    return {**os.environ, "APT_CONFIG": str(configuration)}


def _mirror() -> str:
    """Where this machine's own apt gets Debian from."""
    known = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian").split()
    if not known:
        raise OSError("apt has no Debian mirror, or `apt-get update` never ran.")
    return known[0]


def _needed(package: str, left_out: set[str], environment: dict[str, str]) -> set[str]:
    """The package with its dependencies, and theirs."""
    needed, waiting = set[str](), [package]
    while waiting:
        name = waiting.pop()
        if name in needed or name in left_out:
            continue
        needed.add(name)
        lines = run("apt-cache", "depends", "--important", name, env=environment).splitlines()
        depends = (line.strip(" |").removeprefix("Depends: ") for line in lines if "Depends: " in line)
        waiting += [other for other in depends if not other.startswith("<")]
    return needed
