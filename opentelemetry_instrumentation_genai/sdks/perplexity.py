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
        from dataclasses import replace

        from .._adapter.fields import both, count, field, table
        from .._adapter.openai_api.decisions import DECISIONS
        from .._adapter.openai_api.embeddings import EMBEDDINGS
        from .._adapter.openai_api.endpoints import openai_endpoints
        from .._adapter.openai_api.response_operations import CANCEL_RESPONSE
        from .._adapter.web_search import SEARCH
        from .._conventions import names

        details = "usage.input_tokens_details"  # with names that differ from those of OpenAI
        cached = table(
            field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, f"{details}.cache_read_input_tokens"),
            field(names.USAGE_CACHE_WRITE_INPUT_TOKENS, count, f"{details}.cache_creation_input_tokens"),
            field(names.USAGE_CACHE_CREATION_INPUT_TOKENS, count, f"{details}.cache_creation_input_tokens"),
        )
        responses = openai_endpoints("/responses", "/responses/{id}", below="/v1")
        return {
            **openai_endpoints("/chat/completions"),
            **openai_endpoints("/embeddings", below="/v1"),
            **{key: replace(one, response=both(one.response, cached)) for key, one in responses.items()},
            ("post", "/v1/responses/{id}/cancel"): CANCEL_RESPONSE,
            ("post", "/v1/contextualizedembeddings"): EMBEDDINGS,
            ("post", "/v1/decisions"): DECISIONS,
            ("post", "/search"): SEARCH,
        }
