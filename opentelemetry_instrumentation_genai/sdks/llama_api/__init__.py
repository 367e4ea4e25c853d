"""Instrumentation of the `llama-api-client` SDK, of Meta."""

from __future__ import annotations

from typing import ClassVar

from ..._patching.stainless_instrumentor import StainlessInstrumentor


class LlamaApiInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `llama-api-client` SDK, of Meta, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "llama_api"
    package = "llama_api_client"
    distribution = "llama-api-client"
    provider = "meta"
    supported: ClassVar[tuple[str, str]] = ("0.1.0", "1")
