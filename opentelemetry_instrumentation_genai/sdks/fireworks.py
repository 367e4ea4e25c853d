"""Instrumentation of the `fireworks-ai` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class FireworksInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `fireworks-ai` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "fireworks"
    distribution = "fireworks-ai"
    provider = "fireworks"
    supported: ClassVar[tuple[str, str]] = ("1.2.0", "2")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from .._adapter.anthropic_api.messages import MESSAGES
        from .._adapter.openai_api.endpoints import openai_endpoints

        return {
            **openai_endpoints("/chat/completions", "/completions", below="/v1"),
            ("post", "/v1/messages"): MESSAGES.called_by("messages", "MessagesResource"),
        }
