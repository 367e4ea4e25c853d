"""What `opentelemetry-instrument` does once for each entry point of a distribution, done once for the distribution.

Before it loads an entry point it reads the metadata of its distribution and parses all of its requirements: always the same,
and for twenty entry points it takes longer than all else of the start. While it loads them, its answers are remembered; of our own
distribution, which requires any one of the SDKs, it is enough to find one: instrumentors check the version of their SDK themselves.
It calls these two functions by entry points of their own, which it has for that, and lets their exceptions end the whole start.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._conventions.sdks import SDKS

if TYPE_CHECKING:
    from collections.abc import Callable

_OURS = f"{__name__}:remember_checks"
_LOADER, _CHECK = "opentelemetry.instrumentation.auto_instrumentation._load", "get_dist_dependency_conflicts"


class RememberedCheck:
    """The check of a distribution, which answers once for each.

    Args:
        check: distribution -> its conflict, or None.
    """

    def __init__(self, check: Callable[..., Any]) -> None:
        self.check = check
        self._answers: dict[int, tuple[Any, Any]] = {}  # by identity, with the distribution, which so keeps it

    def __call__(self, distribution: Any) -> Any:
        """Return the conflict of a distribution, or None. Raises what the check raises."""
        found = self._answers.get(id(distribution))
        if found is None:
            conflict = None if _is_met(distribution) else self.check(distribution)
            found = self._answers[id(distribution)] = (distribution, conflict)
        return found[1]


def _is_met(distribution: Any) -> bool:
    """Return whether a distribution is the one that this module is of, and one of the SDKs is installed. Imports nothing, never raises."""
    try:
        ours = _OURS in (distribution.read_text("entry_points.txt") or "")
        return ours and any(find_spec(package) is not None for package in SDKS)
    except Exception:  # noqa: BLE001 - then the check has the word
        return False


def remember_checks() -> None:
    """Remember which distribution has which conflict. Where the loader is another one, do nothing."""
    try:
        loader = sys.modules[_LOADER]
        check = getattr(loader, _CHECK)
        if not isinstance(check, RememberedCheck):
            setattr(loader, _CHECK, RememberedCheck(check))
    except Exception:  # noqa: BLE001, S110 - it must not end the start
        pass


def forget_checks() -> None:
    """Give the loader its own function back."""
    try:
        loader = sys.modules[_LOADER]
        remembered = getattr(loader, _CHECK)
        if isinstance(remembered, RememberedCheck):
            setattr(loader, _CHECK, remembered.check)
    except Exception:  # noqa: BLE001, S110 - as above
        pass
