"""The declarative reader: tables of `attribute <- converter(value at a path)`, for JSON bodies and the SDKs' models alike.

A converter answers None for a value of another type, and then there is no attribute rather than a wrong one.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .._conventions.sdks import SDKS
from .row_code import RowCode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Attribute: TypeAlias = "str | bool | int | float | list[str]"

_INT64 = 1 << 63  # what OTLP can carry
LONGEST = 1 << 10
"""Bytes of a text that is no content, such as a model's name: what is longer is cut before anything looks at it."""
MOST = 1 << 7
"""Entries of a list of such texts."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_get = object.__getattribute__
# Model classes of the SDKs: their attributes are read directly, in a third of the time.
_models: set[type] = set()
_MOST_MODELS = 1 << 10


class Field(NamedTuple):
    """One row of a table: which attribute comes from where."""

    attribute: str
    convert: Callable[[Any], Attribute | None]
    path: tuple[str, ...]


_Leaf: TypeAlias = "tuple[str, str, Callable[[Any], Attribute | None]]"


class Table:
    """Rows by what they begin with, so that each JSON object on the way is looked into once. A table is not changed.

    Args:
        leaves: (member, attribute, converter) of the values that stand here.
        branches: (member, the table of what stands below it).

    Attributes:
        leaves, branches: as given.
        read: a JSON object or an SDK's model -> the attributes that have a value of the right type in it.
    """

    __slots__ = ("branches", "leaves", "read")

    def __init__(self, leaves: Sequence[_Leaf], branches: Sequence[tuple[str, Table]]) -> None:
        self.leaves: tuple[_Leaf, ...] = tuple(leaves)
        self.branches: tuple[tuple[str, Table], ...] = tuple(branches)
        self.read: Callable[[Any], dict[str, Attribute]] = partial(_first_read, self)


def _first_read(rows: Table, source: Any) -> dict[str, Attribute]:
    """Read a source by a new table; its code is made when it is first needed."""
    rows.read = RowCode(members, _models, _CHECKS).function(rows)
    return rows.read(source)


def field(attribute: str, convert: Callable[[Any], Attribute | None], path: str) -> Field:
    """Make a row of a table.

    Args:
        attribute: the attribute's name.
        convert: value as received -> value of the attribute, or None.
        path: the names from the body down to the value, with dots between.
    """
    return Field(attribute, convert, tuple(path.split(".")))


def table(*rows: Field) -> Table:
    """Make a table. Of two rows for one attribute the deeper one wins, and of two at one depth the later."""
    below: dict[str, list[Field]] = {}
    for row in rows:
        if len(row.path) > 1:
            below.setdefault(row.path[0], []).append(row._replace(path=row.path[1:]))
    leaves = [(row.path[0], row.attribute, row.convert) for row in rows if len(row.path) == 1]
    return Table(leaves, [(name, table(*deeper)) for name, deeper in below.items()])


def both(one: Table, other: Table) -> Table:
    """Return the rows of two tables. Of two rows for one attribute the deeper one wins, and of two at one depth that of `other`."""
    return Table((*one.leaves, *other.leaves), (*one.branches, *other.branches))


def only(rows: Table, attributes: Collection[str]) -> Table:
    """Return the rows of a table for some attributes."""
    branches = ((name, only(below, attributes)) for name, below in rows.branches)
    return Table(
        [leaf for leaf in rows.leaves if leaf[1] in attributes],
        [(name, below) for name, below in branches if below.leaves or below.branches],
    )


def without(rows: Table, attributes: Collection[str]) -> Table:
    """Return the rows of a table without those for some attributes."""
    leaves = [leaf for leaf in rows.leaves if leaf[1] not in attributes]
    return Table(leaves, [(name, without(below, attributes)) for name, below in rows.branches])


def members(source: Any) -> Mapping[str, Any]:
    """Return the members of a JSON object or of an SDK's model, empty for anything else.

    Models are built without validation: any member can be missing, and unknown ones are in pydantic's extras.
    """
    kind = type(source)
    if kind is dict:
        held: Mapping[str, Any] = source
        return held
    if kind in _models:
        try:
            extra: Mapping[str, Any] | None = source.__pydantic_extra__
            return {**source.__dict__, **extra} if extra else source.__dict__
        except AttributeError:
            return _members(source, kind)
    return _members(source, kind)


def _members(source: Any, kind: type) -> Mapping[str, Any]:
    """Return the members of an object that is of no known model class; no code of the class is called."""
    if issubclass(kind, dict):
        return dict.copy(source)
    if source is None:
        return _NOTHING
    try:
        own: Mapping[str, Any] = _get(source, "__dict__")
    except AttributeError:
        return _NOTHING
    try:
        extra: Mapping[str, Any] | None = _get(source, "__pydantic_extra__")
    except AttributeError:
        return own
    if kind.__module__.partition(".")[0] in SDKS and len(_models) < _MOST_MODELS:
        _models.add(kind)
    return {**own, **extra} if extra else own


def member(source: Any, name: str) -> Any:
    """Return the member `name` of a JSON object or of an SDK's model; None where there is none."""
    return members(source).get(name)


