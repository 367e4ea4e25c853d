"""Values of a type, made from its annotations: pydantic models as the JSON that they are read from, TypedDicts as dicts."""

from __future__ import annotations

import collections.abc
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import NotRequired, Required, get_type_hints, is_typeddict

_DEEPEST = 6
_PLAIN = {str: "x", int: 1, float: 0.5, bool: True, bytes: "AQID", type(None): None}
_WRAPPERS = (Annotated, Required, NotRequired)


def members_of(union: Any) -> list[Any]:
    """The types in a union, in unions within it too."""
    union = _bare(union)
    if get_origin(union) in (Union, types.UnionType):
        return [member for entry in get_args(union) for member in members_of(entry)]
    return [union]


def example(kind: Any, choice: int, depth: int = 0) -> Any:
    """One value.

    Args:
        kind: the type.
        choice: 0 leaves out what is optional; of a union, and of literals, the n-th is taken, over and over.
        depth: how deep it stands in another value.
    """
    kind = _bare(kind)
    origin = get_origin(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if origin is Literal:
        return get_args(kind)[choice % len(get_args(kind))]
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return example(members[choice % len(members)], choice, depth + 1)
    if origin in (list, collections.abc.Iterable, collections.abc.Sequence):
        return [example(get_args(kind)[0], choice, depth + 1)] if depth < _DEEPEST else []
    if origin in (dict, collections.abc.Mapping):
        return {"key": example(get_args(kind)[1], choice, depth + 1)} if depth < _DEEPEST else {}
    if is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return _members(kind, choice, depth)
    return "x"


def _members(kind: Any, choice: int, depth: int) -> dict[str, Any]:
    hints = _hints(kind)
    required = _required(kind)
    # What is deep enough is left out if it may be: some types hold themselves.
    all_of_them = choice > 0 and depth < _DEEPEST
    names = [name for name in hints if all_of_them or name in required]
    return {_alias(kind, name): example(hints[name], choice, depth + 1) for name in names}


def _hints(kind: Any) -> dict[str, Any]:
    if is_typeddict(kind):
        return get_type_hints(kind, include_extras=True)
    return {name: field.annotation for name, field in kind.model_fields.items()}


def _required(kind: Any) -> set[str]:
    if not is_typeddict(kind):
        return {name for name, field in kind.model_fields.items() if field.is_required()}
    # With `from __future__ import annotations`, `__required_keys__` knows nothing of `Required[...]`.
    hints = _hints(kind)
    marked = {name for name, hint in hints.items() if get_origin(hint) is Required}
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    return marked | (set(kind.__required_keys__) - optional)


def _alias(kind: Any, name: str) -> str:
    field = None if is_typeddict(kind) else kind.model_fields[name]
    return (field.alias if field is not None else None) or name


def _bare(kind: Any) -> Any:
    while get_origin(kind) in _WRAPPERS:
        kind = get_args(kind)[0]
    return kind
