"""Instrumentation of the `letta-client` SDK."""

from __future__ import annotations

from typing import ClassVar

from ..._patching.stainless_instrumentor import StainlessInstrumentor


class LettaInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `letta-client` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "letta"
    package = "letta_client"
    distribution = "letta-client"
    provider = "letta"
    supported: ClassVar[tuple[str, str]] = ("1.0.0", "2")
