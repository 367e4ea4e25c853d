"""Instrumentation of the `together` SDK, of Together AI."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class TogetherInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `together` SDK, of Together AI, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "together"
    distribution = "together"
    provider = "together_ai"
    supported: ClassVar[tuple[str, str]] = ("2.0.0", "4")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from .._adapter.openai_api.endpoints import openai_endpoints
        from .._adapter.rerank import RERANK

        paths = (
            "/chat/completions",
            "/completions",
            "/embeddings",
            "/images/generations",
            "/audio/transcriptions",
            "/audio/translations",
            "/audio/speech",
        )
        rerank = RERANK.called_by("rerank", "RerankResource")
        return {
            **openai_endpoints(*paths),
            **openai_endpoints(*paths, below="/v1"),  # from 3.0 on
            ("post", "/rerank"): rerank,
            ("post", "/v1/rerank"): rerank,
        }
