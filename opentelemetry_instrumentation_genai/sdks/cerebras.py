"""Instrumentation of the `cerebras-cloud-sdk`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class CerebrasInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `cerebras-cloud-sdk`, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "cerebras"
    package = "cerebras.cloud.sdk"
    distribution = "cerebras-cloud-sdk"
    provider = "cerebras"
    supported: ClassVar[tuple[str, str]] = ("1.5.0", "2")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from dataclasses import replace

        from .._adapter.openai_api.chat import CHAT
        from .._adapter.openai_api.completions import COMPLETIONS
        from .._adapter.openai_api.timings import cerebras_timings

        chat, completions = replace(CHAT, timings=cerebras_timings), replace(COMPLETIONS, timings=cerebras_timings)
        return {
            ("post", "/v1/chat/completions"): chat.called_by("chat.completions", "CompletionsResource"),
            ("post", "/v1/completions"): completions.called_by("completions", "CompletionsResource"),
        }
