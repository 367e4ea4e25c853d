"""Instrumentation of the clients of Amazon Bedrock's runtime that `boto3` and `botocore` make."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from ..._patching.instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from ..._patching.instrumentor import GivenProviders, Seam
    from ..._settings.config import Config

__all__ = ["BedrockInstrumentor"]


class BedrockInstrumentor(GenAIInstrumentor):
    """Instruments every client of the service `bedrock-runtime` that `boto3` or `botocore` makes, including those created before.

    Clients of other services, such as S3, are not followed. `instrument()` takes `tracer_provider`, `meter_provider` and
    `logger_provider`, and every setting as a keyword: `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is
    `capture_message_content`, and so on. It never raises.
    """

    sdk = "bedrock"
    package = "botocore"
    module = "botocore.client"
    supported: ClassVar[tuple[str, str]] = ("1.34.116", "2")

    def _installed(self) -> str:
        version: str = import_module(self.package).__version__
        return version

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from ..._signals.signals import Signals
        from ._endpoints import ENDPOINTS
        from ._others import BedrockOthers
        from ._seam import Bedrock
        from ._servers import Servers

        others = BedrockOthers(type(self).__name__, ENDPOINTS.values(), allowed=config.allow_others)
        return Bedrock(Signals(config, **providers), ENDPOINTS, Servers(config.host_providers), others)
