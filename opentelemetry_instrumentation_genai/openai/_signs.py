"""What servers of the OpenAI API say of themselves, in headers that all answers have, and in the answers.

A gateway in front of another server comes first: its headers stand, and the answer may be the other's.
"""

from __future__ import annotations

import re
from typing import Any

from .._adapter.fields import member, string

# `Server` of llama.cpp's server; uvicorn, under which most others run, tells nothing.
_SERVERS = {b"llama.cpp": "llama_cpp"}
# "Response headers" of LiteLLM's proxy.
_GATEWAYS = ((b"x-litellm-", "litellm"),)
# `system_fingerprint` as these servers make it, unless they are told to make another: Ollama's is a constant, vLLM's begins with
# its name ("--fingerprint-mode"), llama.cpp's with the number of its build.
_FINGERPRINTS = (
    (re.compile("fp_ollama$"), "ollama"),
    (re.compile("vllm-"), "vllm"),
    (re.compile(r"b\d+-\w"), "llama_cpp"),
)


def by_headers(headers: Any) -> str | None:
    """The provider by the headers of a response, if they tell."""
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
    """The provider by a response, if it tells."""
    fingerprint = string(member(response, "system_fingerprint"))
    if fingerprint is None:
        return None
    # LM Studio gives the model's name as fingerprint, and statistics that OpenAI does not have.
    if isinstance(member(response, "stats"), dict) and fingerprint == member(response, "model"):
        return "lm_studio"
    return next((provider for pattern, provider in _FINGERPRINTS if pattern.match(fingerprint)), None)
