"""The span of an operation as a run within it uses it that is the same operation, such as the call of a tool's server."""

from __future__ import annotations

from typing import Any

import wrapt


class OuterSpan(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """A span that another has started, and ends: attributes that it has stay unchanged."""

    def set_attributes(self, attributes: Any) -> None:
        """Set the attributes that the span does not have yet."""
        present = getattr(self.__wrapped__, "attributes", None) or {}
        self.__wrapped__.set_attributes({name: value for name, value in attributes.items() if name not in present})

    def end(self, _end_time: int | None = None) -> None:
        """Do nothing: the span ends with its own operation."""
