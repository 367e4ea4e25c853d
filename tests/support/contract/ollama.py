"""The rows of the `ollama` SDK: its provider record, put together from its operations, clients, and what is not followed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from inspect import signature
from typing import Any

import httpx
import ollama

from contract.client import Client
from contract.drive import SYNC, Way
from contract.ollama_chat import CHAT_ROWS
from contract.ollama_others import OTHER_ROWS
from contract.provider import Provider

# By this name the package has a client.
_CLIENT_MODULE: Any = sys.modules["ollama._client"]
_STORED = "reads or changes what is stored; no model is called"
_NO_REQUEST = "makes no request"

NOT_FOLLOWED: Mapping[str, str] = {
    "close": _NO_REQUEST,
    "copy": _STORED,
    "create": _STORED,
    "create_blob": _STORED,
    "delete": _STORED,
    "list": _STORED,
    "ps": _STORED,
    "pull": _STORED,
    "push": _STORED,
    "show": _STORED,
}


# In older SDKs it wants a file.
_WITH_FILES = ("create",) if "modelfile" in signature(ollama.Client.create).parameters else ()


def _instrumentor() -> Any:
    from opentelemetry_instrumentation_genai import OllamaInstrumentor

    return OllamaInstrumentor()


def _class(way: Way) -> Any:
    return ollama.Client if way is SYNC else ollama.AsyncClient


def closing(client: Any) -> Any:
    """The client, with what closes it, which older SDKs have not."""
    if not hasattr(client, "close"):
        http = client._client
        client.close = getattr(http, "aclose", None) or http.close
    return client


class _Detour(httpx.HTTPTransport):
    """Takes requests for a host that the SDK has in its code to the model server."""

    def __init__(self, url: str) -> None:
        super().__init__(verify=False)
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        return super().handle_request(request)


class _AsyncDetour(httpx.AsyncHTTPTransport):
    """The same for asynchronous clients."""

    def __init__(self, url: str) -> None:
        super().__init__(verify=False)
        self._url = httpx.URL(url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        return await super().handle_async_request(request)


def _client(way: Way, url: str) -> Any:
    """A client with a key, without which the SDK neither searches nor fetches."""
    detour = _Detour(url) if way is SYNC else _AsyncDetour(url)
    settings = {"headers": {"authorization": "Bearer not-a-key"}, "mounts": {"https://ollama.com": detour}}
    return closing(_class(way)(host=url, verify=False, **settings))


def _subclass(way: Way, url: str) -> Any:
    """An application's own client class, with a `_request` of its own around the SDK's."""
    base = _class(way)

    class Own(base):  # type: ignore[misc, valid-type]
        def _request(self, *args: Any, **kwargs: Any) -> Any:
            return super()._request(*args, **kwargs)

    return closing(Own(host=url, verify=False))


def _module(_way: Way, url: str) -> Any:
    """The module itself: its functions are methods of one client, which gets another URL for a while."""
    _MODULE_CLIENT._client = _client(SYNC, url)._client
    return ollama


_MODULE_CLIENT: Any = ollama._client
_HTTP_CLIENT = _MODULE_CLIENT._client


def _reset_module() -> None:
    _MODULE_CLIENT._client.close()
    _MODULE_CLIENT._client = _HTTP_CLIENT


OLLAMA = Provider(
    name="ollama",
    instrumentor=_instrumentor,
    constants={},
    clients=(
        Client("ollama", _client, "ollama", classes=("Client", "AsyncClient")),
        Client("ollama-subclass", _subclass, "ollama", classes=("Own",)),
        Client("ollama-module", _module, "ollama", ways=(SYNC,), reset=_reset_module),
    ),
    rows=(*CHAT_ROWS, *OTHER_ROWS),
    samples=("ollama-chat", "ollama-generate", "ollama-embed"),
    always=("chat", "generate", "embed", "embeddings", "list", "pull"),
    not_followed=NOT_FOLLOWED,
    not_called=("close", "create_blob", *_WITH_FILES),
    other_paths=(),
    resources=(),  # type: ignore[arg-type] # all its methods are the client's own
    funnels=(_CLIENT_MODULE.BaseClient, _CLIENT_MODULE.BaseClient),
)
