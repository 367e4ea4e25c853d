"""Streams of server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any


class Stream:
    """The chunks of a response."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self._iterator = self.__stream__()

    def __iter__(self) -> Iterator[Any]:
        yield from self._iterator

    def __stream__(self) -> Iterator[Any]:
        try:
            for line in self.response.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])
        finally:
            self.response.close()


class AsyncStream:
    """The asynchronous twin."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self._iterator = self.__stream__()

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for chunk in self._iterator:
            yield chunk

    async def __stream__(self) -> AsyncIterator[Any]:
        try:
            async for line in self.response.aiter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line[6:])
        finally:
            await self.response.aclose()
