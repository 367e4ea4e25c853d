"""JSON values with something else in some of their places."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

GONE = object()


@st.composite
def changed(draw: st.DrawFn, original: Any, others: st.SearchStrategy[Any], most: int = 2) -> Any:
    """`original` as it is, or with others in up to so many of its places, or nothing in them."""
    value = copy.deepcopy(original)
    for _ in range(draw(st.integers(0, most))):
        places = [*_places(value)]
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        other = draw(st.one_of(st.just(GONE), others))
        if other is not GONE:
            holder[key] = other
        elif isinstance(holder, dict):
            del holder[key]
    return value


def _places(value: Any) -> Any:
    """Where there is something in a value: what holds it, and its name or number there."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield value, key
            yield from _places(held)
    elif isinstance(value, list):
        for number, held in enumerate(value):
            yield value, number
            yield from _places(held)
