"""The method through which all calls go, and the error that it raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx


class AcmeError(Exception):
    """The server refuses."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"Error code: {response.status_code}")
        self.response = response
        self.request = response.request
        self.body = response.json()


@dataclass
class Options:
    """What is requested."""

    method: str
    url: str
    json_data: Any
    extra_json: Any = None
    params: Any = None
    headers: Any = None


class BaseClient:
    """What both clients have."""

    def __init__(self, base_url: str, client: Any) -> None:
        self.base_url = httpx.URL(base_url)
        self.default_headers = {"accept": "application/json"}
        self._client = client

    def _build_request(self, options: Options) -> httpx.Request:
        url = self.base_url.join(options.url)
        request: httpx.Request = self._client.build_request(options.method.upper(), url, json=options.json_data)
        return request


class SyncAPIClient(BaseClient):
    """The client of synchronous code."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, httpx.Client(trust_env=False))

    def request(self, cast_to: Any, options: Options, *, stream: bool = False, stream_cls: Any = None) -> Any:
        """Send a request."""
        response = self._client.send(self._build_request(options), stream=stream)
        if response.is_error:
            response.read()
            raise AcmeError(response)
        return self._process_response(
            cast_to=cast_to, options=options, response=response, stream=stream, stream_cls=stream_cls
        )

    def _process_response(self, *, cast_to: Any, options: Any, response: Any, stream: bool, stream_cls: Any) -> Any:
        return stream_cls(response) if stream else response.json()


class AsyncAPIClient(BaseClient):
    """The client of asynchronous code."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, httpx.AsyncClient(trust_env=False))

    async def request(self, cast_to: Any, options: Options, *, stream: bool = False, stream_cls: Any = None) -> Any:
        """Send a request."""
        response = await self._client.send(self._build_request(options), stream=stream)
        if response.is_error:
            await response.aread()
            raise AcmeError(response)
        return await self._process_response(
            cast_to=cast_to, options=options, response=response, stream=stream, stream_cls=stream_cls
        )

    async def _process_response(
        self, *, cast_to: Any, options: Any, response: Any, stream: bool, stream_cls: Any
    ) -> Any:
        return stream_cls(response) if stream else response.json()
