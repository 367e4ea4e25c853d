"""Recording of points: every metric of a call goes through here. Its attributes are built once for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from .._conventions.names import RESPONSE_MODEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from .._adapter.fields import Attribute
    from .._call.state import CallState


class Histogram(Protocol):
    """A histogram of the API, or several in place of one."""

    def record(self, amount: float, attributes: AttributeSet, context: Context, /) -> None:
        """Record a value."""


class Counter(Protocol):
    """A counter of the API."""

    def add(self, amount: float, attributes: AttributeSet, context: Context, /) -> None:
        """Add a value."""


AttributeSet: TypeAlias = "dict[str, Attribute]"
"""The attributes of points: name -> value. Never changed once a point was recorded with them, which may hold them."""


def plus(attributes: AttributeSet, name: str, value: Attribute) -> AttributeSet:
    """Return a set with one attribute more."""
    extended = attributes.copy()  # which is faster than a display
    extended[name] = value
    return extended


class Points:
    """The attribute sets of one call.

    Args:
        call: the call.
    """

    __slots__ = ("_call", "_identity", "_known", "_model")

    def __init__(self, call: CallState) -> None:
        self._call = call
        self._identity: AttributeSet | None = None
        self._model: Attribute | None = None
        self._known: AttributeSet | None = None

    def of(self, attributes: Mapping[str, Attribute]) -> AttributeSet:
        """Return the attributes that all points of the call have.

        Args:
            attributes: those of the response, as far as they are known; the response's model is the one that counts.
        """
        identity, model = self._call.identity, attributes.get(RESPONSE_MODEL)
        known = self._known
        if known is None or identity is not self._identity or model != self._model:
            self._identity, self._model = identity, model
            self._known = known = plus(identity, RESPONSE_MODEL, model) if model else identity
        return known


def record(histogram: Histogram, value: float, attributes: AttributeSet, context: Context) -> None:
    """Record a value.

    Args:
        histogram: where it goes.
        value: in the histogram's unit.
        attributes: of the point.
        context: the call's, which exemplars link to.
    """
    histogram.record(value, attributes, context)


def add(counter: Counter, value: float, attributes: AttributeSet, context: Context) -> None:
    """Add a value to a counter.

    Args:
        counter: where it goes.
        value: in the counter's unit.
        attributes: of the point.
        context: the call's, which exemplars link to.
    """
    counter.add(value, attributes, context)
