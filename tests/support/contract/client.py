"""The clients of a provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contract.drive import WAYS, Way
from loopback import Reply


@dataclass(frozen=True)
class Client:
    """One way to get a client.

    Attributes:
        id: what the test is called.
        make: the way of calling and the server's URL -> a client; None where this SDK has none.
        provider: `gen_ai.provider.name` of its calls.
        ways: sync, async or both.
        classes: which classes of the SDK it stands for, by their names.
        kind: what it is made of -> its class; a module holds its client.
        reset: what puts back what making it left behind, if it is global.
        answers: what the server of a client makes of a reply, where it speaks another language than the others.
        missing: what is not installed and it cannot do without, in words; nothing where it has all of it.
        without: the rows, by name, that its SDK refuses to send to such a server.
        blind: the variants, by name, in which such an answer cannot be read.
    """

    id: str
    make: Callable[[Way, str], Any]
    provider: str
    ways: tuple[Way, ...] = WAYS
    classes: tuple[str, ...] = ()
    kind: Callable[[Any], type] = type
    reset: Callable[[], None] | None = None
    answers: Callable[[Reply], Reply] = lambda reply: reply
    missing: str = ""
    blind: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
