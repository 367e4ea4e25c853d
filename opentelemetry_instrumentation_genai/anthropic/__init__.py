"""Instrumentation of the `anthropic` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._patching.instrumentor import GivenProviders, Seam
    from .._settings.config import Config
    from ._native import NativeTracing

__all__ = ["AnthropicInstrumentor"]


class AnthropicInstrumentor(GenAIInstrumentor):
    """Instruments every client of the `anthropic` SDK, including those created before.

    `instrument()` takes `tracer_provider`, `meter_provider` and `logger_provider`, and every setting as a keyword:
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `capture_message_content`, and so on. It never raises.
    """

    sdk = "anthropic"
    module = "anthropic._base_client"
    later: ClassVar[tuple[str, ...]] = ("anthropic.lib.tools._beta_runner",)
    supported: ClassVar[tuple[str, str]] = ("0.40.0", "3")

    _native: NativeTracing

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from importlib import import_module

        from .._patching.event_streams import EventStreams
        from .._patching.other_instrumentations import Others
        from .._patching.propagation import propagation_of
        from .._patching.stainless import Stainless, StainlessSdk
        from .._signals.signals import Signals
        from ._endpoints import ENDPOINTS
        from ._event_streams import CLASSES
        from ._headers import HEADERS, start_attributes
        from ._native import NativeTracing
        from ._provider import Providers

        provider, signals = Providers(config.host_providers), Signals(config, **providers)
        self._native = NativeTracing(config.anthropic_native_tracing, hooked=signals.hooks is not None)
        sdk = StainlessSdk(
            "anthropic",
            ENDPOINTS,
            provider,
            headers=HEADERS,
            sure=provider.sure,
            start_attributes=start_attributes,
            native=self._native,
            # Since it reads a body only when it sends it, it has a step for that.
            lazy_bodies=hasattr(import_module(self.module).SyncAPIClient, "_copy_and_prepare"),
            event_streams=EventStreams(CLASSES),
            line_decoders=(("_decoders.jsonl", "JSONLDecoder"), ("_decoders.jsonl", "AsyncJSONLDecoder")),
        )
        others = Others("anthropic", type(self).__name__, "request", ENDPOINTS.values(), allowed=config.allow_others)
        return Stainless(sdk, signals, others, propagation_of(config))

    def _later_targets(self, module: str) -> Iterable[tuple[str, Callable[..., object]]]:
        from .._patching.stainless import Stainless
        from ._tool_runners import Runners

        seam = self._seam
        return Runners(self, seam.provider_of, self._native).targets(module) if isinstance(seam, Stainless) else ()
