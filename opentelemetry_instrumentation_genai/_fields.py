"""The declarative reader: tables of `attribute <- converter(value at a path)`, for JSON bodies and the SDKs' models alike.

A converter answers None for a value of another type, and then there is no attribute rather than a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Attribute: TypeAlias = "str | bool | int | float | list[str]"

_INT64 = 1 << 63  # what OTLP can carry


class Field(NamedTuple):
    """One row of a table: which attribute comes from where."""

    attribute: str
    convert: Callable[[Any], Attribute | None]
    path: tuple[str, ...]


def field(attribute: str, convert: Callable[[Any], Attribute | None], path: str) -> Field:
    """Make a row of a table.

    Args:
        attribute: the attribute's name.
        convert: value as received -> value of the attribute, or None.
        path: the names from the body down to the value, with dots between.
    """
    return Field(attribute, convert, tuple(path.split(".")))


def member(source: Any, name: str) -> Any:
    """The member `name` of a JSON object or of an SDK's model; None where there is none.

    Models are built without validation: any member can be missing, and unknown ones are in pydantic's extras.
    """
    if isinstance(source, dict):
        return source.get(name)
    members: Mapping[str, Any] | None = getattr(source, "__dict__", None)
    if members is None:
        return None
    value = members.get(name)
    if value is None:
        extra: Mapping[str, Any] | None = getattr(source, "__pydantic_extra__", None)
        if extra:
            return extra.get(name)
    return value


def items(source: Any, name: str) -> Sequence[Any]:
    """The list in member `name`, empty where there is none. Nothing but lists and tuples is ever iterated."""
    value = member(source, name)
    return value if isinstance(value, (list, tuple)) else ()


def read(table: Iterable[Field], source: Any) -> dict[str, Attribute]:
    """Read what a table names out of a body.

    Args:
        table: the rows; of two rows for one attribute, the later one wins.
        source: a JSON object or an SDK's model.

    Returns:
        The attributes whose value is there and of the right type.
    """
    found: dict[str, Attribute] = {}
    for attribute, convert, path in table:
        value = source
        for name in path:
            value = value.get(name) if type(value) is dict else member(value, name)
            if value is None:
                break
        else:
            converted = convert(value)
            if converted is not None:
                found[attribute] = converted
    return found


def string(value: Any) -> str | None:
    """A text that is not empty and that UTF-8 can carry."""
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def integer(value: Any) -> int | None:
    """A whole number that OTLP can carry."""
    if type(value) is not int:
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _INT64 else None
    return value if -_INT64 <= value < _INT64 else None


def number(value: Any) -> float | None:
    """A number, as a double."""
    if type(value) is float:
        return value
    return float(value) if type(value) is int and abs(value) < _INT64 else None


def strings(value: Any) -> list[str] | None:
    """A list of texts; one text is a list of one."""
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, (list, tuple)):
        return None
    return [text for text in map(string, value) if text] or None


def true(value: Any) -> bool | None:
    """True, or nothing."""
    return True if value is True else None
