"""What callers give: JSON, and everything that is none. A recipe is drawn once, and each run makes its own objects of it."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import io
import json
import math
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pydantic
from hypothesis import strategies as st


@dataclass(frozen=True)
class Made:
    """An object that is no JSON, by its kind, and what it is made of."""

    kind: str
    inner: Any = None


def build(recipe: Any, sdk: str) -> Any:
    """Fresh objects by a recipe.

    Args:
        recipe: JSON values with `Made` among them.
        sdk: the SDK that the sentinels come from.
    """
    if isinstance(recipe, Made):
        return MAKERS[recipe.kind](build(recipe.inner, sdk), sdk)
    if isinstance(recipe, dict):
        return {build(key, sdk): build(value, sdk) for key, value in recipe.items()}
    if isinstance(recipe, list):
        return [build(entry, sdk) for entry in recipe]
    return recipe


class OddError(Exception):
    """What odd objects raise."""


class _Eq:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise OddError("__eq__")


class _HashedEq(_Eq):
    def __hash__(self) -> int:  # type: ignore[override]
        return 7919  # that of no other key


class _Getattr:
    def __getattr__(self, name: str) -> Any:
        raise OddError("__getattr__")


class _Getattribute:
    def __getattribute__(self, name: str) -> Any:
        raise OddError("__getattribute__")


class _Iter:
    def __iter__(self) -> Any:
        raise OddError("__iter__")

    def __len__(self) -> int:
        raise OddError("__len__")

    def __bool__(self) -> bool:
        raise OddError("__bool__")


class _Str:
    def __str__(self) -> str:
        raise OddError("__str__")

    __repr__ = __str__


class _Dict(dict[str, Any]):
    """A dict that is not Python's own."""


class _RaisingDict(dict[str, Any]):
    def get(self, *args: Any) -> Any:
        raise OddError("get")

    def __contains__(self, key: object) -> bool:
        raise OddError("__contains__")


class _RaisingItems(dict[str, Any]):
    def items(self) -> Any:
        raise OddError("items")

    keys = items  # type: ignore[assignment]


class _List(list[Any]):
    """A list that is not Python's own."""


class _RaisingList(list[Any]):
    def __iter__(self) -> Any:
        raise OddError("__iter__")


class _Text(str):
    __slots__ = ()


class _RaisingText(str):
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise OddError("__eq__")

    def __str__(self) -> str:
        raise OddError("__str__")


class _Words(str, enum.Enum):
    ONE = "user"


class _Numbers(enum.IntEnum):
    ONE = 1


class _Plain(enum.Enum):
    ONE = 1


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    role: Any = None
    content: Any = None


class _Unreadable(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        raise OddError("read")


def _generator(entries: Any) -> Iterator[Any]:
    yield from entries if isinstance(entries, list) else [entries]


def _raising_generator(entries: Any) -> Iterator[Any]:
    yield from _generator(entries)
    raise OddError("generator")


def _circle(inner: Any) -> Any:
    held: dict[str, Any] = {"inner": inner}
    held["self"] = held
    return held


def _deep(inner: Any) -> Any:
    for _ in range(200):
        inner = [inner]
    return inner


def _sentinel(sdk: str) -> Any:
    module = import_module(sdk)
    return getattr(module, "omit", getattr(module, "NOT_GIVEN", None))


def _mapping(inner: Any) -> dict[str, Any]:
    return inner if isinstance(inner, dict) else {"content": inner}


def _sequence(inner: Any) -> list[Any]:
    return inner if isinstance(inner, list) else [inner]


MAKERS: dict[str, Callable[[Any, str], Any]] = {
    "generator": lambda inner, _: _generator(inner),
    "raising generator": lambda inner, _: _raising_generator(inner),
    "iterator": lambda inner, _: iter(_sequence(inner)),
    "map": lambda inner, _: map(str.strip, _sequence(inner)),
    "tuple": lambda inner, _: tuple(_sequence(inner)),
    "model": lambda inner, _: _Model.model_construct(**{str(key): value for key, value in _mapping(inner).items()}),
    "dict": lambda inner, _: _Dict(_mapping(inner)),
    "raising dict": lambda inner, _: _RaisingDict(_mapping(inner)),
    "raising items": lambda inner, _: _RaisingItems(_mapping(inner)),
    "list": lambda inner, _: _List(_sequence(inner)),
    "raising list": lambda inner, _: _RaisingList(_sequence(inner)),
    "circle": lambda inner, _: _circle(inner),
    "deep": lambda inner, _: _deep(inner),
    "sentinel": lambda _, sdk: _sentinel(sdk),
    "text": lambda inner, _: _Text(inner if isinstance(inner, str) else "text"),
    "raising text": lambda inner, _: _RaisingText(inner if isinstance(inner, str) else "text"),
    "words": lambda *_: _Words.ONE,
    "numbers": lambda *_: _Numbers.ONE,
    "enum": lambda *_: _Plain.ONE,
    "bytes": lambda *_: b"\x00\xff",
    "file": lambda *_: io.BytesIO(b"file"),
    "unreadable file": lambda *_: _Unreadable(b"file"),
    "path": lambda *_: pathlib.PurePosixPath("/nowhere"),
    "datetime": lambda *_: dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc),
    "decimal": lambda *_: decimal.Decimal("1.5"),
    "set": lambda *_: {1},
    "class": lambda *_: _Model,
    "function": lambda *_: len,
    "object": lambda *_: object(),
    "raises in eq": lambda *_: _Eq(),
    "hashed, raises in eq": lambda *_: _HashedEq(),
    "raises in getattr": lambda *_: _Getattr(),
    "raises in getattribute": lambda *_: _Getattribute(),
    "raises in iter": lambda *_: _Iter(),
    "raises in str": lambda *_: _Str(),
    "large": lambda *_: 10**30,
    "json": lambda inner, _: json.dumps(inner, default=repr, skipkeys=True),
}
TEXTS = st.one_of(
    st.sampled_from(
        ["", "user", "auto", "text", "é", "\ud800", "\x00", "a" * 3000, "data:image/png;base64,AQID", "joe@example.com"]
    ),
    st.text(max_size=5),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([1 << 63, math.nan, math.inf, 0.5]), TEXTS
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
MADE = st.builds(Made, st.sampled_from([*MAKERS]), JSON)
ANYTHING = st.one_of(
    MADE,
    JSON,
    st.lists(MADE, max_size=2),
    st.dictionaries(
        st.one_of(TEXTS, st.integers(0, 1), st.none(), st.just(Made("hashed, raises in eq"))), MADE, max_size=2
    ),
    st.builds(
        Made,
        st.sampled_from(["generator", "raising generator", "iterator", "model", "dict", "list"]),
        st.lists(MADE, max_size=2),
    ),
)
"""Whatever a caller may give."""
