"""How the usage of a stream is requested, where a provider sends it on request only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class StreamUsage:
    """How the usage of a stream is requested, and what that adds to the stream.

    Attributes:
        member: the member of a chunk that holds the usage; null in chunks without usage, if it was requested.
        members: request body -> the members that request usage, sent in place of the caller's; None if no change is needed.
        unasked: providers that send usage without a request for it.
        refused: texts that occur in the body of a response that refuses these members.
        withheld: chunk, and headers of the response -> whether it was sent only because usage was requested.
        last: chunk -> whether it could have been the last one, had usage not been requested.
        moved: headers of the response -> members that the withheld chunk has in place of the last one.
    """

    member: str
    members: Callable[[Mapping[str, Any]], dict[str, Any] | None]
    unasked: frozenset[str]
    refused: Sequence[bytes]
    withheld: Callable[[Any, Mapping[str, str]], bool]
    last: Callable[[Any], bool]
    moved: Callable[[Mapping[str, str]], Sequence[str]]
