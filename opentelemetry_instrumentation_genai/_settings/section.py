"""The section of a declarative file that OpenTelemetry's SDK has read and passes on to an instrumentor.

The package `opentelemetry-configuration` starts the instrumentors that a file names by their entry points, with the members of
their section as keywords. An instrumentor with a `configuration` of its own gets them as one keyword, so that environment
variables have precedence over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(init=False)
class Section:
    """The keyword of `instrument()` that has a section.

    Attributes:
        declared: the members of the section, except `enabled`, which the SDK has already applied.
    """

    declared: dict[str, Any]

    def __init__(self, **members: Any) -> None:
        self.declared = members
