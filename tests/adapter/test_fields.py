"""The declarative reader: what is there and of the right type becomes an attribute, and nothing else does."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import pydantic
import pytest

from loopback import same
from opentelemetry_instrumentation_genai._adapter import fields


class Model(pydantic.BaseModel):
    """As an SDK's: made without validation, unknown members are kept."""

    model_config = pydantic.ConfigDict(extra="allow")
    declared: Any = None


class Own(dict[str, Any]):
    """A dictionary of the application, of which no method may be called."""

    def get(self, *_arguments: Any) -> Any:  # type: ignore[override]
        """Fail."""
        raise AssertionError

    __getitem__ = __contains__ = copy = get  # type: ignore[assignment]


class Text(str):
    """A text of a class of its own."""

    __slots__ = ()


INT64 = 1 << 63
CONVERTERS = [
    (fields.string, "text", "text"),
    (fields.string, "", None),
    (fields.string, "a\ud800b", "a?b"),
    (fields.string, "héllo", "héllo"),
    (fields.string, Text("text"), "text"),
    (fields.string, 7, None),
    (fields.string, b"text", None),
    (fields.string, ["text"], None),
    (fields.integer, 0, 0),
    (fields.integer, -1, -1),
    (fields.integer, INT64 - 1, INT64 - 1),
    (fields.integer, INT64, None),
    (fields.integer, -INT64, -INT64),
    (fields.integer, -INT64 - 1, None),
    (fields.integer, HTTPStatus.OK, 200),
    (fields.count, HTTPStatus.OK, 200),
    (fields.number, HTTPStatus.OK, 200.0),
    (fields.integer, 7.0, 7),
    (fields.integer, 7.5, None),
    (fields.integer, 1e300, None),
    (fields.integer, math.nan, None),
    (fields.integer, math.inf, None),
    (fields.integer, True, None),
    (fields.integer, "7", None),
    (fields.integer, None, None),
    (fields.number, 0, 0.0),
    (fields.number, 1, 1.0),
    (fields.number, 0.5, 0.5),
    (fields.number, 1 << 70, None),
    (fields.number, True, None),
    (fields.number, "0.5", None),
    (fields.number, [0.5], None),
    (fields.strings, "one", ["one"]),
    (fields.strings, ["one", "two"], ["one", "two"]),
    (fields.strings, ("one",), ["one"]),
    (fields.strings, ["one", 2, None, "\ud800"], ["one", "?"]),
    (fields.strings, [], None),
    (fields.strings, "", None),
    (fields.strings, [[]], None),
    (fields.strings, {"one": 1}, None),
    (fields.strings, 7, None),
    (fields.true, True, True),
    (fields.true, False, None),
    (fields.true, 1, None),
    (fields.true, "true", None),
]


@pytest.mark.parametrize(
    ("convert", "value", "expected"), CONVERTERS, ids=[f"{row[0].__name__}-{row[1]!r:.30}" for row in CONVERTERS]
)
def test_a_converter_gives_its_type_or_nothing(convert: Any, value: Any, expected: Any) -> None:
    """A value of another type becomes no attribute, rather than a wrong one."""
    assert same(expected, convert(value))


def test_text_of_a_class_of_its_own_is_text() -> None:
    """Enums of texts are such, and are what people pass."""
    assert fields.string(Text("gpt-4o")) == "gpt-4o"


TABLE = fields.table(
    fields.field("model", fields.string, "model"),
    fields.field("tokens", fields.integer, "usage.tokens"),
    fields.field("cached", fields.integer, "usage.details.cached"),
    fields.field("limit", fields.integer, "max_tokens"),
    fields.field("limit", fields.integer, "max_completion_tokens"),
    fields.field("kind", fields.string, "kind"),
    fields.field("kind", fields.string, "format.kind"),
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"model": "m", "usage": {"tokens": 3, "details": {"cached": 0}}}, {"model": "m", "tokens": 3, "cached": 0}),
        ({"model": None, "usage": None}, {}),
        ({"usage": {"tokens": "many", "details": None}}, {}),
        ({"usage": 7}, {}),
        ({"usage": [{"tokens": 3}]}, {}),
        ({"max_tokens": 1, "max_completion_tokens": 2}, {"limit": 2}),
        ({"max_completion_tokens": None, "max_tokens": 1}, {"limit": 1}),
        ({"max_completion_tokens": "2", "max_tokens": 1}, {"limit": 1}),
        ({"kind": "flat", "format": {"kind": "deep"}}, {"kind": "deep"}),
        (Model.model_construct(declared=1, model="m", usage=Model(tokens=3)), {"model": "m", "tokens": 3}),
        (Model(usage={"tokens": 3}), {"tokens": 3}),
        (Own(model="m", usage=Own(tokens=3)), {"model": "m", "tokens": 3}),
        (None, {}),
        ("model", {}),
        (7, {}),
        ([], {}),
        (object(), {}),
    ],
)
def test_a_table_reads_what_it_names(source: Any, expected: dict[str, Any]) -> None:
    """JSON objects and models alike; later and deeper rows win, if they have a value of the right type."""
    assert same(expected, TABLE.read(source))


def test_a_table_can_be_narrowed_to_some_attributes() -> None:
    """What is left reads as before."""
    source = {"model": "m", "usage": {"tokens": 3, "details": {"cached": 1}}, "max_tokens": 5}
    assert {"model": "m", "cached": 1} == fields.only(TABLE, {"model", "cached"}).read(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"name": 1}, 1),
        (Model(declared=0, name=1), 1),
        (Model.model_construct(), None),
        ({}, None),
        (None, None),
        ("name", None),
        (7, None),
        ([("name", 1)], None),
    ],
)
def test_a_member_is_that_of_an_object_or_a_model(source: Any, expected: Any) -> None:
    """Nothing else has members."""
    assert same(expected, fields.member(source, "name"))


def test_a_declared_member_is_found_in_a_model() -> None:
    """With its default, too, as the SDK gives it."""
    assert (None, 7) == (fields.member(Model(), "declared"), fields.member(Model(declared=7), "declared"))


@pytest.mark.parametrize("value", [None, "text", 7, {"a": 1}, {1}, iter([1]), (n for n in (1, 2)), range(2)])
def test_nothing_but_lists_and_tuples_is_iterated(value: Any) -> None:
    """An iterator of the caller's is not used up."""
    assert () == fields.items({"messages": value}, "messages")
    if hasattr(value, "__next__"):
        assert 1 == next(value)


def test_lists_and_tuples_are_items() -> None:
    """As they are."""
    assert ([1], (2,)) == (fields.items({"a": [1]}, "a"), fields.items(Model(a=(2,)), "a"))
