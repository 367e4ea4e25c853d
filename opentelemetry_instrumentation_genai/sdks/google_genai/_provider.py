"""The provider behind a client of the `google-genai` SDK: the Gemini API or Vertex AI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import member
from ..._adapter.host_providers import HostProviders

if TYPE_CHECKING:
    from collections.abc import Sequence

_GEMINI, _VERTEX = "gcp.gemini", "gcp.vertex_ai"


class Providers(HostProviders):
    """Resolves the provider of a client: by its host, or, where that is not known, by the API that the client speaks.

    Args:
        declared: the user's (pattern, provider) pairs, which take precedence; a pattern is HOST or HOST:PORT with `*`.
    """

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        super().__init__(declared, _GEMINI)

    def __call__(self, client: Any, host: str, port: int) -> str:
        """Return the provider of a client."""
        return self.known(host, port) or (_VERTEX if member(client, "vertexai") else self._default)
