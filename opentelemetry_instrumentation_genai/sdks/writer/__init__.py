"""Instrumentation of the `writer-sdk`."""

from __future__ import annotations

from typing import ClassVar

from ..._patching.stainless_instrumentor import StainlessInstrumentor


class WriterInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `writer-sdk`, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "writer"
    package = "writerai"
    distribution = "writer-sdk"
    provider = "writer"
    supported: ClassVar[tuple[str, str]] = ("2.0.0", "4")
