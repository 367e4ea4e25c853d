"""Instrumentation of the `writer-sdk`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._adapter.endpoint import Endpoint

__all__ = ["WriterInstrumentor"]


class WriterInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `writer-sdk`, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "writer"
    package = "writerai"
    distribution = "writer-sdk"
    provider = "writer"
    supported: ClassVar[tuple[str, str]] = ("2.0.0", "4")

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        from ._endpoints import ENDPOINTS

        return ENDPOINTS
