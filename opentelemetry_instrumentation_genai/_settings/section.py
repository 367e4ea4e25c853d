"""What the SDK of OpenTelemetry hands over of a declarative file that it has read.

The package `opentelemetry-configuration` starts the instrumentors whose entry points a file names, with the members of their
section as keywords. By a `configuration` of its own an instrumentor gets them as one keyword: so the environment wins over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(init=False)
class Section:
    """The keyword of `instrument()` by which a section comes.

    Attributes:
        declared: the members of the section, but for `enabled`, which the SDK has obeyed.
    """

    declared: dict[str, Any]

    def __init__(self, **members: Any) -> None:
        self.declared = members
