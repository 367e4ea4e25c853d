"""An object that arrives in pieces is put together, whatever the pieces are."""

from __future__ import annotations

from typing import Any

import pytest

from opentelemetry_instrumentation_genai._adapter.joined_object import JoinedObject


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], {}),
        ([{"text": "Hel"}, {"text": "lo"}], {"text": "Hello"}),
        ([{"text": "a"}, {"text": None}, {}, {"text": "ab"}], {"text": "aab"}),
        ([{"id": "1", "text": "a"}, {"id": "1", "text": "b"}], {"id": "1", "text": "ab"}),
        ([{"id": "1"}, {"id": None}, {"id": "2"}], {"id": "2"}),
        ([{"call": {"name": "f", "text": "{"}}, {"call": {"text": "}"}}], {"call": {"name": "f", "text": "{}"}}),
        ([{"parts": [1]}, {"parts": (2, 3)}], {"parts": [1, 2, 3]}),
        ([{"text": "a"}, {"text": ["b"]}, {"text": ["c"]}], {"text": ["b", "c"]}),
        ([{"text": ["a"]}, {"text": "b"}], {"text": "b"}),
        ([{"id": "1", "text": "a"}, {"id": "", "text": ""}], {"id": "1", "text": "a"}),
        ([{"text": ""}], {}),
        ([{"n": 1}, {"n": 2.5}, {"n": True}], {"n": True}),
        ([{"text": "\ud800"}, {"text": "b"}], {"text": "?b"}),
        ([None, "text", 7, {"text": "a"}], {"text": "a"}),
    ],
)
def test_pieces(pieces: list[Any], expected: dict[str, Any]) -> None:
    """Texts in pieces and lists grow, objects are joined within, and of anything else the last one counts."""
    joined = JoinedObject({"text"})
    for piece in pieces:
        joined.add(piece)
    assert joined.result() == expected


def test_all_texts() -> None:
    """Without names every text is in pieces."""
    joined = JoinedObject()
    joined.add({"a": "1", "b": "x", "c": {"d": "5"}})
    joined.add({"a": "2", "c": {"d": "6"}})
    assert joined.result() == {"a": "12", "b": "x", "c": {"d": "56"}}


def test_a_piece_is_left_as_it_is() -> None:
    """Lists of the SDK's objects do not grow."""
    first: dict[str, Any] = {"parts": [1], "call": {"parts": [2]}}
    joined = JoinedObject()
    joined.add(first)
    joined.add({"parts": [3], "call": {"parts": [4]}})
    assert first == {"parts": [1], "call": {"parts": [2]}}
    assert joined.result() == {"parts": [1, 3], "call": {"parts": [2, 4]}}
