"""Instrumentation of the `perplexityai` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class PerplexityInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `perplexityai` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "perplexity"
    distribution = "perplexityai"
    provider = "perplexity"
    supported: ClassVar[tuple[str, str]] = ("0.14.0", "1")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from .._adapter.openai_api.decisions import DECISIONS
        from .._adapter.openai_api.embeddings import EMBEDDINGS
        from .._adapter.openai_api.endpoints import openai_endpoints
        from .._adapter.openai_api.response_operations import CANCEL_RESPONSE
        from .._adapter.web_search import SEARCH

        return {
            **openai_endpoints("/chat/completions"),
            **openai_endpoints("/responses", "/responses/{id}", "/embeddings", below="/v1"),
            ("post", "/v1/responses/{id}/cancel"): CANCEL_RESPONSE,
            ("post", "/v1/contextualizedembeddings"): EMBEDDINGS,
            ("post", "/v1/decisions"): DECISIONS,
            ("post", "/search"): SEARCH,
        }
