"""Instrumentation of the `portkey-ai` SDK, which has OpenAI's SDK within: that sends its calls, but those of saved prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class PortkeyInstrumentor(StainlessInstrumentor):
    """Instruments every client of the `portkey-ai` SDK, as `OpenAIInstrumentor` does, with the same keywords."""

    sdk = "portkey"
    package = "portkey_ai"
    distribution = "portkey-ai"
    provider = "portkey"
    later: ClassVar[tuple[str, ...]] = ("portkey_ai.api_resources.base_client",)
    supported: ClassVar[tuple[str, str]] = ("2.0.0", "3")

    @classmethod
    def _sending_package(cls) -> str:
        return "portkey_ai._vendor.openai"

    def _later_targets(self, _module: str) -> Iterable[tuple[str, Callable[..., object]]]:
        from ..._patching.stainless import Stainless
        from ._prompts import Prompts

        return Prompts(self._seam).targets() if isinstance(self._seam, Stainless) else ()
