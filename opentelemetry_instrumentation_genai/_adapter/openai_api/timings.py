"""The times that servers of this API add to their responses, by their documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fields import count, member, number
from ..server_timings import Timings, timings

if TYPE_CHECKING:
    from collections.abc import Mapping


def server_timings(response: Any, _found: Mapping[str, Any]) -> Timings | None:
    """Read the `timings` of llama.cpp's server. They exclude the wait for a slot, so the total duration is unknown."""
    measured = member(response, "timings")
    if measured is None:
        return None
    before, generating = _seconds(member(measured, "prompt_ms")), _seconds(member(measured, "predicted_ms"))
    return timings(None, before, generating, count(member(measured, "predicted_n")))


def groq_timings(response: Any, _found: Mapping[str, Any]) -> Timings | None:
    """Read the times of Groq, which are members of `usage`, in seconds."""
    usage = member(response, "usage")
    return _phases(usage, count(member(usage, "completion_tokens")))


def cerebras_timings(response: Any, _found: Mapping[str, Any]) -> Timings | None:
    """Read the `time_info` of Cerebras, in seconds."""
    return _phases(member(response, "time_info"), count(member(member(response, "usage"), "completion_tokens")))


def sambanova_timings(response: Any, _found: Mapping[str, Any]) -> Timings | None:
    """Read the times of SambaNova, which are members of `usage`, in seconds."""
    usage = member(response, "usage")
    total, first = _positive(member(usage, "total_latency")), _positive(member(usage, "time_to_first_token"))
    generating = total - first if total is not None and first is not None and total >= first else None
    return timings(total, first, generating, count(member(usage, "completion_tokens")))


def _phases(times: Any, tokens: int | None) -> Timings | None:
    """Return timings from those of the phases: in the queue, for the prompt, for the completion."""
    queue, prompt, completion = (
        _positive(member(times, f"{phase}_time")) for phase in ("queue", "prompt", "completion")
    )
    before = None if prompt is None else (queue or 0.0) + prompt
    total = None if before is None or completion is None else before + completion
    return timings(total, before, completion, tokens)


def _positive(value: object) -> float | None:
    seconds = number(value)
    return seconds if seconds is not None and seconds >= 0 else None


def _seconds(value: object) -> float | None:
    milliseconds = _positive(value)
    return None if milliseconds is None else milliseconds / 1000
