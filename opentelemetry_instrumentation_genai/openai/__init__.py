"""Instrumentation of the `openai` SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from .._config import Config
    from .._instrumentor import Seam

__all__ = ["OpenAIInstrumentor"]


class OpenAIInstrumentor(GenAIInstrumentor):
    """Instruments every client of the `openai` SDK, those made before included.

    `instrument()` takes `tracer_provider`, `meter_provider` and `logger_provider`, and every setting as a keyword:
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `capture_message_content`, and so on. It raises nothing.
    """

    sdk = "openai"
    module = "openai._base_client"
    supported = ("1.26.0", "4")

    def _make_seam(self, config: Config, providers: dict[str, Any]) -> Seam:
        from .._signals import Signals  # noqa: PLC0415 - loaded with the SDK, not at the start of the process
        from .._stainless import Stainless  # noqa: PLC0415
        from ._provider import Providers  # noqa: PLC0415
        from ._routes import ROUTES  # noqa: PLC0415

        request_id = ("x-request-id", "openai.request.id")
        return Stainless("openai", Signals(config, **providers), ROUTES, Providers(config.host_providers), request_id)
