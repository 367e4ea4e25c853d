"""Every way to get a client of the `openai` SDK."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import openai

from contract.client import Client
from contract.drive import SYNC, Way
from contract.openai_chat import HTTP

KEY = "sk-test-not-a-key"


def _class(way: Way, name: str) -> Any:
    """A client class of the SDK, None where this one has none."""
    return getattr(openai, name if way is SYNC else f"Async{name}", None)


def _settings(url: str) -> dict[str, Any]:
    return {"base_url": f"{url}/v1", "api_key": KEY, "max_retries": 0}


def _openai(way: Way, url: str) -> Any:
    return _class(way, "OpenAI")(**_settings(url))


def _copied(way: Way, url: str) -> Any:
    return _openai(way, f"{url}/elsewhere").with_options(base_url=f"{url}/v1", timeout=20, max_retries=1)


def _own_http_client(way: Way, url: str) -> Any:
    kind = HTTP.Client if way is SYNC else HTTP.AsyncClient
    return _class(way, "OpenAI")(**_settings(url), http_client=kind(headers={"x-of-mine": "1"}))


def _subclass(way: Way, url: str) -> Any:
    """An application's own client class, with a `request` of its own around the SDK's."""
    base = _class(way, "OpenAI")

    class Own(base):  # type: ignore[misc, valid-type]
        def request(self, *args: Any, **kwargs: Any) -> Any:
            return super().request(*args, **kwargs)

    return Own(**_settings(url))


def _azure(way: Way, url: str) -> Any:
    settings = {"azure_endpoint": url, "api_key": KEY, "api_version": "2024-10-21", "max_retries": 0}
    return _class(way, "AzureOpenAI")(**settings)


def _azure_deployment(way: Way, url: str) -> Any:
    settings = {"azure_endpoint": url, "api_version": "2024-10-21", "max_retries": 0}
    return _class(way, "AzureOpenAI")(**settings, azure_deployment="mine", azure_ad_token="not-a-token")


def _bedrock(way: Way, url: str) -> Any:
    kind = _class(way, "BedrockOpenAI")
    return kind and kind(**_settings(url), aws_region="eu-west-1")


def _providing(name: str, **settings: Any) -> Callable[[Way, str], Any]:
    """`OpenAI(provider=...)` of newer SDKs."""

    def make(way: Way, url: str) -> Any:
        try:
            module = importlib.import_module(f"openai.providers.{name}")
        except ImportError:
            return None
        provider = getattr(module, name)(base_url=f"{url}/v1", **settings)
        return _class(way, "OpenAI")(provider=provider, max_retries=0)

    return make


_MODULE_CLASSES = {"openai": "_ModuleClient", "azure": "_AzureModuleClient", "amazon-bedrock": "_BedrockModuleClient"}
_MODULE_SETTINGS = ("api_key", "base_url", "api_type", "api_version", "azure_endpoint", "max_retries")
_MODULE_DEFAULTS = {name: getattr(openai, name) for name in _MODULE_SETTINGS}


def _module(api_type: str = "openai", **settings: Any) -> Callable[[Way, str], Any]:
    """The module itself, with its global settings."""

    def make(_way: Way, url: str) -> Any:
        if _MODULE_CLASSES[api_type] not in vars(openai):
            return None
        openai._reset_client()
        openai.api_type = api_type  # type: ignore[assignment]
        openai.api_key, openai.max_retries = KEY, 0
        for name, value in settings.items():
            setattr(openai, name, value.format(url=url))
        return openai

    return make


def _module_kind(module: Any) -> type:
    return type(module._load_client())


def _reset_module() -> None:
    openai._reset_client()
    for name, value in _MODULE_DEFAULTS.items():
        setattr(openai, name, value)


CLIENTS = (
    Client("client", _openai, "openai", classes=("OpenAI", "AsyncOpenAI")),
    Client("copy", _copied, "openai"),
    Client("http_client", _own_http_client, "openai"),
    Client("subclass", _subclass, "openai", classes=("Own",)),
    Client("azure", _azure, "azure.ai.openai", classes=("AzureOpenAI", "AsyncAzureOpenAI")),
    Client("azure-deployment", _azure_deployment, "azure.ai.openai"),
    Client("bedrock", _bedrock, "aws.bedrock", classes=("BedrockOpenAI", "AsyncBedrockOpenAI")),
    Client("provider-bedrock", _providing("bedrock", api_key=KEY, endpoint="mantle"), "aws.bedrock"),
    Client("provider-vertex", _providing("vertex", token_provider=lambda: KEY), "gcp.vertex_ai"),
    Client(
        "module",
        _module(base_url="{url}/v1"),
        "openai",
        ways=(SYNC,),
        classes=("_ModuleClient",),
        kind=_module_kind,
        reset=_reset_module,
    ),
    Client(
        "module-azure",
        _module("azure", azure_endpoint="{url}", api_version="2024-10-21"),
        "azure.ai.openai",
        ways=(SYNC,),
        classes=("_AzureModuleClient",),
        kind=_module_kind,
        reset=_reset_module,
    ),
    Client(
        "module-bedrock",
        _module("amazon-bedrock", base_url="{url}/v1"),
        "aws.bedrock",
        ways=(SYNC,),
        classes=("_BedrockModuleClient",),
        kind=_module_kind,
        reset=_reset_module,
    ),
)
