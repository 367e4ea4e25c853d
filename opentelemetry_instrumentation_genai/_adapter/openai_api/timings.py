"""The `timings` object that llama.cpp's server adds to its responses, by its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fields import count, member, number
from ..server_timings import Timings, timings

if TYPE_CHECKING:
    from collections.abc import Mapping


def server_timings(response: Any, _found: Mapping[str, Any]) -> Timings | None:
    """Read the timings that the server measured. They exclude the wait for a slot, so the total duration is unknown."""
    measured = member(response, "timings")
    if measured is None:
        return None
    before, generating = _seconds(member(measured, "prompt_ms")), _seconds(member(measured, "predicted_ms"))
    return timings(None, before, generating, count(member(measured, "predicted_n")))


def _seconds(value: object) -> float | None:
    milliseconds = number(value)
    return milliseconds / 1000 if milliseconds is not None and milliseconds >= 0 else None
