"""The modes of content capture: where message content goes, and of which calls."""

from __future__ import annotations

from random import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_64_BITS = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15  # by which bits are mixed: samplers look at the lowest bits of the trace id, too


class Capture(NamedTuple):
    """Where message content goes, and of which calls.

    Attributes:
        span: whether spans carry it.
        event: whether events carry it.
        failed: whether only calls that failed have it.
        share: of how many calls it is captured, from 0 to 1.
        hook: whether a completion hook, if there is one, gets it.
    """

    span: bool
    event: bool
    failed: bool = False
    share: float = 1.0
    hook: bool = True

    def chooses(self, span: Span) -> bool:
        """Return whether a call is among the share. All calls of one trace get the same answer."""
        if self.share >= 1:
            return True
        trace = span.get_span_context().trace_id
        place = (trace * _ODD & _64_BITS) / 2**64 if trace else random()  # noqa: S311 - nobody gains from guessing it
        return place < self.share


NO_CONTENT = Capture(span=False, event=False, hook=False)
_SPAN_AND_EVENT = Capture(span=True, event=True)
MODES: dict[str, Capture] = {
    "no_content": NO_CONTENT,
    "span_only": Capture(span=True, event=False),
    "event_only": Capture(span=False, event=True),
    "span_and_event": _SPAN_AND_EVENT,
    "on_error": Capture(span=True, event=True, failed=True),
    "true": _SPAN_AND_EVENT,  # what older packages accept
    "false": NO_CONTENT,
}
ACCEPTED = ", ".join(MODES) + ", or a share of the calls from 0 to 1"


def capture_of(value: object) -> Capture:
    """Return the capture that a mode names.

    Args:
        value: a mode in any case of letters, a bool, or a share as a number or a text.

    Raises:
        ValueError: for anything else.
    """
    known = MODES.get(str(value).strip().lower()) if isinstance(value, (str, bool)) else None
    if known is not None:
        return known
    share = float(value) if isinstance(value, str) else value
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise ValueError
    return _SPAN_AND_EVENT._replace(share=float(share))
