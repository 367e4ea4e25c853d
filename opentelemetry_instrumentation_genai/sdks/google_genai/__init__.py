"""Instrumentation of the `google-genai` SDK."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from ..._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..._patching.instrumentor import GivenProviders, Seam
    from ..._settings.config import Config

__all__ = ["GoogleGenAIInstrumentor"]

# What the official package, OpenInference and OpenLLMetry call theirs.
_OTHERS = ("GoogleGenAiSdkInstrumentor", "GoogleGenAIInstrumentor", "GoogleGenerativeAiInstrumentor")


class GoogleGenAIInstrumentor(GenAIInstrumentor):
    """Instruments every client of the `google-genai` SDK, including those created before, of the Gemini API and of Vertex AI.

    `instrument()` takes `tracer_provider`, `meter_provider` and `logger_provider`, and every setting as a keyword:
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `capture_message_content`, and so on. It never raises.
    """

    sdk = "google_genai"
    package = "google.genai"
    module = "google.genai._api_client"
    later: ClassVar[tuple[str, ...]] = ("google.genai._extra_utils",)
    supported: ClassVar[tuple[str, str]] = ("1.32.0", "4")

    def _installed(self) -> str:
        version: str = import_module("google.genai.version").__version__
        return version

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from ..._patching.other_instrumentations import Others
        from ..._patching.propagation import propagation_of
        from ..._signals.signals import Signals
        from ._endpoints import ENDPOINTS
        from ._provider import Providers
        from ._seam import GoogleGenAI

        endpoints, allowed = ENDPOINTS.values(), config.allow_others
        others = Others(self.package, _OTHERS, "request", endpoints, allowed=allowed, of_both=True)
        provider, propagation = Providers(config.host_providers), propagation_of(config)
        return GoogleGenAI(Signals(config, **providers), ENDPOINTS, provider, others, propagation)

    def _later_targets(self, _module: str) -> Iterable[tuple[str, Callable[..., object]]]:
        from ._functions import Functions

        return Functions(self).targets()
