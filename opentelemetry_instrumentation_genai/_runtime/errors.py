"""The errors for setting values that are not accepted: the reader of a value raises them, and the settings log a warning."""

from __future__ import annotations


class RefusedError(ValueError):
    """A value is not accepted; the message is the reason, which the warning includes."""


class PartlyError(ValueError):
    """A part of a value is not accepted.

    Attributes:
        left_out: the part that is not accepted.
        value: the value that is read from the rest.
    """

    def __init__(self, left_out: str, value: object) -> None:
        super().__init__(left_out)
        self.left_out = left_out
        self.value = value
