"""The seam of a framework: methods that are patched, each with a wrapper that records what runs in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .patch import Patches


class FrameworkSeam:
    """The patches of a framework. Its wrappers record nothing once the instrumentor is not active; nothing waits for its end.

    Args:
        targets: (module, `Class.method`, wrapper) rows.
    """

    active = True

    def __init__(self, targets: Iterable[tuple[str, str, Callable[..., object]]]) -> None:
        self._targets = tuple(targets)

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the rows."""
        return self._targets

    def start(self, patches: Patches, /) -> None:
        """Do nothing: there are the patches alone."""

    def stop(self) -> None:
        """Do nothing: an operation that runs ends as it would."""

    def close(self) -> None:
        """Do nothing: these operations have no completion hook."""
