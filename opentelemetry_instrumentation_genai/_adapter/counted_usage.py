"""What has been counted: usage that several calls see, and that only one of them may count."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

_MOST = 4096  # ids that are remembered, some 400 KiB


class Counted:
    """The ids of what has been counted, the latest of them. It is the knowledge of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ids: OrderedDict[str, None] = OrderedDict()

    def first(self, identity: str) -> bool:
        """Return whether an id is seen for the first time, and remember it."""
        with self._lock:
            known = identity in self._ids
            self._ids[identity] = None
            self._ids.move_to_end(identity)
            if len(self._ids) > _MOST:
                self._ids.popitem(last=False)
        return not known
