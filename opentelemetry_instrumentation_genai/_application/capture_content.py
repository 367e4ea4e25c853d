"""Content capture for a block of code: the public switch, and how a call reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

from .._conventions.capture_modes import ACCEPTED, NO_CONTENT, Capture, capture_of
from .._masking.masking import quoted
from .._runtime.guard import guarded, warn_once
from .block import Block

if TYPE_CHECKING:
    from opentelemetry.context.context import Context

CAPTURE_KEY = "opentelemetry_instrumentation_genai.capture_content"
"""The key in OpenTelemetry's context of the `Capture` of a block of code."""


def capture_in(context: Context) -> Capture | None:
    """Return the capture mode of the block of code around a call; None outside of such blocks."""
    capture = context.get(CAPTURE_KEY)
    return capture if isinstance(capture, Capture) else None


class capture_content(Block):  # noqa: N801 - it reads as a statement
    """Set the capture mode of the calls in a block of code, whatever the settings are.

    It is a context manager, around code with `await` in it as well, and a decorator of functions, coroutine functions and
    generators. OpenTelemetry's context carries it into tasks, and into threads that the context is passed to. The innermost block
    wins. Redaction and budgets are those of the settings.

    Args:
        mode: a value of the setting `capture_message_content`. For any other a warning is logged, and it counts as `no_content`.
    """

    def __init__(self, mode: str | bool | float) -> None:
        self._capture = _parse_mode(mode) or NO_CONTENT

    def _within(self, outer: Context) -> Context:
        return otel_context.set_value(CAPTURE_KEY, self._capture, outer)


@guarded
def _parse_mode(mode: str | bool | float) -> Capture:
    try:
        return capture_of(mode)
    except ValueError:
        warn_once(
            "capture_content(%s) is not accepted. Accepted is: %s. In its block the default applies: no_content.",
            quoted(mode),
            ACCEPTED,
        )
        return NO_CONTENT
