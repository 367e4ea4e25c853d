"""Clients with the base URLs that their users have, with requests that are led to the model server."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import anthropic
import openai

from loopback import ModelServer

KEY = "sk-test-not-a-key"


def openai_at(server: ModelServer, base_url: str, kind: Any = None, **settings: Any) -> Any:
    """A client of the `openai` SDK; the caller closes it."""
    return (kind or openai.OpenAI)(
        **{"base_url": base_url, "api_key": KEY, "max_retries": 0, **settings, **_http(server, "openai")}
    )


def anthropic_at(server: ModelServer, base_url: str, kind: Any = None, **settings: Any) -> Any:
    """A client of the `anthropic` SDK; the caller closes it."""
    return (kind or anthropic.Anthropic)(
        **{"base_url": base_url, "api_key": KEY, "max_retries": 0, **settings, **_http(server, "anthropic")}
    )


def _http(server: ModelServer, sdk: str) -> Mapping[str, Any]:
    """An HTTP client, of the package that the SDK uses, that sends each request to the model server, whomever it is for."""

    def lead(request: Any) -> None:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)

    base = importlib.import_module(f"{sdk}._base_client")
    http = getattr(base, "httpx2", None) or base.httpx
    return {"http_client": http.Client(event_hooks={"request": [lead]}, verify=False)}
