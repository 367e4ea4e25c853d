"""Instrumentation of the clients of the `mcp` SDK (Model Context Protocol)."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar

from ..._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..._patching.instrumentor import GivenProviders, Seam
    from ..._settings.config import Config

__all__ = ["McpInstrumentor"]


class McpInstrumentor(GenAIInstrumentor):
    """Instruments every client session of the `mcp` SDK. Its servers are not followed.

    `instrument()` takes `tracer_provider`, `meter_provider` and `logger_provider`, and every setting as a keyword:
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `capture_message_content`, and so on. It never raises.
    """

    sdk = "mcp"
    module = "mcp.client.session"
    later: ClassVar[tuple[str, ...]] = (
        "mcp.client.stdio",
        "mcp.client.sse",
        "mcp.client.streamable_http",
        "mcp.client.websocket",
    )
    supported: ClassVar[tuple[str, str]] = ("1.10.0", "3")

    def _installed(self) -> str:
        return version("mcp")

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from ..._patching.other_instrumentations import Others
        from ..._patching.propagation import propagation_of
        from ._endpoints import REQUEST
        from ._seam import Mcp

        name = type(self).__name__
        others = Others("mcp", name, "send_request", (REQUEST,), allowed=config.allow_others, of_both=True)
        return Mcp(self, others, propagation_of(config))

    def _later_targets(self, module: str) -> Iterable[tuple[str, Callable[..., object]]]:
        from ._seam import Mcp

        seam = self._seam
        return seam.transports.targets(module) if isinstance(seam, Mcp) else ()
