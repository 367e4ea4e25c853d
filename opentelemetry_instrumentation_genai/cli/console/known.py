"""Which messages were shown before: each call of a conversation sends the whole of it again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from .messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST = 5_000


class Known:
    """The messages of late, by their hashes."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, None] = OrderedDict()

    def new(self, messages: Sequence[Message]) -> Iterator[Message]:
        """Return the messages that are new; in place of those that are known, how many there are."""
        known = 0
        for message in messages:
            if message.known and self._is_known(message):
                known += 1
                continue
            self._remember(message)
            if known:
                yield _repeated(known)
            known = 0
            yield message
        if known:
            yield _repeated(known)

    def _is_known(self, message: Message) -> bool:
        return hash((message.role, message.text)) in self._seen

    def _remember(self, message: Message) -> None:
        key = hash((message.role, message.text))
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)


def _repeated(count: int) -> Message:
    return Message("…", "1 part as before" if count == 1 else f"{count} parts as before")
