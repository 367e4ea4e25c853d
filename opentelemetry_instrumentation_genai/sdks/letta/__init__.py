"""Instrumentation of the `letta-client` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._adapter.endpoint import Endpoint

__all__ = ["LettaInstrumentor"]


class LettaInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `letta-client` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "letta"
    package = "letta_client"
    distribution = "letta-client"
    provider = "letta"
    supported: ClassVar[tuple[str, str]] = ("1.0.0", "2")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from ._endpoints import ENDPOINTS

        return ENDPOINTS
