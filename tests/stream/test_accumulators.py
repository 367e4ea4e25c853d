"""Streams are put together in linear time: twice the pieces are twice the work, of whatever there are many pieces.

The kinds of pieces are those of `benchmarks/accumulators.py`, which measures the time; here the work is counted.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

_SPEC = importlib.util.spec_from_file_location(
    "accumulators", Path(__file__).parents[2] / "benchmarks" / "accumulators.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
accumulators: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(accumulators)
ROWS: dict[str, Callable[[list[str]], Callable[[], object]]] = accumulators.rows()
ACCUMULATORS = accumulators.ACCUMULATORS
COUNT = 200


class Whole(str):  # noqa: SLOT000 - it is referred to weakly
    """A text with an end that is seen."""


def held_by(thing: object) -> Iterator[object]:
    """All that is held by an object of ours, and what that holds."""
    waiting, seen = [thing], set()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and not isinstance(one, (type, ModuleType, FunctionType)):
            seen.add(id(one))
            waiting += gc.get_referents(one)
            yield one


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", ROWS)
def test_twice_the_pieces_are_twice_the_calls(name: str) -> None:
    """Nothing goes over all pieces again as one comes."""
    once, twice = (calls_of(ROWS[name](accumulators.pieces(count))) for count in (COUNT, 2 * COUNT))

    assert twice <= 2 * once


@pytest.mark.parametrize("name", [name for name in ROWS if not name.startswith("bytes ")])
def test_no_text_is_copied_as_a_piece_comes(name: str) -> None:
    """Pieces are joined once, when the stream is over: audio in base64 took 22 s that did so piece by piece."""
    accumulator, *_ = ACCUMULATORS[name.partition(": ")[0]]
    added = accumulator(True)
    for chunk in accumulators.chunks_of(*name.split(": "), accumulators.pieces(COUNT)):
        added.add(chunk)

    assert [] == [text for text in held_by(added) if isinstance(text, str) and len(text) > accumulators.SIZE]
    assert len(str(added.result())) > accumulators.SIZE


def test_a_text_that_comes_whole_each_time_is_kept_once() -> None:
    """Of deltas that each have the whole text so far only the last is kept."""
    chat, kept = accumulators.ChoiceChunks(True), []
    for length in range(1, COUNT):
        text = Whole("x" * length)
        kept.append(weakref.ref(text))
        chat.add(accumulators.chat({"content": text}))
    del text

    assert "x" * (COUNT - 1) == chat.result()["choices"][0]["message"]["content"]
    assert 1 == sum(reference() is not None for reference in kept)
