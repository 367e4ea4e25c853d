"""Instrumentation of the `openai` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._patching.instrumentor import GivenProviders, Seam
    from .._settings.config import Config

__all__ = ["OpenAIInstrumentor"]


class OpenAIInstrumentor(GenAIInstrumentor):
    """Instruments every client of the `openai` SDK, including those created before.

    `instrument()` takes `tracer_provider`, `meter_provider` and `logger_provider`, and every setting as a keyword:
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `capture_message_content`, and so on. It never raises.
    """

    sdk = "openai"
    module = "openai._base_client"
    later: ClassVar[tuple[str, ...]] = (
        "openai.lib.responses_tool_runner",
        "openai.lib.decisions_tool_runner",
        "openai.lib.computer",
        "openai.lib.browser",
        "openai.resources.realtime.realtime",
        "openai.resources.beta.realtime.realtime",
        "openai.resources.responses.responses",
        "openai.resources.beta.responses.responses",
    )
    supported: ClassVar[tuple[str, str]] = ("1.26.0", "4")

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from .._adapter.openai_api.endpoints import ENDPOINTS
        from .._conventions.names import OPENAI_REQUEST_ID
        from .._patching.event_streams import EventStreams
        from .._patching.other_instrumentations import Others
        from .._patching.propagation import propagation_of
        from .._patching.stainless import Stainless, StainlessSdk
        from .._signals.signals import Signals
        from ._event_streams import CLASSES, PARSING
        from ._provider import Providers

        provider = Providers(config.host_providers)
        sdk = StainlessSdk(
            "openai",
            ENDPOINTS,
            provider,
            headers=[("x-request-id", OPENAI_REQUEST_ID)],
            sure=provider.sure,
            signs=provider,
            event_streams=EventStreams(CLASSES, PARSING),
        )
        others = Others("openai", type(self).__name__, "request", ENDPOINTS.values(), allowed=config.allow_others)
        return Stainless(sdk, Signals(config, **providers), others, propagation_of(config))

    def _later_targets(self, module: str) -> Iterable[tuple[str, Callable[..., object]]]:
        from .._patching.stainless import Stainless

        seam = self._seam
        if not isinstance(seam, Stainless):
            return ()
        if module.startswith("openai.resources."):
            from ._realtime import Connections

            return Connections(module, seam).targets()
        from ._tool_runners import Runners

        return Runners(self, seam.provider_of).targets(module)
