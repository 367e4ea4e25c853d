"""The `timings` object that llama.cpp's server adds to what it answers, by its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.fields import count, member, number
from .._adapter.server_timings import Timings, timings

if TYPE_CHECKING:
    from collections.abc import Mapping


def server_timings(response: Any, _found: Mapping[str, Any]) -> Timings | None:
    """What the server measured. It does not say how long a request waited for a slot, and so not how long it took."""
    told = member(response, "timings")
    if told is None:
        return None
    before, generating = _seconds(member(told, "prompt_ms")), _seconds(member(told, "predicted_ms"))
    return timings(None, before, generating, count(member(told, "predicted_n")))


def _seconds(value: Any) -> float | None:
    milliseconds = number(value)
    return milliseconds / 1000 if milliseconds is not None and milliseconds >= 0 else None
