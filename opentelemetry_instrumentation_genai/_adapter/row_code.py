"""The code that reads a table: straight code for its rows, as `dataclasses` makes that of an `__init__`.

A call reads three tables with some fifty rows. As a loop over the rows, that was a quarter of what a call takes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Rows(Protocol):
    """A table.

    Attributes:
        leaves: (member, attribute, converter) of the values that stand here.
        branches: (member, the rows of what stands below it).
    """

    @property
    def leaves(self) -> Sequence[tuple[str, str, Callable[[Any], Any]]]: ...

    @property
    def branches(self) -> Sequence[tuple[str, Rows]]: ...


class RowCode:
    """The code of one table, and of those below it.

    Args:
        members: returns the members of a JSON object or of an SDK's model.
        models: the known classes of models: those without extra members are read here, without a call of `members`.
        checks: converter -> an expression that is true if `value` is what the converter returns for it: that saves the converter's call.
    """

    def __init__(
        self, members: Callable[[Any], Mapping[str, Any]], models: set[type], checks: Mapping[Any, str]
    ) -> None:
        self._names: dict[str, Any] = {"members": members, "models": models}
        self._checks = checks
        self._lines = ["def read(value):", " found = {}"]

    def function(self, rows: Rows) -> Callable[[Any], dict[str, Any]]:
        """Return the function that reads a table: source -> attributes."""
        self._add(rows, 1)
        self._lines.append(" return found")
        exec("\n".join(self._lines), self._names)  # noqa: S102 - nothing of it comes from outside: the names of a table are ours
        made: Callable[[Any], dict[str, Any]] = self._names["read"]
        return made

    def _add(self, rows: Rows, depth: int) -> None:
        """Add the code for a table; `value` is what it is read from."""
        get, indent = f"get{depth}", " " * depth
        self._lines += [
            f"{indent}kind = type(value)",
            f"{indent}if kind in models and not getattr(value, '__pydantic_extra__', True): {get} = value.__dict__.get",
            f"{indent}else: {get} = (value if kind is dict else members(value)).get",
        ]
        for name, attribute, convert in rows.leaves:
            self._lines.append(f"{indent}if (value := {get}({name!r})) is not None:")
            self._add_leaf(attribute, convert, indent + " ")
        for name, below in rows.branches:
            self._lines.append(f"{indent}if (value := {get}({name!r})) is not None:")
            self._add(below, depth + 1)

    def _add_leaf(self, attribute: str, convert: Callable[[Any], Any], indent: str) -> None:
        converter = f"convert{len(self._names)}"
        self._names[converter] = convert
        check = self._checks.get(convert)
        if check is not None:
            self._lines += [f"{indent}if {check}:", f"{indent} found[{attribute!r}] = value"]
        otherwise = "if" if check is None else "elif"
        self._lines += [
            f"{indent}{otherwise} (value := {converter}(value)) is not None:",
            f"{indent} found[{attribute!r}] = value",
        ]
