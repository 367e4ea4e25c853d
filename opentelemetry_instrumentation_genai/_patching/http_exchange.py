"""The HTTP side of a call, while the SDK's code runs: what a seam remembers between its steps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .._adapter.json_text import read_json
from .._call.call import current_call
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._adapter.stream_usage import StreamUsage
    from .._call.call import Call
    from .propagation import Propagated


class Exchange:
    """One request with its retries, and the response.

    Args:
        client: the SDK's client that makes the call; None for a stream that sends its request later.

    Attributes:
        client: the same.
        injected: how the usage of the stream is requested, while the request is sent with that; None otherwise.
        refused: whether the server refused that.
        propagated: the headers that were added to the request, if any.
        sent: the last HTTP request that is known.
        received: the HTTP response of a plain call; its body is in memory while the SDK parses it.
    """

    __slots__ = ("client", "injected", "propagated", "received", "refused", "sent")

    def __init__(self, client: Any) -> None:
        self.client = client
        self.injected: StreamUsage | None = None
        self.refused = False
        self.propagated: Propagated | None = None
        self.sent: Any = None
        self.received: Any = None

    def release(self) -> None:
        """Keep nothing that is large. A redirect may still be followed elsewhere, so the propagated headers stay known."""
        self.client = self.sent = self.received = None


def call_of(client: Any) -> Call | None:
    """Return the current call if this client makes it: a client of another SDK, or one for tokens, may run within it."""
    call = current_call()
    if call is None or call.exchange.client is not client:
        return None
    return call


def secrets_in(request: Any, *credentials: Any) -> Callable[[], tuple[str, ...]]:
    """Return a function that returns the credentials of a call. They are read only if it fails.

    Args:
        request: of httpx or alike; None where it is not known.
        credentials: texts that are credentials besides, such as the client's key.
    """
    return partial(_credentials, request, *credentials)


def _credentials(request: Any, *others: Any) -> tuple[str, ...]:
    from .._masking.credentials import credentials_of

    return credentials_of(request, *others)


@guarded
def unparsed(call: Call) -> Any:
    """Return the JSON of a response that the SDK received and could not parse: it is billed. None if there is none."""
    received = call.exchange.received
    return None if received is None else read_json(received.content, call.unread) or {}
