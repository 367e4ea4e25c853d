"""Accumulates the chunks of an API that differs from another one in form alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .endpoint import Accumulator


class _Translated:
    __slots__ = ("_chunk", "_chunks", "result")

    def __init__(self, chunk: Callable[[Any], Any], chunks: Accumulator) -> None:
        self._chunk = chunk
        self._chunks = chunks
        self.result = chunks.result

    def add(self, chunk: Any) -> None:
        self._chunks.add(self._chunk(chunk))


def translated(chunk: Callable[[Any], Any], chunks: Callable[[bool], Accumulator]) -> Callable[[bool], Accumulator]:
    """Return the `accumulator` of an endpoint.

    Args:
        chunk: a chunk as received -> in the form that `chunks` reads.
        chunks: the accumulator of the API that has this form.
    """
    return lambda content: _Translated(chunk, chunks(content))
