"""Every way to get a client of the `anthropic` SDK."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import anthropic

from contract.anthropic_messages import HTTP
from contract.client import Client
from contract.drive import SYNC, Way
from loopback.anthropic_bodies import on_bedrock

KEY, TOKEN = "sk-ant-api03-not-a-key", "not-a-token"
_AWS = {"aws_access_key": "AKIANOTAKEY", "aws_secret_key": "not-a-secret", "aws_region": "eu-west-1"}
# What signs a request for AWS, and what reads its streams.
_NO_BOTO = "" if find_spec("boto3") else "boto3 is not installed"


def _class(way: Way, name: str) -> Any:
    """A client class of the SDK, None where this one has none."""
    return getattr(anthropic, name if way is SYNC else f"Async{name}", None)


def _making(name: str, path: str = "", **settings: Any) -> Callable[[Way, str], Any]:
    """Makes clients of that class; ``path`` follows the server's URL."""

    def make(way: Way, url: str) -> Any:
        kind = _class(way, name)
        return kind and kind(**{"base_url": url + path, "max_retries": 0, **settings})

    return make


_anthropic = _making("Anthropic", api_key=KEY)


def _copied(way: Way, url: str) -> Any:
    return _anthropic(way, f"{url}/elsewhere").with_options(base_url=url, timeout=20, max_retries=1)


def _own_http_client(way: Way, url: str) -> Any:
    kind = HTTP.Client if way is SYNC else HTTP.AsyncClient
    return _making("Anthropic", api_key=KEY, http_client=kind(headers={"x-of-mine": "1"}))(way, url)


def _subclass(way: Way, url: str) -> Any:
    """An application's own client class, with a `request` of its own around the SDK's."""
    base = _class(way, "Anthropic")

    class Own(base):  # type: ignore[misc, valid-type]
        def request(self, *args: Any, **kwargs: Any) -> Any:
            return super().request(*args, **kwargs)

    return Own(base_url=url, api_key=KEY, max_retries=0)


def _with_middleware(way: Way, url: str) -> Any:
    """A client with what the application puts around each attempt; newer SDKs have that."""
    if not hasattr(anthropic, "Middleware"):
        return None

    class Passing(anthropic.Middleware):
        def handle(self, request: Any, call_next: Any) -> Any:
            return call_next(request)

        async def handle_async(self, request: Any, call_next: Any) -> Any:
            return await call_next(request)

    return _anthropic(way, url).with_options(middleware=[Passing(), Passing()])


def _copied_bedrock(way: Way, url: str) -> Any:
    return _making("AnthropicBedrock", **_AWS)(way, f"{url}/elsewhere").with_options(base_url=url)


def _bedrock_key(way: Way, url: str) -> Any:
    """Amazon Bedrock by an API key, which newer SDKs take."""
    try:
        return _making("AnthropicBedrock", api_key=KEY, aws_region="eu-west-1")(way, url)
    except TypeError:
        return None


def _of(name: str) -> tuple[str, str]:
    """The sync class and the async one."""
    return name, f"Async{name}"


_VERTEX = _making("AnthropicVertex", "/v1", region="eu", project_id="p", access_token=TOKEN)
_FOUNDRY = _making("AnthropicFoundry", "/anthropic", api_key=KEY)
_FOUNDRY_TOKEN = _making("AnthropicFoundry", "/anthropic", azure_ad_token_provider=lambda: TOKEN)
_GOOGLE = _making("AnthropicGoogleCloud", workspace_id="w", project="p", token_provider=lambda: TOKEN)
# Streams of Amazon Bedrock are no text: read as lines, nobody knows what they say.
_BEDROCK: dict[str, Any] = {
    "answers": on_bedrock,
    "blind": ("streaming-iter_lines-stream",),
    "missing": _NO_BOTO,
    "without": ("count-tokens", "beta-count-tokens"),
}

CLIENTS = (
    Client("client", _anthropic, "anthropic", classes=_of("Anthropic")),
    Client("token", _making("Anthropic", auth_token=TOKEN), "anthropic"),
    Client("copy", _copied, "anthropic"),
    Client("http_client", _own_http_client, "anthropic"),
    Client("subclass", _subclass, "anthropic", classes=("Own",)),
    Client("middleware", _with_middleware, "anthropic"),
    Client(
        "bedrock",
        _making("AnthropicBedrock", **_AWS),
        "aws.bedrock",
        classes=_of("AnthropicBedrock"),
        **_BEDROCK,
    ),
    Client("bedrock-copy", _copied_bedrock, "aws.bedrock", **_BEDROCK),
    Client("bedrock-key", _bedrock_key, "aws.bedrock", **_BEDROCK),
    Client(
        "mantle",
        _making("AnthropicBedrockMantle", **_AWS),
        "aws.bedrock",
        classes=_of("AnthropicBedrockMantle"),
        missing=_NO_BOTO,
    ),
    Client("mantle-key", _making("AnthropicBedrockMantle", api_key=KEY, aws_region="eu-west-1"), "aws.bedrock"),
    Client("vertex", _VERTEX, "gcp.vertex_ai", classes=_of("AnthropicVertex")),
    Client(
        "aws",
        _making("AnthropicAWS", **_AWS, workspace_id="w"),
        "anthropic",
        classes=_of("AnthropicAWS"),
        missing=_NO_BOTO,
    ),
    Client("aws-key", _making("AnthropicAWS", api_key=KEY, aws_region="eu-west-1", workspace_id="w"), "anthropic"),
    Client("foundry", _FOUNDRY, "anthropic", classes=_of("AnthropicFoundry")),
    Client("foundry-token", _FOUNDRY_TOKEN, "anthropic"),
    Client("google-cloud", _GOOGLE, "anthropic", classes=_of("AnthropicGoogleCloud")),
)
