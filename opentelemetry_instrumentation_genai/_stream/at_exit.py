"""What is still open when the process exits is ended before the providers shut down."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from .._runtime.guard import guarded
from .._runtime.lifetime import finish_pending

if TYPE_CHECKING:
    from collections.abc import Callable


class Unfinished(Protocol):
    """What ends at the exit of the process, if it has not ended before."""

    def exit(self) -> None:
        """End it, because the process exits."""


_unfinished: WeakSet[Unfinished] = WeakSet()
_callbacks_seen = -1


def end_at_exit(unfinished: Unfinished) -> None:
    """End it when the process exits, if it is still there: it is held weakly."""
    _register_at_exit()
    _unfinished.add(unfinished)


def _register_at_exit() -> None:
    """Register `finish_all` to run before the providers shut down: what is registered last runs first.

    Each registration costs a slot for ever, so this registers again only if somebody else has registered a function since.
    """
    global _callbacks_seen  # noqa: PLW0603 - a process has one
    count: Callable[[], int] = getattr(atexit, "_ncallbacks", int)
    if _callbacks_seen != count():
        atexit.unregister(finish_all)
        atexit.register(finish_all)
        _callbacks_seen = count()


@guarded
def finish_all() -> None:
    """End all that is open."""
    finish_pending()
    for unfinished in list(_unfinished):
        unfinished.exit()
