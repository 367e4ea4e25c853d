"""The switch of content capture for a block of code, and what it asks for at a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

from .._conventions.capture_modes import ACCEPTED, NO_CONTENT, Capture, capture_of
from .._guard import guarded, say_once
from .._masking.masking import quoted
from .block import Block

if TYPE_CHECKING:
    from opentelemetry.context.context import Context

CAPTURE_KEY = "opentelemetry_instrumentation_genai.capture_content"
"""Where the OpenTelemetry context has the `Capture` of a block of code."""


def asked_here(context: Context) -> Capture | None:
    """What the block of code around a call asks for, if one does."""
    asked = context.get(CAPTURE_KEY)
    return asked if isinstance(asked, Capture) else None


class capture_content(Block):  # noqa: N801 - it reads as a statement
    """Say for a block of code whether the content of its calls is captured, whatever the settings are.

    As a context manager, around code with `await` in it as well, and as a decorator of functions, coroutine functions and
    generators. It is carried by OpenTelemetry's context into tasks, and into threads where that is. The innermost one wins.
    Redaction and budgets are those of the settings.

    Args:
        mode: what the setting `capture_message_content` takes. A wrong one gets a warning, and counts as `no_content`.
    """

    def __init__(self, mode: str | bool | float) -> None:
        self._capture = _asked(mode) or NO_CONTENT

    def _within(self, outer: Context) -> Context:
        return otel_context.set_value(CAPTURE_KEY, self._capture, outer)


@guarded
def _asked(mode: str | bool | float) -> Capture:
    try:
        return capture_of(mode)
    except ValueError:
        say_once(
            "capture_content(%s) is not accepted. Accepted is: %s. In its block the default applies: no_content.",
            quoted(mode),
            ACCEPTED,
        )
        return NO_CONTENT
