"""Instrumentation of the Claude Agent SDK, the package `claude_agent_sdk`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from ..._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from ..._patching.instrumentor import GivenProviders, Seam
    from ..._settings.config import Config

__all__ = ["ClaudeAgentInstrumentor"]


class ClaudeAgentInstrumentor(GenAIInstrumentor):
    """Instruments the Claude Agent SDK: each query, and each turn of a client, with the tools that are used in it.

    `instrument()` takes `tracer_provider`, `meter_provider` and `logger_provider`, and every setting as a keyword:
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `capture_message_content`, and so on. It never raises.
    """

    sdk = "claude_agent"
    package = "claude_agent_sdk"
    module = "claude_agent_sdk.client"
    supported: ClassVar[tuple[str, str]] = ("0.2.189", "1")

    def _installed(self) -> str:
        version: str = import_module("claude_agent_sdk._version").__version__
        return version

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from ..._patching.framework import FrameworkSeam
        from ._clients import Clients
        from ._queries import Queries

        return FrameworkSeam((*Queries(self).targets(), *Clients(self).targets()))
