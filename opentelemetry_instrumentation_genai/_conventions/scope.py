"""The instrumentation scope of all that is emitted: the name and the version of this package."""

from __future__ import annotations

from typing import Final

SCOPE_NAME: Final = "opentelemetry_instrumentation_genai"
__version__ = "0.1.0"
