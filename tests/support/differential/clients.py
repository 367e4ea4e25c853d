"""The clients of the SDKs, which count the calls that come to where they are followed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import opentelemetry_instrumentation_genai
from contract.sdks import SDKS

SECONDS = 10.0
_FURTHER = {sdk.package: sdk for sdk in SDKS}
_INSTRUMENTORS: Mapping[str, str] = {
    "openai": "OpenAIInstrumentor",
    "anthropic": "AnthropicInstrumentor",
    "ollama": "OllamaInstrumentor",
    "google.genai": "GoogleGenAIInstrumentor",
    "botocore": "BedrockInstrumentor",
    **{sdk.package: sdk.name for sdk in SDKS},
}
_CLIENTS: Mapping[str, str] = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "ollama": "Client",
    **{sdk.package: sdk.client for sdk in SDKS},
}


def instrumentor(sdk: str) -> Any:
    """Return a new instrumentor of an SDK."""
    make: Callable[[], Any] = getattr(opentelemetry_instrumentation_genai, _INSTRUMENTORS[sdk])
    return make()


def calls(sdk: str, way: str) -> int | None:
    """Return how many calls the clients have made until now; None for clients that do not count.

    Args:
        sdk: the SDK's package.
        way: `sync` or `async`.
    """
    return None if sdk in _CLOUDS else client_class(sdk, way).calls  # type: ignore[attr-defined,no-any-return]


@functools.cache
def client_class(sdk: str, way: str) -> type:
    """Return a class of clients, with the number of their calls in `calls`.

    Args:
        sdk: the SDK's package.
        way: `sync` or `async`.
    """
    base: type = getattr(import_module(sdk), "Async" * (way == "async") + _CLIENTS[sdk])
    return _counting(base, asynchronous=way == "async", name="_request" if sdk == "ollama" else "request")


@functools.cache
def client(sdk: str, way: str, url: str, retries: int = 0) -> Any:
    """Return the client of a server.

    Args:
        sdk: the SDK's package.
        way: `sync` or `async`.
        url: of the server.
        retries: how often it may send a request again.
    """
    if sdk in _CLOUDS:
        return _CLOUDS[sdk](way, url, retries)
    kind = client_class(sdk, way)
    if sdk == "ollama":
        return kind(host=url, verify=False, timeout=SECONDS)
    base = f"{url}/v1" if sdk == "openai" else url
    more = _FURTHER[sdk].settings if sdk in _FURTHER else {}
    return kind(base_url=base, api_key="sk-fuzz-0123456789", max_retries=retries, timeout=SECONDS, **more)


def _google(way: str, url: str, retries: int) -> Any:
    from google_callers import Caller

    again = {"attempts": 1 + retries, "initial_delay": 0.001, "max_delay": 0.001}
    options = {"timeout": int(SECONDS * 1000), "retry_options": again}
    made = Caller(SimpleNamespace(url=url)).client(**options)  # type: ignore[arg-type]
    return made.aio if way == "async" else made


def _botocore(_way: str, url: str, retries: int) -> Any:
    from bedrock_calls import client_of

    return client_of(url, attempts=1 + retries, read_timeout=SECONDS)


_CLOUDS: Mapping[str, Callable[[str, str, int], Any]] = {"google.genai": _google, "botocore": _botocore}


def _counting(base: type, *, asynchronous: bool, name: str) -> type:
    class Counting(base):  # type: ignore[misc, valid-type]
        calls = 0

    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        if base.__module__.startswith("ollama") and kwargs.get("stream") is True:
            return getattr(base, name)(self, *args, **kwargs)
        Counting.calls += 1
        return getattr(base, name)(self, *args, **kwargs)

    async def async_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await request(self, *args, **kwargs)

    setattr(Counting, name, async_request if asynchronous else request)
    return Counting