def items(source: Any, name: str) -> Sequence[Any]:
    """Return the list in member `name`; empty if there is none. Nothing but lists and tuples is ever iterated."""
    value = member(source, name)
    return value if isinstance(value, (list, tuple)) else ()


def as_sent(value: Any) -> Any:
    """Return the plain text or number that JSON sends for a member of an enumeration, or for any other object of a subclass.

    Everything that is no text and no number is returned as it is, and so are booleans. Nothing that a subclass defines is called.
    """
    if type(value) is int:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__index__(value)
    return float.__float__(value) if isinstance(value, float) else value


def whole_string(value: Any) -> str | None:
    """Return a text that is not empty and that UTF-8 can carry, however long it is: a piece of content."""
    if not isinstance(value, str) or not value:
        return None
    text = value if type(value) is str else str.__str__(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def string(value: Any) -> str | None:
    """Return a text that is not empty and that UTF-8 can carry, cut to 1 KiB before anything else looks at it: a name, an id, a word."""
    if type(value) is str and value.isascii() and 0 < len(value) <= LONGEST:
        return value  # nearly always
    if not isinstance(value, str) or not value:
        return None
    text = str.__getitem__(value, slice(LONGEST))
    return text if text.isascii() else text.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")


def integer(value: Any) -> int | None:
    """Return a whole number that OTLP can carry; None for anything else."""
    value = value if type(value) is int else as_sent(value)
    if type(value) is int:
        return value if -_INT64 <= value < _INT64 else None
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _INT64 else None


def count(value: Any) -> int | None:
    """Return a count: a whole number that is not negative; None for anything else."""
    if type(value) is int:
        return value if 0 <= value < _INT64 else None
    counted = integer(value)
    return counted if counted is not None and counted >= 0 else None


def length(value: Any) -> int | None:
    """Return how many entries a list has; None for anything else, of which an iterator is not read."""
    return len(value) if isinstance(value, (list, tuple)) else None


def number(value: Any) -> float | None:
    """Return a number as a double; None for anything else."""
    value = value if type(value) is float else as_sent(value)
    if type(value) is float:
        return value
    return float(value) if type(value) is int and abs(value) < _INT64 else None


def strings(value: Any) -> list[str] | None:
    """Return a list of texts; one text becomes a list of one."""
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, (list, tuple)):
        return None
    return [text for text in map(string, value[:MOST]) if text] or None


def true(value: Any) -> bool | None:
    """Return True for True, and None for anything else."""
    return True if value is True else None


# What a converter returns unchanged, nearly always: such values need no call of it.
_CHECKS = {
    string: f"type(value) is str and 0 < len(value) <= {LONGEST} and value.isascii()",
    count: f"type(value) is int and 0 <= value < {_INT64}",
    integer: f"type(value) is int and {-_INT64} <= value < {_INT64}",
    number: "type(value) is float",
}
