"""What the SDK hands over from the declarative file that it has read: a section for each instrumentor, and one for all of them.

The package `opentelemetry-configuration` starts the instrumentors whose entry points a file names, with the members of their
section as keywords. By a `configuration` of their own ours get them as one keyword, so that the environment wins over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(init=False)
class Section:
    """The keyword of `instrument()` by which the SDK hands over a section.

    Attributes:
        declared: the members of the section, but for `enabled`, which the SDK has obeyed.
    """

    declared: dict[str, Any]

    def __init__(self, **members: Any) -> None:
        self.declared = members


class GenAISettings(BaseInstrumentor):  # type: ignore[misc] # opentelemetry-instrumentation has no types
    """The entry point `genai`: the section whose settings are those of all providers. It instruments nothing."""

    configuration = Section
    declared: dict[str, Any] | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing: there is nothing to instrument."""
        return ()

    def instrument(self, **kwargs: Any) -> None:
        """Keep the section, if the SDK has one; `opentelemetry-instrument` comes later, without."""
        if "declared" in kwargs:
            GenAISettings.declared = kwargs["declared"]

    def uninstrument(self, **_kwargs: Any) -> None:
        """Forget the section."""
        GenAISettings.declared = None

    def _uninstrument(self, **_kwargs: Any) -> None:
        self.uninstrument()
