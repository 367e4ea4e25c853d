"""Instrumentation of the `groq` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class GroqInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `groq` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "groq"
    distribution = "groq"
    provider = "groq"
    supported: ClassVar[tuple[str, str]] = ("0.9.0", "2")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from dataclasses import replace

        from .._adapter.openai_api.chat import CHAT
        from .._adapter.openai_api.endpoints import openai_endpoints
        from .._adapter.openai_api.timings import groq_timings

        chat = replace(CHAT, timings=groq_timings)
        return {
            **openai_endpoints(
                "/embeddings",
                "/audio/transcriptions",
                "/audio/translations",
                "/audio/speech",
                "/batches",
                "/batches/{id}",
                below="/openai/v1",
                suffix="",
            ),
            ("post", "/openai/v1/chat/completions"): chat.called_by("chat.completions", "Completions"),
        }
