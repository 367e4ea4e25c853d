"""JSON values in the form that OpenTelemetry's SDK carries in an event: OTLP's `AnyValue`.

No member may have an empty name: the SDK drops it, and warns. SDKs of 2025 drop lists of mixed types as well.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .parts import encode

_NAMELESS = '""'
# The function that those SDKs check lists with; newer ones, which take any list, have none of that name.
_ONE_TYPE = hasattr(import_module("opentelemetry.attributes"), "_clean_extended_attribute_value")


def any_value(value: Any, text: str) -> Any:
    """Return JSON values as an event carries them; the same object where nothing has to be changed.

    Args:
        value: a JSON value with numbers that OTLP can represent.
        text: its JSON text without spaces, in which an empty member name is found by a text search.
    """
    return _changed(value) if _ONE_TYPE or '{"":' in text or ',"":' in text else value


def _changed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key or _unused(value): _changed(entry) for key, entry in value.items()}
    if not isinstance(value, list):
        return value
    entries = [_changed(entry) for entry in value]
    return _of_one_type(entries, value) if _ONE_TYPE else entries


def _unused(held: dict[str, Any]) -> str:
    """Return a name for the member without one that no other member has."""
    name = _NAMELESS
    while name in held:
        name += "'"
    return name


def _of_one_type(entries: list[Any], value: list[Any]) -> Any:
    """Return a list of one type, beside nulls: of numbers as doubles, of anything else as the JSON text of the list."""
    types = {type(entry) for entry in entries if entry is not None}
    if len(types) < 2:
        return entries
    if types == {int, float}:
        return [entry if entry is None else float(entry) for entry in entries]
    return encode(value)
