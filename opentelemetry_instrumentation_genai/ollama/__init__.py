"""Instrumentation of the `ollama` SDK."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from .._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from .._patching.instrumentor import GivenProviders, Seam
    from .._settings.config import Config

__all__ = ["OllamaInstrumentor"]


class OllamaInstrumentor(GenAIInstrumentor):
    """Instruments every client of the `ollama` SDK, including those created before and the one behind `ollama.chat`.

    `instrument()` takes `tracer_provider`, `meter_provider` and `logger_provider`, and every setting as a keyword:
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `capture_message_content`, and so on. It never raises.
    """

    sdk = "ollama"
    module = "ollama._client"  # imported by this name: the package's attribute `_client` is a client
    supported: ClassVar[tuple[str, str]] = ("0.4.0", "1")

    def _installed(self) -> str:
        version: str = import_module(self.module).__version__
        return version

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from .._patching.other_instrumentations import Others
        from .._patching.propagation import propagation_of
        from .._signals.signals import Signals
        from ._endpoints import ENDPOINTS
        from ._provider import Providers
        from ._seam import Ollama

        others = Others("ollama", type(self).__name__, "_request", ENDPOINTS.values(), allowed=config.allow_others)
        provider, propagation = Providers(config.host_providers), propagation_of(config)
        return Ollama(Signals(config, **providers), ENDPOINTS, provider, others, propagation)
