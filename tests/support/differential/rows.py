"""The operations of the contract as endpoints of the fuzzer: whatever is followed is fuzzed, in every SDK that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract.anthropic import ANTHROPIC
from contract.ollama import OLLAMA
from contract.openai import OPENAI
from contract.row import Row
from contract.sdks import SDKS
from differential.endpoints import Endpoint, framed, framed_by_name, line
from loopback import Json, Ndjson, Sse, Text

# Calls by hand and helpers are fuzzed with the endpoints of `CORE`; what has values in lines makes two requests.
_STYLES = ("call", "bytes", "generator", "wrapped")
_PORTKEY = "portkey_ai"  # its client is none of the family, and calls one within


def _endpoint(sdk: str, row: Row) -> Endpoint | None:
    """Return the endpoint of a row; None for one that is not fuzzed."""
    plain, streamed, arguments = row.plain, row.streamed, row.arguments(None)
    if row.style not in _STYLES or not isinstance(plain, (Json, Text)) or _has_iterator(arguments):
        return None
    events = _events(streamed)
    return Endpoint(
        f"{sdk} {row.id}",
        sdk,
        row.method,
        arguments,
        plain.body if isinstance(plain, Json) else plain.text,
        events,
        more=() if sdk == "ollama" else Endpoint.more,
        framed=line if isinstance(streamed, Ndjson) else framed_by_name if _named(streamed) else framed,
        last=streamed.plan().terminator if events and isinstance(streamed, Sse) else b"",
        media="application/x-ndjson" if isinstance(streamed, Ndjson) else "text/event-stream",
        streaming=dict(row.stream_arguments),
    )


def _has_iterator(arguments: Any) -> bool:
    """Whether an argument gives its items once only: the second of two calls would have none of them."""
    return any(isinstance(value, Iterator) for value in arguments.values())


def _events(streamed: Any) -> list[Any]:
    """Return the events of a stream that are JSON; none if there are others, which have their place in tests of their own.

    Without a chunk that is for usage alone: a server that sends it unasked leaves no difference to a chunk that was asked for.
    """
    events = (
        [*streamed.lines] if isinstance(streamed, Ndjson) else [*streamed.events] if isinstance(streamed, Sse) else []
    )
    if not all(isinstance(event, dict) for event in events):
        return []
    return [event for event in events if event.get("choices") != []]


def _named(streamed: Any) -> bool:
    return isinstance(streamed, Sse) and streamed.event_names


def _endpoints(sdk: str, rows: Any) -> Iterator[Endpoint]:
    for row in rows:
        endpoint = _endpoint(sdk, row)
        if endpoint is not None:
            yield endpoint


FURTHER = [
    endpoint
    for sdk, provider in (("openai", OPENAI), ("anthropic", ANTHROPIC), ("ollama", OLLAMA))
    for endpoint in _endpoints(sdk, provider.rows)
]
"""The other operations of the three SDKs, and those of `CORE` with the arguments and answers of the contract."""
OF_FURTHER_SDKS = [
    endpoint
    for sdk in SDKS
    if sdk.installed and not sdk.package.startswith(_PORTKEY)
    for endpoint in _endpoints(sdk.package, sdk.rows)
]
"""Those of the further SDKs."""
