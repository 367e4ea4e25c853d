"""Instrumentation of the OpenAI Agents SDK, the package `agents`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from ..._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from types import ModuleType

    from ..._patching.instrumentor import GivenProviders, Seam
    from ..._settings.config import Config

__all__ = ["OpenAIAgentsInstrumentor"]


class OpenAIAgentsInstrumentor(GenAIInstrumentor):
    """Instruments the runs of the OpenAI Agents SDK: workflows, agents, tools, handoffs and guardrails.

    The model calls in them belong to the instrumentor of the `openai` SDK. `instrument()` takes `tracer_provider`,
    `meter_provider` and `logger_provider`, and every setting as a keyword: `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`
    is `capture_message_content`, and so on. It never raises.
    """

    sdk = "openai_agents"
    package = "agents"
    module = "agents.run"
    supported: ClassVar[tuple[str, str]] = ("0.11.0", "1")

    def _installed(self) -> str:
        version: str = import_module("agents.version").__version__
        return version

    def _supports_installed(self) -> bool:
        # Applications have packages and folders of their own with the name `agents`.
        return hasattr(sys.modules.get(self.module), "RunConfig") and super()._supports_installed()

    def _look(self, module: ModuleType) -> None:
        if hasattr(module, "RunConfig"):
            super()._look(module)

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from ..._patching.framework import FrameworkSeam
        from ._runs import Runs
        from ._spans import Spans
        from ._tools import Tools

        return FrameworkSeam((*Runs(self).targets(), *Spans(self).targets(), *Tools(self).targets()))
