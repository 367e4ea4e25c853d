"""An SDK, with all that the contract has about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.client import Client
from contract.row import Row


@dataclass(frozen=True)
class Provider:
    """What the suite is parametrised with.

    Attributes:
        name: the SDK's package.
        instrumentor: makes its instrumentor.
        constants: attributes that every answered call has, those of the server left out.
        clients: the ways to get a client; the first is what all rows are called with.
        rows: every followed operation.
        samples: the rows, by name, that every other client is called with.
        always: methods that every version of the SDK has.
        not_followed: method, or resource with all of its methods -> why it makes no span.
        not_called: names of methods, with `*`, that need more than arguments, or make no request, or wait for long.
        other_paths: (method of the client, path) of requests by hand that are next to an operation's, and another's.
        resources: the base classes of the SDK's resources, sync and async.
        funnels: the base classes of the SDK's clients, sync and async.
    """

    name: str
    instrumentor: Callable[[], Any]
    constants: Mapping[str, Any]
    clients: Sequence[Client]
    rows: Sequence[Row]
    samples: Sequence[str]
    always: Sequence[str]
    not_followed: Mapping[str, str]
    not_called: Sequence[str]
    other_paths: Sequence[tuple[str, str]]
    resources: tuple[type, ...]
    funnels: tuple[type, ...]
