"""The errors of a setting whose value is not accepted: whatever reads a value raises them, and the settings log a warning."""

from __future__ import annotations

from typing import Any


class RefusedError(ValueError):
    """A value is not accepted; the message says why, and goes into the warning."""


class PartlyError(ValueError):
    """A part of a value is not accepted.

    Attributes:
        left_out: that part.
        value: what the rest of it is read as.
    """

    def __init__(self, left_out: str, value: Any) -> None:
        super().__init__(left_out)
        self.left_out = left_out
        self.value = value
