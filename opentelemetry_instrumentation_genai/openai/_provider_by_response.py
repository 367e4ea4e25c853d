"""How servers of the OpenAI API identify themselves: in the headers of every response, and in response bodies.

The headers take precedence: a gateway sets its own, and may pass on the body of the server behind it.
"""

from __future__ import annotations

import re
from typing import Any

from .._adapter.fields import member, string

# `Server` header of llama.cpp's server; most others run under uvicorn, which does not identify them.
_SERVERS = {b"llama.cpp": "llama_cpp"}
# "Response headers" of LiteLLM's proxy.
_GATEWAYS = ((b"x-litellm-", "litellm"),)
# Default `system_fingerprint` of these servers: Ollama's is a constant, vLLM's begins with its name
# ("--fingerprint-mode"), llama.cpp's with its build number.
_FINGERPRINTS = (
    (re.compile("fp_ollama$"), "ollama"),
    (re.compile("vllm-"), "vllm"),
    (re.compile(r"b\d+-\w"), "llama_cpp"),
)


def by_headers(headers: Any) -> str | None:
    """Return the provider that the headers of a response identify, if any."""
    server = None
    for name, value in headers.raw:
        lowered = name.lower()
        if lowered == b"server":
            server = _SERVERS.get(value)
        elif lowered.startswith(b"x-"):
            for prefix, provider in _GATEWAYS:
                if lowered.startswith(prefix):
                    return provider
    return server


def by_response(response: Any) -> str | None:
    """Return the provider that a response identifies, if any."""
    fingerprint = string(member(response, "system_fingerprint"))
    if fingerprint is None:
        return None
    # LM Studio sets the fingerprint to the model's name, and adds `stats`, which OpenAI does not have.
    if isinstance(member(response, "stats"), dict) and fingerprint == member(response, "model"):
        return "lm_studio"
    return next((provider for pattern, provider in _FINGERPRINTS if pattern.match(fingerprint)), None)
