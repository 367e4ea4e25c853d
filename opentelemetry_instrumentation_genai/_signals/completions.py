"""The completion hook of one call: passes its content on, and adds the references to the span and the event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import get_current_span

from .._call.observer import Observer

if TYPE_CHECKING:
    from .._call.outcome import Outcome
    from .._call.state import CallState
    from .._content.completion_hook.delivery import Completions
    from .content import CallContent


class HookedCompletion(Observer):
    """Passes the content of one call to the completion hook.

    Args:
        call: the call.
        completions: the hook, with its queue.
        content: of the call.
    """

    __slots__ = ("_call", "_completions", "_content")

    def __init__(self, call: CallState, completions: Completions, content: CallContent) -> None:
        self._call = call
        self._completions = completions
        self._content = content

    def ended(self, outcome: Outcome) -> None:
        """Pass it on, and add its references to the attributes of the outcome."""
        texts = self._content.rendered.texts
        if not texts:
            return
        attributes = {**self._call.attributes, **outcome.attributes}
        places = self._completions.take(attributes, texts, get_current_span(self._call.context))
        outcome.attributes.update({name: place for name, place in places.items() if name not in attributes})
