"""Instrumentation of the `llama-stack-client` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class LlamaStackInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `llama-stack-client` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "llama_stack"
    package = "llama_stack_client"
    distribution = "llama-stack-client"
    provider = "llama_stack"
    supported: ClassVar[tuple[str, str]] = ("0.7.0", "1")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from .._adapter.openai_api.endpoints import openai_endpoints
        from .._adapter.rerank import RERANK

        return {
            **openai_endpoints(
                "/chat/completions",
                "/completions",
                "/embeddings",
                "/responses",
                "/responses/{id}",
                "/moderations",
                "/batches",
                "/batches/{id}",
                "/vector_stores/{id}/search",
                below="/v1",
            ),
            ("post", "/v1alpha/inference/rerank"): RERANK.called_by("alpha.inference", "InferenceResource", "rerank"),
        }
