"""What has been counted: usage that several calls see, and that only one of them may count."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

_MOST = 4096  # ids that are remembered, some 400 KiB


class Counted:
    """What has been counted: the latest ids, of a sequence how far. It is the knowledge of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._positions: OrderedDict[str, int] = OrderedDict()

    def first(self, identity: str) -> bool:
        """Return whether an id is seen for the first time, and remember it."""
        return self.beyond(identity, 1)

    def beyond(self, identity: str, position: int) -> bool:
        """Return whether an entry of a sequence is seen for the first time, and remember it, and with it all before it.

        Args:
            identity: of the sequence, which has the same entries in the same order whenever it is read.
            position: of the entry, from 1 on.
        """
        with self._lock:
            known = self._positions.get(identity, 0)
            self._positions[identity] = max(known, position)
            self._positions.move_to_end(identity)
            if len(self._positions) > _MOST:
                self._positions.popitem(last=False)
        return position > known
