"""Instrumentation of the `sambanova` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class SambaNovaInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `sambanova` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "sambanova"
    distribution = "sambanova"
    provider = "sambanova"
    supported: ClassVar[tuple[str, str]] = ("1.2.0", "2")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from dataclasses import replace

        from .._adapter.anthropic_api.count_tokens import COUNT_TOKENS
        from .._adapter.anthropic_api.messages import MESSAGES
        from .._adapter.openai_api.chat import CHAT
        from .._adapter.openai_api.endpoints import openai_endpoints
        from .._adapter.openai_api.timings import sambanova_timings

        chat = replace(CHAT, timings=sambanova_timings)
        return {
            **openai_endpoints(
                "/completions", "/embeddings", "/responses", "/audio/transcriptions", "/audio/translations"
            ),
            ("post", "/chat/completions"): chat.called_by("chat.completions", "CompletionsResource"),
            ("post", "/messages"): MESSAGES.called_by("messages", "MessagesResource"),
            ("post", "/messages/count_tokens"): COUNT_TOKENS.called_by("messages", "MessagesResource", "count_tokens"),
        }
