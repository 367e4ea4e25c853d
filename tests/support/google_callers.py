"""Calls of the `google-genai` SDK, sync and async alike, each with a client of its own."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import google.genai
from google.genai import types

from loopback import ModelServer

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to load all certificates takes longer than a call
KEY = "AIza-test-not-a-key"


class Caller:
    """Makes calls of one kind of client.

    Args:
        server: the model server.
        kind: `sync`, or `async`, which sends by aiohttp.
        vertex: whether the client speaks Vertex AI's API.
    """

    def __init__(self, server: ModelServer, kind: str = "sync", *, vertex: bool = False) -> None:
        self.server = server
        self.kind = kind
        self.vertex = vertex

    def client(self, **options: Any) -> Any:
        """A client with options of HTTP."""
        args = {"client_args": {"verify": TLS}, "async_client_args": {"verify": TLS, "ssl": TLS}}
        given = types.HttpOptions(**{"base_url": self.server.url, **args, **options})
        return google.genai.Client(api_key=KEY, vertexai=self.vertex, http_options=given)

    def __call__(self, method: str, *, options: Any = None, **arguments: Any) -> Any:
        """The result of a method of `models`; of a stream, its chunks."""
        return self.run(_all_of(method, arguments), options or {})

    def run(self, use: Callable[[Any, Any], Any], options: Any = None) -> Any:
        """The result of a coroutine function that is called with the part of a client that is of this kind, and `call`."""
        return asyncio.run(self._run(use, options or {}))

    async def _run(self, use: Callable[[Any, Any], Any], options: Any) -> Any:
        async with closing(self.client(**options)) as client:
            return await use(client.aio if self.kind == "async" else client, done)


@asynccontextmanager
async def closing(client: Any) -> AsyncIterator[Any]:
    """The client, which is closed in the end."""
    try:
        yield client
    finally:
        await _closed(client)


async def _closed(client: Any) -> None:
    if hasattr(client, "close"):
        await client.aio.aclose()
        client.close()
    else:
        session = getattr(client._api_client, "_aiohttp_session", None)
        if session is not None:
            await session.close()
        await client._api_client._async_httpx_client.aclose()
        client._api_client._httpx_client.close()


async def done(result: Any) -> Any:
    """What a method returned, or what is awaited for it."""
    return await result if inspect.isawaitable(result) else result


def _all_of(method: str, arguments: Any) -> Callable[[Any, Any], Any]:
    async def use(client: Any, done: Any) -> Any:
        result = await done(getattr(client.models, method)(**arguments))
        if hasattr(result, "__anext__"):
            return [chunk async for chunk in result]
        return list(result) if hasattr(result, "__next__") else result

    return use
