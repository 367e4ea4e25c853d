"""An SDK as the Stainless generator makes them, as small as one can be: for the test that follows an SDK nobody has seen."""

from __future__ import annotations

from typing import Any

from acme._base_client import AsyncAPIClient, Options, SyncAPIClient
from acme._streaming import AsyncStream, Stream
from acme._version import __version__

__all__ = ["Acme", "AsyncAcme", "__version__"]


class Acme(SyncAPIClient):
    """The client."""

    def ask(self, *, stream: bool = False, **body: Any) -> Any:
        """Have a question answered."""
        options = Options("post", "/v1/answers", {**body, "stream": stream})
        return self.request(dict, options, stream=stream, stream_cls=Stream)


class AsyncAcme(AsyncAPIClient):
    """The asynchronous client."""

    async def ask(self, *, stream: bool = False, **body: Any) -> Any:
        """Have a question answered."""
        options = Options("post", "/v1/answers", {**body, "stream": stream})
        return await self.request(dict, options, stream=stream, stream_cls=AsyncStream)
