"""Instrumentation of the `llama-api-client` SDK, of Meta."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._adapter.endpoint import Endpoint

__all__ = ["LlamaApiInstrumentor"]


class LlamaApiInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `llama-api-client` SDK, of Meta, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "llama_api"
    package = "llama_api_client"
    distribution = "llama-api-client"
    provider = "meta"
    supported: ClassVar[tuple[str, str]] = ("0.1.0", "1")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from ._endpoints import ENDPOINTS

        return ENDPOINTS
