"""Instrumentation of the `portkey-ai` SDK, which has OpenAI's SDK within: that sends its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint


class PortkeyInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `portkey-ai` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "portkey"
    package = "portkey_ai"
    distribution = "portkey-ai"
    provider = "portkey"
    supported: ClassVar[tuple[str, str]] = ("2.0.0", "3")

    @classmethod
    def _sending_package(cls) -> str:
        return "portkey_ai._vendor.openai"

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from .._adapter.openai_api.endpoints import ENDPOINTS

        return ENDPOINTS
